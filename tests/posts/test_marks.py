"""Marks around a pair: read as spans that know their place, or refused in one sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.datasets.schema import WordRules
from mmdemo.posts.marks import MARKS, has_marks, read_marks
from mmdemo.types import InputError, Pair

SPLIT = WordRules(split_hashtags=True, split_clitics=True)


@pytest.mark.parametrize(
    ("text", "words", "head", "tail"),
    [
        (
            "[E1] Lauren Bacall [/E1] on the set of [E2] Key Largo [/E2]",
            "Lauren Bacall on the set of Key Largo",
            (0, 2),
            (6, 8),
        ),
        ("at [E2] Key Largo [/E2] with [E1] Bacall [/E1] !", "at Key Largo with Bacall !", (4, 5), (1, 3)),
        ("[E1]Ann[/E1][E2]Bob[/E2]", "Ann Bob", (0, 1), (1, 2)),
        ("x[E1]#NBA[/E1]'s [E2]U2[/E2]y", "x # NBA 's U2 y", (1, 3), (4, 5)),
        ("[E1] The [E2] York [/E2] Post [/E1] moves", "The York Post moves", (0, 3), (1, 2)),
        ("[E2] a [E1] b [/E2] c [/E1]", "a b c", (1, 3), (0, 2)),
        ("\u200b[E1]\ufe0fAnn[/E1] [E2]🏀[/E2]", "Ann 🏀", (0, 1), (1, 2)),
    ],
)
def test_marks_become_spans(text, words, head, tail):
    read = read_marks(text, SPLIT)
    assert (read.tokens, read.pair) == (tuple(words.split(" ")), Pair(head=head, tail=tail))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no marks at all", r"\[E1\], \[/E1\], \[E2\], \[/E2\] missing"),
        ("", "missing"),
        ("[E1] a [/E1] b", r"\[E2\], \[/E2\] missing"),
        ("[E1] a [E2] b [/E2]", r"\[/E1\] missing"),
        ("[E1] a [/E1] [E2] b", r"\[/E2\] missing"),
        ("[E1] a [/E1] b [/E2]", r"\[/E2\] closes"),
        ("[/E1] a [E1] [E2] b [/E2]", r"\[/E1\] closes"),
        ("[E1][E2] a [/E2][/E1]", r"mark the same words"),
        ("[E1] a [/E2] [E2] b [/E1]", r"\[/E2\] closes"),
        ("[E1] a [/E1] [E1] b [/E1] [E2] c [/E2]", r"\[E1\] stands twice"),
        ("[E1] [/E1] a [E2] b [/E2]", r"\[E1\] marks no word"),
        ("[E1] a [/E1] [E2]\u200b\n[/E2]", r"\[E2\] marks no word"),
    ],
)
def test_bad_marks_are_one_sentence(text, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        read_marks(text, SPLIT)
    assert "\n" not in str(caught.value)


@given(st.lists(st.sampled_from(["[E1]", "[/E1]", "[E2]", "[/E2]", "a", " ", "'s"]), max_size=12))
def test_marks_are_either_read_or_refused(parts):
    try:
        read = read_marks("".join(parts), SPLIT)
    except InputError:
        return
    words, pair = read.tokens, read.pair
    assert sorted(p for p in parts if "E" in p) == ["[/E1]", "[/E2]", "[E1]", "[E2]"]
    for start, end in (pair.head, pair.tail):
        assert 0 <= start < end <= len(words)
    assert not any(has_marks(word) for word in words)


def test_has_marks():
    assert has_marks("a [/E2] b") and not has_marks("[E3] [e1] E1")


@given(st.lists(st.sampled_from([*MARKS, "a", " ", "'s", "can't", "#x", "é🏀"]), max_size=12))
def test_places_count_the_marks_too(parts):
    """The words stand where the text that the person typed has them, marks included."""
    text = "".join(parts)
    try:
        read = read_marks(text, SPLIT)
    except InputError:
        return
    for token, (start, end) in zip(read.tokens, read.offsets, strict=True):
        assert text[start:end] == token
        assert not has_marks(text[start:end])


@pytest.mark.parametrize("text", ["[E1] a [/E1] x [E2] b [/E2]", "é[E2]b[/E2] [E1]don't[/E1]"])
def test_marked_words_stand_between_their_marks(text):
    read = read_marks(text, SPLIT)
    for span, opening, closing in ((read.pair.head, *MARKS[:2]), (read.pair.tail, *MARKS[2:])):
        inside = text[text.index(opening) + len(opening) : text.index(closing)].strip()
        assert text[read.offsets[span[0]][0] : read.offsets[span[1] - 1][1]] == inside

"""From typed text to sub-tokens: no word may vanish, move or merge, whatever a person pastes."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdemo.posts.text import (
    FEATURES,
    TextReader,
    has_marks,
    letter_case,
    read_marks,
    split_words,
)

from mmdemo.models.config import DATASETS
from mmdemo.posts import text
from mmdemo.posts.cleaning import CleanWords
from mmdemo.types import InputError, Pair

ANY_TEXT = st.text(max_size=60)
#: Texts with many of the characters that the splitting cares about.
TWEETS = st.text(alphabet="aB1é#@_'’.:/-[]E\u0301\u200d\ufe0f\u200b🏀 \n", max_size=40)
TEXTS = st.one_of(ANY_TEXT, TWEETS)
DATASET = st.sampled_from(list(DATASETS))


# ---------------------------------------------------------------- split_words


@pytest.mark.parametrize(
    ("dataset", "text", "words"),
    [
        ("twitter2015", "RT @NBA: Go #Warriors!", "RT @NBA : Go #Warriors !"),
        ("twitter2017", "RT @NBA: Go #Warriors!", "RT @NBA : Go # Warriors !"),
        ("mnre", "RT @NBA: Go #Warriors!", "RT @NBA : Go # Warriors !"),
        ("twitter2015", "see http://t.co/Ab1_x?y=#z now", "see http://t.co/Ab1_x?y=#z now"),
        ("mnre", "see www.nba.com/a.b now", "see www.nba.com/a.b now"),
        ("twitter2017", "Kevin's don't", "Kevin ' s don ' t"),
        ("mnre", "Kevin's don't we’ll CAN'T", "Kevin 's do n't we ’ll CA N'T"),
        ("twitter2015", "@real_name, x", "@real_name , x"),
        ("twitter2017", "a 3.5-inch, 10:30 1,000 U2", "a 3.5-inch , 10:30 1,000 U2"),
        ("twitter2017", "wait...what", "wait ... what"),
        ("twitter2017", "go🏀go", "go 🏀 go"),
        ("twitter2017", "##NBA #", "# # NBA #"),
        ("mnre", "''", "' '"),
    ],
)
def test_words_are_split_as_the_dataset_does(dataset, text, words):
    assert split_words(text, dataset) == words.split(" ")


@pytest.mark.parametrize("dataset", DATASETS)
def test_composed_characters_stay_in_one_word(dataset):
    text = "cafe\u0301s हिन्दी 👍🏽 ❤\ufe0f 👨\u200d👩\u200d👧 1\ufe0f\u20e3"
    assert split_words(text, dataset) == text.split(" ")


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("text", ["", "  \n\t ", "\u200b", "\x00\u200e \ufe0f \u00a0", "\ufeff"])
def test_nothing_visible_is_no_word(dataset, text):
    assert split_words(text, dataset) == []


@given(TEXTS, DATASET)
def test_splitting_never_fails_and_gives_no_empty_or_blank_word(text, dataset):
    for word in split_words(text, dataset):
        assert word and not any(c.isspace() for c in word)


def visible(text: str) -> str:
    """What must survive: all but white space, format and control characters, and variation selectors."""
    hidden = ("Cc", "Cf", "Zs", "Zl", "Zp")
    return "".join(c for c in text if unicodedata.category(c) not in hidden and not "\ufe00" <= c <= "\ufe0f")


@given(TEXTS, DATASET)
def test_every_visible_character_survives_in_order(text, dataset):
    assert visible("".join(split_words(text, dataset))) == visible(text)


@given(TEXTS, st.sampled_from(["twitter2015", "twitter2017"]))
def test_splitting_its_own_words_changes_nothing_more(text, dataset):
    words = split_words(text, dataset)
    assert split_words(" ".join(words), dataset) == words


@pytest.mark.parametrize(("dataset", "least"), [("twitter2015", 0.99), ("twitter2017", 0.99), ("mnre", 0.99)])
def test_the_authors_own_words_are_kept(shared_data, dataset, least):
    from mmdemo.formats.published import read_split

    words = [word for post in read_split(shared_data, dataset, "valid") for word in post.tokens]
    words = [word for word in words if visible(word)]
    same = sum(split_words(word, dataset) == [word] for word in words)
    assert same / len(words) >= least


# ---------------------------------------------------------------- read_marks


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
        ("\u200b[E1]\ufe0fAnn[/E1] [E2]🏀[/E2]", "Ann 🏀", (0, 1), (1, 2)),
    ],
)
def test_marks_become_spans(text, words, head, tail):
    assert read_marks(text, "mnre") == (words.split(" "), Pair(head=head, tail=tail))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no marks at all", r"\[E1\], \[/E1\], \[E2\], \[/E2\] missing"),
        ("", "missing"),
        ("[E1] a [/E1] b", r"\[E2\], \[/E2\] missing"),
        ("[E1] a [E2] b [/E2]", r"\[E2\] opens inside \[E1\]"),
        ("[E1] a [/E1] [E2] b", r"\[/E2\] missing"),
        ("[E1] a [/E1] b [/E2]", r"\[/E2\] closes"),
        ("[/E1] a [E1] [E2] b [/E2]", r"\[/E1\] closes"),
        ("[E1] a [E2] b [/E1] c [/E2]", r"\[E2\] opens inside"),
        ("[E1] a [E2] b [/E2] c [/E1]", r"\[E2\] opens inside"),
        ("[E1] a [/E2] [E2] b [/E1]", r"\[/E2\] closes"),
        ("[E1] a [/E1] [E1] b [/E1] [E2] c [/E2]", r"\[E1\] stands twice"),
        ("[E1] [/E1] a [E2] b [/E2]", r"\[E1\] marks no word"),
        ("[E1] a [/E1] [E2]\u200b\n[/E2]", r"\[E2\] marks no word"),
    ],
)
def test_bad_marks_are_one_sentence(text, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        read_marks(text, "mnre")
    assert "\n" not in str(caught.value)


@given(st.lists(st.sampled_from(["[E1]", "[/E1]", "[E2]", "[/E2]", "a", " ", "'s"]), max_size=12))
def test_marks_are_either_read_or_refused(parts):
    try:
        words, pair = read_marks("".join(parts), "mnre")
    except InputError:
        return
    assert sorted(p for p in parts if "E" in p) == ["[/E1]", "[/E2]", "[E1]", "[E2]"]
    for start, end in (pair.head, pair.tail):
        assert 0 <= start < end <= len(words)
    assert not any(has_marks(word) for word in words)


def test_has_marks():
    assert has_marks("a [/E2] b") and not has_marks("[E3] [e1] E1")


# ---------------------------------------------------------------- clean_words


@pytest.mark.parametrize(
    ("word", "cleaned"),
    [
        ("http://t.co/x", ""),
        ("https://t.co/x", ""),
        ("www.nba.com", ""),
        ("http:…", ""),
        ("//t", ""),
        ("🏀", ""),
        ("👍🏽", ""),
        ("❤\ufe0f", ""),
        ("\u200b", ""),
        ("^", ""),
        ("~", ""),
        ("sooooo", "soo"),
        ("NOOO", "NOO"),
        ("coffee", "coffee"),
        ("!!!", "!"),
        ("...", "."),
        ("1000", "1000"),
        ("#NBA", "#NBA"),
        ("#", "#"),
        ("@user", "@user"),
        (",", ","),
        ("the", "the"),
        ("$AAPL", "$AAPL"),
        ("तीन", "तीन"),
    ],
)
def test_cleaning(word, cleaned):
    assert list(CleanWords([word])) == [cleaned]


def test_cleaning_keeps_places_and_never_drops_a_kept_word():
    words = ["Look", "🏀", "https://t.co/x", "~~~", "yesss"]
    assert list(CleanWords(words)) == ["Look", "", "", "", "yess"]
    assert list(CleanWords(words, [(1, 4)])) == ["Look", "🏀", "https://t.co/x", "~", "yess"]


@given(st.lists(st.text(min_size=1, max_size=8), max_size=8), st.data())
def test_cleaning_is_aligned_idempotent_and_keeps_what_it_must(words, data):
    start = data.draw(st.integers(0, len(words)))
    end = data.draw(st.integers(start, len(words)))
    cleaned = list(CleanWords(words, [(start, end)]))
    assert len(cleaned) == len(words)
    assert all(cleaned[start:end])
    assert list(CleanWords(cleaned, [(start, end)])) == cleaned


# ---------------------------------------------------------------- letter_case


@pytest.mark.parametrize(
    ("word", "case"),
    [
        ("kevin", "lower"),
        ("NBA", "upper"),
        ("Kevin", "title"),
        ("I", "title"),
        ("iPhone", "mixed"),
        ("McDonald", "mixed"),
        ("#NBA", "upper"),
        ("@kevin", "lower"),
        ("U2", "title"),
        ("2017", "none"),
        ("!", "none"),
        ("東京", "none"),
        ("", "none"),
        ("ÉCOLE", "upper"),
    ],
)
def test_letter_case(word, case):
    assert FEATURES[letter_case(word)] == case


# ---------------------------------------------------------------- TextReader

MARK_NAMES = {"[unused0]": "[E1]", "[unused1]": "[/E1]", "[unused2]": "[E2]", "[unused3]": "[/E2]"}


def spell(reader: TextReader, ids) -> str:
    """The input as a string of sub-tokens, marks by their own names."""
    names = (reader.tokenizer.id_to_token(i) for i in ids)
    return " ".join(MARK_NAMES.get(name, name) for name in names)


def test_each_word_points_at_its_first_subtoken(reader):
    read = reader.read(["Lebron", "\ufe0f", "visits", "Oaklanders", ""])
    assert spell(reader, read.ids) == "[CLS] le ##bron visits oakland ##ers [SEP]"
    assert read.first == (1, -1, 3, 4, -1)
    assert [FEATURES[f] for f in read.features] == [
        "none",
        "title",
        "title",
        "lower",
        "title",
        "title",
        "none",
    ]
    assert read.markers is None and read.cut == ()


@pytest.mark.parametrize(
    ("words", "head", "tail", "expected"),
    [
        ("a b c", (0, 1), (2, 3), "[CLS] [E1] a [/E1] b [E2] c [/E2] [SEP]"),
        ("a b c", (2, 3), (0, 1), "[CLS] [E2] a [/E2] b [E1] c [/E1] [SEP]"),
        ("a b", (0, 1), (1, 2), "[CLS] [E1] a [/E1] [E2] b [/E2] [SEP]"),
        ("a b", (1, 2), (0, 1), "[CLS] [E2] a [/E2] [E1] b [/E1] [SEP]"),
        ("a b c", (0, 2), (1, 3), "[CLS] [E1] a [E2] b [/E1] c [/E2] [SEP]"),
        ("a b c", (0, 3), (1, 2), "[CLS] [E1] a [E2] b [/E2] c [/E1] [SEP]"),
        ("a b c", (0, 2), (0, 1), "[CLS] [E1] [E2] a [/E2] b [/E1] c [SEP]"),
        ("a b", (0, 1), (0, 1), "[CLS] [E1] [E2] a [/E1] [/E2] b [SEP]"),
        ("a \ufe0f b", (1, 2), (2, 3), "[CLS] a [E1] [/E1] [E2] b [/E2] [SEP]"),
    ],
)
def test_marks_stand_where_the_spans_say(reader, words, head, tail, expected):
    read = reader.read(words.split(" "), Pair(head=head, tail=tail))
    assert spell(reader, read.ids) == expected
    at = [expected.split(" ").index(mark) for mark in ("[E1]", "[/E1]", "[E2]", "[/E2]")]
    assert list(read.markers) == at
    assert [FEATURES[read.features[i]] for i in read.markers] == ["[E1]", "[/E1]", "[E2]", "[/E2]"]


def test_typed_special_tokens_are_only_text(reader):
    read = reader.read(["[SEP]", "[unused0]", "[MASK]"])
    special = {reader.tokenizer.token_to_id(t) for t in ("[SEP]", "[CLS]", "[MASK]", "[unused0]")}
    assert not special & set(read.ids[1:-1])


def test_a_long_text_keeps_its_start_and_says_what_was_cut(reader):
    read = reader.read(["Oakland"] * 10_000)
    assert len(read.ids) == 128
    assert read.first[:126] == tuple(range(1, 127)) and set(read.first[126:]) == {-1}
    assert read.cut == tuple(range(126, 10_000))


def test_one_huge_word_does_not_crowd_out_the_rest(reader):
    read = reader.read(["http://" + "a/b?" * 300, "Oakland"])
    assert read.cut == () and read.first[1] > 0


def test_a_long_text_keeps_both_marks_and_what_is_nearest_to_them(reader):
    words = ["Oakland"] * 6_000
    read = reader.read(words, Pair(head=(5_500, 5_501), tail=(500, 501)))
    text = spell(reader, read.ids)
    assert len(read.ids) <= 128
    assert "oakland [E2] oakland [/E2] oakland" in text and "oakland [E1] oakland [/E1] oakland" in text
    assert 500 not in read.cut and 5_500 not in read.cut
    assert len(read.cut) == 6_000 - (128 - 2 - 4)


@pytest.mark.parametrize("tail", [(300, 301), (0, 1), (150, 151)])
def test_a_marked_span_longer_than_the_limit_leaves_room_for_the_other(reader, tail):
    words = ["Oakland"] * 301
    read = reader.read(words, Pair(head=(0, 290), tail=tail))
    assert len(read.ids) <= 128
    assert [FEATURES[read.features[i]] for i in read.markers] == ["[E1]", "[/E1]", "[E2]", "[/E2]"]
    assert 0 not in read.cut and tail[0] not in read.cut


@given(
    st.lists(st.sampled_from(["Oakland", "hyperventilations", "🏀", "\ufe0f", "", "a" * 200, "-" * 90])),
    st.data(),
)
def test_reading_never_passes_the_limit_and_never_shifts(reader, words, data):
    words = words * data.draw(st.integers(1, 30))
    spans = st.tuples(st.integers(0, len(words)), st.integers(0, len(words))).filter(lambda s: s[0] < s[1])
    pair = Pair(head=data.draw(spans), tail=data.draw(spans)) if words and data.draw(st.booleans()) else None
    read = reader.read(words, pair)
    assert len(read.ids) == len(read.features) <= 128
    assert len(read.first) == len(words)
    seen = [f for f in read.first if f >= 0]
    assert seen == sorted(set(seen)) and all(0 < f < len(read.ids) - 1 for f in seen)
    assert all(read.first[w] == -1 for w in read.cut)
    for word, first in zip(words, read.first, strict=True):
        if first >= 0:
            assert read.ids[first] == reader.tokenizer.encode(word, add_special_tokens=False).ids[0]
    if pair:
        marks = [reader.tokenizer.token_to_id(f"[unused{i}]") for i in range(4)]
        assert [read.ids[m] for m in read.markers] == marks
        assert read.markers[0] < read.markers[1] and read.markers[2] < read.markers[3]


class CountingTokenizer:
    """A tokenizer that knows how many characters it was given."""

    def __init__(self, tokenizer):
        self._tokenizer, self.given = tokenizer, 0

    def encode_batch(self, texts, **options):
        self.given += sum(map(len, texts))
        return self._tokenizer.encode_batch(texts, **options)


@pytest.mark.parametrize("words", [["a"] * 100_000, ["🏀"] * 200_000, ["a" * 200_000], ["ab1é" * 50_000] * 4])
@pytest.mark.parametrize("pair", [None, Pair(head=(0, 1), tail=(1, 2))])
def test_a_text_of_200_000_characters_is_cut_before_it_is_encoded(reader, words, pair, monkeypatch):
    words = [*words, "Oakland"]
    counting = CountingTokenizer(reader.tokenizer)
    monkeypatch.setattr(reader, "tokenizer", counting)
    read = reader.read(CleanWords(words), pair)
    assert counting.given <= 5 * 4096
    seen = {w for w, first in enumerate(read.first) if first >= 0}
    assert len(read.first) == len(words) and seen.isdisjoint(read.cut)
    assert len(words) < 5_000 or len(words) - 1 in read.cut


@given(st.lists(st.sampled_from(["Oakland", "🏀", "", "a" * 200, "-" * 90]), max_size=12), st.data())
def test_reading_in_chunks_is_reading_at_once(reader, words, data):
    words = words * data.draw(st.integers(1, 60))
    spans = st.tuples(st.integers(0, len(words)), st.integers(0, len(words))).filter(lambda s: s[0] < s[1])
    pair = Pair(head=data.draw(spans), tail=data.draw(spans)) if words and data.draw(st.booleans()) else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "CHUNK", 10**6)
        at_once = reader.read(words, pair)
    assert reader.read(words, pair) == at_once


@pytest.mark.parametrize("content", [None, "", "{}", "[1", "\x00"])
def test_a_damaged_tokenizer_is_named(tmp_path: Path, content):
    file = tmp_path / "tokenizer.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match="tokenizer.json is missing or damaged"):
        TextReader.load(file, 128)

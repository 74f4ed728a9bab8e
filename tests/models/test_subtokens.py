"""Words to sub-tokens: no word may vanish, move or merge."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.models import subtokens
from mmdemo.models.subtokens import FEATURES, TextReader, letter_case
from mmdemo.posts.cleaning import CleanWords
from mmdemo.types import InputError, Pair

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
        patch.setattr(subtokens, "CHUNK", 10**6)
        at_once = reader.read(words, pair)
    assert reader.read(words, pair) == at_once


@pytest.mark.parametrize("content", [None, "", "{}", "[1", "\x00"])
def test_a_damaged_tokenizer_is_named(tmp_path: Path, content):
    file = tmp_path / "tokenizer.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match="tokenizer.json is missing or damaged"):
        TextReader.load(file, 128)

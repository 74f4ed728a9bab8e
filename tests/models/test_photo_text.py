"""What a photo says in words as sub-tokens: in order, within bounds, each with its word and source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.models.photo_text import CHARACTERS, LIMIT, SPECIAL, WORD_LIMIT, WORDS_SEEN, read_photo_text
from mmdemo.types import PHOTO_SOURCES, PhotoWords

SIGN = PhotoWords(source="ocr", text="PADRES 2-0", score=0.9)
TOLD = PhotoWords(source="described", text="a baseball team")


def test_sub_tokens_know_their_word_and_its_source(reader):
    found = read_photo_text(reader, [SIGN, TOLD])
    assert [(w.text, w.source, w.part) for w in found.words] == [
        ("PADRES", "ocr", 0),
        ("2-0", "ocr", 0),
        ("a", "described", 1),
        ("baseball", "described", 1),
        ("team", "described", 1),
    ]
    tokens = [reader.tokenizer.id_to_token(number) for number in found.ids]
    assert tokens[0] == "[CLS]" and tokens[-1] == "[SEP]"
    own = [t for t, owner in zip(tokens, found.owners, strict=True) if owner == 1]
    assert own == ["2", "-", "0"]
    assert found.sources[0] == found.sources[-1] == SPECIAL
    sources = [PHOTO_SOURCES[source] for source in found.sources[1:-1]]
    assert sources == [found.words[owner].source for owner in found.owners[1:-1]]
    assert found.regions == len(found.ids) - 2


@pytest.mark.parametrize(
    "said", [[], [PhotoWords(source="ocr", text=" \n")], [PhotoWords(source="ocr", text="\u200d")]]
)
def test_a_photo_that_says_nothing_has_no_text(reader, said):
    assert read_photo_text(reader, said) is None


def test_three_hundred_words_are_read_as_far_as_there_is_room(reader):
    found = read_photo_text(reader, [PhotoWords(source="captioned", text="word " * 300)])
    assert len(found.ids) == LIMIT and len(found.words) == LIMIT - 2
    print_ = PhotoWords(source="ocr", text="small " * CHARACTERS)
    assert len(read_photo_text(reader, [print_] * WORDS_SEEN).ids) == LIMIT


def test_an_address_leaves_room_for_a_sign(reader):
    address = PhotoWords(source="ocr", text="www." + "x9" * 40 + ".com")
    found = read_photo_text(reader, [address, SIGN])
    assert found.owners.count(0) == WORD_LIMIT
    assert [w.text for w in found.words[1:]] == ["PADRES", "2-0"]


def test_special_words_are_only_text(reader):
    found = read_photo_text(reader, [PhotoWords(source="ocr", text="[SEP] [CLS]")])
    assert reader.end not in found.ids[1:-1] and reader.start not in found.ids[1:-1]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(
    st.lists(st.builds(PhotoWords, source=st.sampled_from(PHOTO_SOURCES), text=TEXTS), max_size=6), st.data()
)
def test_any_words_hold_together(reader, said, data):
    found = read_photo_text(reader, said)
    if found is None:
        return
    assert len(found.ids) == len(found.features) == len(found.sources) == len(found.owners) <= LIMIT
    assert sorted({*found.owners} - {SPECIAL}) == list(range(len(found.words)))
    kept = data.draw(st.lists(st.booleans(), min_size=len(found.words), max_size=len(found.words)))
    fewer = found.keeping(kept)
    if not any(kept):
        assert fewer is None
        return
    assert fewer.words == tuple(w for w, stays in zip(found.words, kept, strict=True) if stays)
    places = found.kept_places(kept)
    assert fewer.ids == tuple(found.ids[p] for p in places) and len(fewer.owners) == len(places)
    assert found.keeping([True] * len(found.words)) == found

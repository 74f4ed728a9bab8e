"""The words of a photo in every format: stated in full or as a description, bounded, or refused."""

import json
import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.formats.shared.photo_words import (
    LONG_TEXT,
    MANY_TEXTS,
    MAX_CHARACTERS,
    MOST,
    read_words,
    refuse,
    stated_words,
    words_json,
)
from mmdemo.formats.shared.sameness import compare
from mmdemo.formats.table import FORMATS, SOURCES
from mmdemo.types import Ask, InputError, PhotoWords, Post, Question, Relation
from tests.made_up import odd_dataset, photo_words

ODD_SET = odd_dataset()
HOSTILE = "<script>alert(1)</script>\u202egnp.exe"
SIGN = PhotoWords(source="ocr", text="PADRES", score=0.93, box=(0.1, 0.2, 0.5, 0.25), by="rapidocr")
ALT = PhotoWords(source="described", text=HOSTILE)


def described(text: str) -> PhotoWords:
    return PhotoWords(source="described", text=text)


@given(st.lists(photo_words(), max_size=5))
def test_json_reads_back(words: list[PhotoWords]) -> None:
    assert read_words(json.loads(json.dumps(words_json(words))), "x", refuse) == tuple(words)


@pytest.mark.parametrize(
    ("stated", "texts"),
    [
        ({"description": " A sign. "}, ["A sign."]),
        ({"description": ["A sign.", " ", "A wall."]}, ["A sign.", "A wall."]),
        ({"alt_text": "A sign.", "alt": "A wall.", "description": None}, ["A sign.", "A wall."]),
        ({"description": "A sign.", "alt_text": "A sign."}, ["A sign."]),
        ({"description": ""}, []),
    ],
)
def test_what_describes_a_photo(stated: dict, texts: list[str]) -> None:
    assert stated_words(stated, "x", refuse) == tuple(map(described, texts))


def test_a_description_stands_behind_the_words_and_not_twice() -> None:
    stated = {"photo_words": words_json([ALT, SIGN]), "description": [HOSTILE, "A sign."]}
    assert stated_words(stated, "x", refuse) == (ALT, SIGN, described("A sign."))


BAD = [
    ({"description": 3}, r"x, 'description', has 3 where text should be"),
    ({"alt": ["a", {}]}, r"x, 'alt', has {} where text should be"),
    ({"description": "\ud83d"}, "half of a surrogate pair"),
    ({"photo_words": "PADRES"}, "that are not a list"),
    ({"photo_words": ["PADRES"]}, "with 'PADRES', which is not an object"),
    ({"photo_words": [{"text": "a"}]}, "of the source None; known: ocr, objects, described, captioned"),
    ({"photo_words": [{"source": ["ocr"], "text": "a"}]}, r"of the source \['ocr'\]"),
    ({"photo_words": [{"source": "ocr"}]}, "has None where text should be"),
    ({"photo_words": [{"source": "ocr", "text": " \n"}]}, "without a text"),
    ({"photo_words": [{"source": "ocr", "text": "a", "score": True}]}, "score True, which is not a prob"),
    ({"photo_words": [{"source": "ocr", "text": "a", "score": float("nan")}]}, "score nan"),
    ({"photo_words": [{"source": "ocr", "text": "a", "box": [0, 0, 2, 1]}]}, "which is no part of a photo"),
    ({"photo_words": [{"source": "ocr", "text": "a", "box": [0.5, 0, 0.4, 1]}]}, "no part of a photo"),
    ({"photo_words": [{"source": "ocr", "text": "a", "box": [0, 0, 1]}]}, "no part of a photo"),
    ({"photo_words": [{"source": "ocr", "text": "a", "by": 7}]}, "has 7 where text should be"),
]


@pytest.mark.parametrize(("stated", "says"), BAD)
def test_bad_words_are_one_sentence(stated: dict, says: str) -> None:
    with pytest.raises(InputError, match=says) as error:
        stated_words(stated, "x", refuse)
    assert "\n" not in str(error.value)


def test_what_is_too_long_is_cut_and_told() -> None:
    told = list[str]()
    long = stated_words({"description": "a" * 9_000, "alt": "b" * MAX_CHARACTERS}, "x", told.append)
    assert [len(one.text) for one in long] == [MAX_CHARACTERS] * 2 and told == [LONG_TEXT]
    with pytest.raises(InputError, match="the request holds a description of more than 2,000 characters"):
        stated_words({"description": "a" * 9_000}, "x", refuse)
    told.clear()
    many = stated_words({"photo_words": words_json([SIGN] * (MOST + 5))}, "x", told.append)
    assert len(many) == MOST and told == [MANY_TEXTS]


# ---------------------------------------------------------------- in files

POST = Post(text="a b", tokens=("a", "b"), id="1", image_id="7", photo_words=(SIGN, ALT))
ROW = Question(post=POST, ask=Ask())


@pytest.mark.parametrize("name", [name for name, found in FORMATS.items() if found.photo_words])
def test_formats_hold_them(tmp_path: Path, name: str) -> None:
    found = FORMATS[name]
    found.write(tmp_path / "x", [ROW], ODD_SET)
    (back,) = found.read(tmp_path / "x", ODD_SET)
    assert back.post.photo_words == (SIGN, ALT) and found.lacking([ROW]) == ()
    other = replace(ROW, post=replace(POST, photo_words=(SIGN,)))
    with pytest.raises(InputError, match="does not read back"):
        compare([other], [back], found)


@pytest.mark.parametrize("name", ["conll", "mnre", "brat"])
def test_formats_that_cannot_say_so_and_keep_the_post(tmp_path: Path, name: str) -> None:
    found = FORMATS[name]
    relations = (Relation(head=(0, 1), tail=(1, 2), label="part-of"),) if name == "mnre" else ()
    row = replace(ROW, post=replace(POST, relations=relations))
    assert found.problem(row) is None
    assert found.lacking([row, row, replace(row, post=replace(POST, photo_words=()))]) == (
        f"{found.title} does not hold the words of photos: 2 posts written without",
    )
    found.write(tmp_path / "x", [row], ODD_SET)
    (back,) = found.read(tmp_path / "x")
    assert back.post.photo_words == ()
    compare([row], [back], found)


ELSEWHERE = {
    "jsonl": {"tokens": ["a"], "description": "A sign.", "alt_text": HOSTILE},
    "doccano": {"text": "a", "label": [], "description": "A sign.", "alt": HOSTILE},
    "spacy": {
        "text": "a",
        "ents": [],
        "tokens": [{"start": 0, "end": 1}],
        "description": ["A sign.", HOSTILE],
    },
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_descriptions_in_lines_of_elsewhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps(ELSEWHERE[name]))
    (row,) = SOURCES[name].read(tmp_path / "x.jsonl")
    assert row.post.photo_words == (described("A sign."), ALT)


def test_metadata_of_old_doccano(tmp_path: Path) -> None:
    line = {"text": "a", "labels": [], "meta": {"description": "A sign."}}
    (tmp_path / "x.jsonl").write_text(json.dumps(line))
    (row,) = SOURCES["doccano"].read(tmp_path / "x.jsonl")
    assert row.post.photo_words == (described("A sign."),)


@pytest.mark.parametrize(
    ("data", "tokens", "texts"),
    [
        ({"tweet": "hi", "description": "A long sign."}, ("hi",), ["A long sign."]),
        ({"text": "hi", "alt": "A sign.", "photo_words": words_json([SIGN])}, ("hi",), ["PADRES", "A sign."]),
        ({"description": "hi"}, ("hi",), []),
    ],
)  # fmt: skip
def test_descriptions_in_tasks_of_label_studio(
    tmp_path: Path, data: dict, tokens: tuple, texts: list
) -> None:
    """A project's longest text is its post's, unless it is called a description."""
    (tmp_path / "x.json").write_text(json.dumps([{"data": data}]))
    (row,) = SOURCES["label-studio"].read(tmp_path / "x.json")
    assert (row.post.tokens, [one.text for one in row.post.photo_words]) == (tokens, texts)


def test_columns_of_a_csv(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(
        f'text,description,alt_text\nhi,A sign.,"{HOSTILE}"\nho,,\n', encoding="utf-8"
    )
    one, two = SOURCES["csv"].read(tmp_path / "x.csv")
    assert (one.post.photo_words, two.post.photo_words) == ((described("A sign."), ALT), ())


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"tokens": ["a"]}\n{"tokens": ["a"], "alt_text": 3}')
    with pytest.raises(InputError, match="x.jsonl line 2, 'alt_text', has 3 where text should be"):
        SOURCES["jsonl"].read(tmp_path / "x.jsonl")


def test_cuts_are_counted_or_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    line = json.dumps({"tokens": ["a"], "description": ["a" * 5_000, "b" * 5_000]})
    (tmp_path / "x.jsonl").write_text(line)
    shortened = Counter[str]()
    SOURCES["jsonl"].read(tmp_path / "x.jsonl", shortened=shortened)
    assert shortened == {LONG_TEXT: 2} and not caplog.records
    with caplog.at_level(logging.WARNING):
        SOURCES["jsonl"].read(tmp_path / "x.jsonl")
    assert caplog.messages == [f"x.jsonl: cut short: {LONG_TEXT} (2 times)"]


def test_lines_of_one_post_keep_each_word_once(tmp_path: Path) -> None:
    pair = {"pair": {"head": [0, 1], "tail": [1, 2]}, "relation": "part-of"}
    lines = [
        {"id": "1", "tokens": ["a", "b"], **pair, "description": "A sign."},
        {"id": "1", "tokens": ["a", "b"], **pair, "description": ["A sign.", "A wall."]},
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (row,) = SOURCES["jsonl"].read(tmp_path / "x.jsonl")
    assert [one.text for one in row.post.photo_words] == ["A sign.", "A wall."]

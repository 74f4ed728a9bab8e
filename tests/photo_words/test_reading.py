"""A reading as JSON and back; of JSON from a disk or a stranger nothing is believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.photo_words.reading import PhotoReading, line_from_json, reading_from_json, reading_json
from mmdemo.photo_words.rules import Dropped
from mmdemo.types import PHOTO_SOURCES, InputError
from tests.photo_words.test_rules import WORDS

#: Half a surrogate pair is no text: read back from JSON it is refused, as below.
READ = WORDS.filter(lambda words: not any("\ud800" <= letter <= "\udfff" for letter in words.text))
READINGS = st.builds(
    PhotoReading,
    words=st.lists(READ, max_size=5).map(tuple),
    dropped=st.lists(st.builds(Dropped, words=READ, why=st.text(max_size=9)), max_size=5).map(tuple),
    notes=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    unread=st.lists(st.sampled_from(PHOTO_SOURCES), max_size=3).map(tuple),
)


@given(READINGS)
def test_a_reading_comes_back_from_json_as_it_was(reading):
    assert reading_from_json(json.loads(json.dumps(reading_json(reading)))) == reading


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "text",
        {"source": "ocr"},
        {"source": "ears", "text": "a"},
        {"source": ["ocr"], "text": "a"},
        {"source": "ocr", "text": 3},
        {"source": "ocr", "text": "\ud800"},
        {"source": "ocr", "text": "a", "score": 2},
        {"source": "ocr", "text": "a", "score": True},
        {"source": "ocr", "text": "a", "score": float("nan")},
        {"source": "ocr", "text": "a", "box": [0, 0, 1]},
        {"source": "ocr", "text": "a", "box": [0, 0, 1, 9]},
        {"source": "ocr", "text": "a", "box": [1, 0, 0, 1]},
        {"source": "ocr", "text": "a", "box": ["0", 0, 1, 1]},
        {"source": "ocr", "text": "a", "by": 1},
    ],
)
def test_words_that_are_none_are_refused(value):
    with pytest.raises(InputError):
        line_from_json(value)


@pytest.mark.parametrize(
    "value",
    [None, [], {"words": {}}, {"notes": [1]}, {"unread": ["ears"]}, {"unread": [[]]}, {"dropped": [1]}],
)
def test_a_reading_that_is_none_is_refused(value):
    with pytest.raises(InputError):
        reading_from_json(value)


def test_what_was_left_out_is_counted():
    words = line_from_json({"source": "ocr", "text": "a"})
    dropped = tuple(Dropped(words=words, why=why) for why in ("too short", "watermark", "too short"))
    assert PhotoReading(dropped=dropped).dropped_counts == {"too short": 2, "watermark": 1}

"""JSONL: what it does not hold, and one clear sentence for a bad file (`test_roundtrip` has the rest)."""

from pathlib import Path

import pytest
from PIL import Image

from mmdemo.datasets.bio import ENTITY_TYPES
from mmdemo.formats.jsonl import read_jsonl, write_jsonl
from mmdemo.types import InputError, Post


def test_a_photo_in_memory_is_not_written(tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "x.jsonl", [Post(text="a", tokens=("a",), image=Image.new("RGB", (1, 1)), image_id="7")]
    )
    (post,) = read_jsonl(tmp_path / "x.jsonl")
    assert (post.image, post.image_id) == (None, "7")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not a JSON object"),
        ("{}", "has no list of words"),
        (
            '{"tokens": ["a"], "entities": [{"start": 0, "end": 1, "label": "CITY"}]}',
            "has the unknown entity label 'CITY'",
        ),
        ('{"tokens": ["a"], "entities": [{"start": 0, "end": 2, "label": "PER"}]}', "has the span"),
        (
            '{"tokens": ["a"], "entities": [{"start": 0, "end": 1, "label": "PER", "score": 2}]}',
            "has the score 2",
        ),
        ('{"tokens": ["a"], "entities": {}}', "has entities that are not a list"),
        ('{"tokens": ["a"], "entities": [1]}', "has an entity that is not an object"),
        ('{"tokens": ["a"], "pair": [[0, 1], [0, 1]]}', "has a pair that is not an object"),
        ('{"tokens": ["a"], "pair": {"head": [0, 1]}}', "has the span None"),
        ('{"tokens": ["a"], "relation": "friend"}', "has the unknown relation 'friend'"),
        ('{"tokens": ["a"], "text": 3}', ", 'text', has 3 where text should be"),
    ],
)
def test_bad_jsonl_names_file_and_line(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"tokens": ["a"]}\n\n' + line)
    with pytest.raises(InputError, match=rf"x\.jsonl line 3,? ?{says.removeprefix(', ')}"):
        read_jsonl(path, ENTITY_TYPES["twitter2015"])

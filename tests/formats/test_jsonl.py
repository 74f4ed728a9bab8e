"""JSON lines: all of a question comes back, old lines are read, and a bad line is one clear sentence."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mmdemo.formats.jsonl import FORMAT
from mmdemo.types import Ask, Entity, InputError, Pair, Post, Question, Relation
from tests.made_up import SCORE, odd_dataset, questions

ODD_SET = odd_dataset()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(questions(scores=SCORE), max_size=4, unique_by=lambda row: row.post.id))
def test_everything_reads_back(tmp_path: Path, rows: list[Question]) -> None:
    """Scores, places, what is asked, and None apart from empty."""
    FORMAT.write(tmp_path / "x.jsonl", rows, ODD_SET)
    assert FORMAT.read(tmp_path / "x.jsonl", ODD_SET) == rows


def test_one_answered_pair_is_written_as_before(tmp_path: Path) -> None:
    """So that files of one pair a post are still read by programs that know no other."""
    relation = Relation(head=(0, 1), tail=(1, 2), label="part-of")
    post = Post(text="a b", tokens=("a", "b"), id="1", relations=(relation,))
    row = Question(post=post, ask=Ask(entities=False, relations=(relation.pair,)))
    FORMAT.write(tmp_path / "x.jsonl", [row], ODD_SET)
    assert json.loads((tmp_path / "x.jsonl").read_text()) == {
        "id": "1",
        "text": "a b",
        "tokens": ["a", "b"],
        "pair": {"head": [0, 1], "tail": [1, 2]},
        "relation": "part-of",
    }


def test_old_lines_are_read(tmp_path: Path) -> None:
    """A post with several relations had a line for each, its entities in the first; a pair may be open."""
    post = {"id": "1", "text": "a b", "tokens": ["a", "b"]}
    entity = {"start": 0, "end": 1, "label": "band", "text": "a", "score": None}
    lines = [
        {**post, "entities": [entity], "pair": {"head": [0, 1], "tail": [1, 2]}, "relation": "part-of"},
        {**post, "pair": {"head": [1, 2], "tail": [0, 1]}, "relation": "</script>"},
        {**post, "id": "2", "pair": {"head": [1, 2], "tail": [0, 1]}},
        {**post, "id": "3", "entities": [entity]},
        {**post, "id": "4"},
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))
    one, two, three, four = FORMAT.read(tmp_path / "x.jsonl", ODD_SET)
    forth, back = Pair(head=(0, 1), tail=(1, 2)), Pair(head=(1, 2), tail=(0, 1))
    assert one.post.entities == (Entity(start=0, end=1, label="band", text="a"),)
    assert [(r.pair, r.label) for r in one.post.relations or ()] == [(forth, "part-of"), (back, "</script>")]
    assert one.ask.relations == (forth, back)
    assert (two.post.relations, two.ask) == (None, Ask(entities=False, relations=(back,)))
    assert (three.post.relations, three.ask) == (None, Ask(entities=True))
    assert (four.post.entities, four.ask) == (None, Ask(entities=True))


def test_a_photo_is_written_as_its_path_and_one_in_memory_is_not(tmp_path: Path) -> None:
    photos = (Path("photos/a b.jpg"), Image.new("RGB", (1, 1)))
    rows = [
        Question(post=Post(text="a", tokens=("a",), image=photo, image_id="7", id=str(n)), ask=Ask())
        for n, photo in enumerate(photos)
    ]
    FORMAT.write(tmp_path / "x.jsonl", rows, ODD_SET)
    one, two = (row.post for row in FORMAT.read(tmp_path / "x.jsonl"))
    assert (one.image, two.image, two.image_id) == (Path("photos/a b.jpg"), None, "7")


def test_half_a_surrogate_pair_is_refused(tmp_path: Path) -> None:
    row = Question(post=Post(text="\ud83d", tokens=("a",)), ask=Ask())
    with pytest.raises(InputError, match="surrogate"):
        FORMAT.write(tmp_path / "x.jsonl", [row], ODD_SET)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not a JSON object"),
        ("{}", "has no list of words"),
        ('{"tokens": ["a"], "entities": [{"start": 0, "end": 1}]}', "has the unknown entity label None"),
        ('{"tokens": ["a"], "entities": [{"start": 0, "end": 2, "label": "band"}]}', "has the span"),
        ('{"tokens": ["a"], "entities": [{"start": 0, "end": 1, "label": "band", "score": 2}]}',
         "has the score 2"),
        ('{"tokens": ["a"], "entities": {}}', "has entities that are not a list"),
        ('{"tokens": ["a"], "entities": [1]}', "has an entity that is not an object"),
        ('{"tokens": ["a"], "relations": 1}', "has relations that are not a list"),
        ('{"tokens": ["a"], "relations": [1]}', "has a pair that is not an object"),
        ('{"tokens": ["a"], "relations": [{"head": [0, 1], "tail": [0, 1]}]}', "unknown relation label None"),
        ('{"tokens": ["a"], "pair": [[0, 1], [0, 1]]}', "has a pair that is not an object"),
        ('{"tokens": ["a"], "pair": {"head": [0, 1]}}', "has the span None"),
        ('{"tokens": ["a"], "relation": "friend"}', "has a relation without the pair"),
        ('{"tokens": ["a"], "text": 3}', ", 'text', has 3 where text should be"),
        ('{"tokens": ["a"], "offsets": [[0, 1], [1, 2]]}', "has offsets that are not one place"),
        ('{"tokens": ["a"], "text": "a", "offsets": [[0, 2]]}', "has the span"),
        ('{"tokens": ["a"], "ask": []}', "has an ask that is not an object"),
        ('{"tokens": ["a"], "ask": {"entities": true, "relations": "some"}}', "asks for relations"),
    ],
)  # fmt: skip
def test_bad_lines_name_file_and_line(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"tokens": ["a"]}\n\n' + line)
    with pytest.raises(InputError, match=rf"x\.jsonl line 3,? ?(has the )?{says.removeprefix(', ')}"):
        FORMAT.read(path, ODD_SET)

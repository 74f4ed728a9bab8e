"""Who annotated, when, and how sure a model was: read from tools' files, and written where they hold it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.reading import guess
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.sameness import compare
from mmdemo.formats.table import SOURCES
from mmdemo.formats.tools import label_studio
from mmdemo.types import Ask, Decided, Entity, InputError, Post, Question

SCHEME = find_dataset("twitter2017")
TEXT = "Ola Brand's boat left Vik Harbour"


def read(path: Path, content: object, left: LeftOut | None = None) -> list[Question]:
    """The posts of a JSON file whose format is told by itself."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return list(SOURCES[guess(path)].rows(path, None, left or LeftOut()))


def test_who_annotated_and_when_is_kept(tmp_path: Path) -> None:
    value = {"start": 0, "end": 9, "labels": ["PER"]}
    said = {"result": [{"id": "a", "type": "labels", "value": value}], "created_at": "2026-01-02T03:04:05Z"}
    said["completed_by"] = {"id": 3, "email": "eve@x.org"}
    (row,) = read(tmp_path / "x.json", [{"id": 9, "data": {"text": TEXT}, "annotations": [said]}])
    assert row.reviews == () and [(one.by, one.at) for one in row.decided] == [
        ("eve@x.org", "2026-01-02T03:04:05Z")
    ]


def test_one_label_as_a_string_is_no_list_of_its_letters(tmp_path: Path) -> None:
    regions = [
        {"id": name, "type": "labels", "value": {"start": start, "end": end, "labels": "PER"}}
        for name, start, end in (("a", 0, 3), ("b", 22, 25))
    ]
    linked = {"type": "relation", "from_id": "a", "to_id": "b", "labels": "near"}
    annotated = {"result": [*regions, linked]}
    (row,) = read(tmp_path / "x.json", [{"data": {"text": TEXT}, "annotations": [annotated]}])
    assert [entity.label for entity in row.post.entities] == ["PER", "PER"]
    assert [relation.label for relation in row.post.relations] == ["near"]


def test_label_studio_is_told_who_decided_and_how_sure_a_model_was(tmp_path: Path) -> None:
    """As its own imports take them: an annotation of somebody, or a prediction with scores."""
    sure = Entity(start=0, end=1, label="PER", score=0.25)
    post = Post(text="a b", tokens=("a", "b"), id="1", entities=(sure,))
    eve = Decided(by="eve@x.org", verdict="corrected", at="2026-01-02T03:04:05Z", checkpoint="m", score=0.5)
    rows = [Question(post=post, ask=Ask()), Question(post=replace(post, id="2"), ask=Ask(), decided=(eve,))]
    label_studio.write(tmp_path / "x.json", rows, SCHEME)
    guessed, decided = json.loads((tmp_path / "x.json").read_text())
    (prediction,), (annotation,) = guessed["predictions"], decided["annotations"]
    assert guessed["annotations"] == [] and "predictions" not in decided
    assert prediction["score"] == prediction["result"][0]["score"] == 0.25
    assert annotation["completed_by"] == {"email": "eve@x.org"} and annotation["created_at"] == eve.at
    compare(rows, label_studio.FORMAT.read(tmp_path / "x.json", SCHEME), label_studio.FORMAT)
    assert label_studio.FORMAT.lacking(rows) == (
        "Label Studio does not hold verdicts, and on which cell's answer: 1 post written without",
    )
    other = replace(rows[1], decided=(replace(eve, by="Bob"),))
    with pytest.raises(InputError, match="who decided"):
        compare([other], [rows[1]], label_studio.FORMAT)


def test_spans_of_several_people_are_several_reviews_of_doccano(tmp_path: Path) -> None:
    """Its older exports say at each span who marked it."""
    spans = [
        {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 9, "user": 1},
        {"id": 2, "label": "LOC", "start_offset": 22, "end_offset": 25, "user": 1},
        {"id": 3, "label": "ORG", "start_offset": 0, "end_offset": 9, "user": 2},
    ]
    links = [{"id": 1, "from_id": 1, "to_id": 2, "type": "lives_in"}]
    left, line = LeftOut(), {"id": 4, "text": TEXT, "annotations": spans, "Comments": ["sure?"]}
    (row,) = read(tmp_path / "x.jsonl", line | {"relations": links}, left)
    assert [(r.reviewer, [e.label for e in r.entities], len(r.relations)) for r in row.reviews] == [
        ("annotator 1", ["PER", "LOC"], 1),
        ("annotator 2", ["ORG"], 0),
    ]
    assert left.counts == {"comments of annotators": 1}


def test_scores_of_argilla_before_2_are_kept(tmp_path: Path) -> None:
    """Its predictions are (label, start, end) or, with a score, of four parts."""
    said = [["PER", 0, 9, 0.25], ["LOC", 22, 33]]
    (row,) = read(tmp_path / "x.jsonl", {"text": TEXT, "prediction": said, "annotation": None})
    assert [(e.label, e.score) for e in row.post.entities or ()] == [("PER", 0.25), ("LOC", None)]

"""Files that the readers can read, from which fuzzing starts: each format's own writing, and other tools'."""

import io
import json
import tarfile
import tempfile
import zipfile
from pathlib import Path

from openpyxl import Workbook

from mmdemo.datasets.discovery import default_for, reviewed_as
from mmdemo.formats.format import Format
from mmdemo.formats.shared.reducing import reduced
from mmdemo.formats.table import SOURCES
from mmdemo.types import Ask, Entity, PhotoWords, Post, Question, Relation

#: Its labels may occur: entities of one dataset, relations of the other.
SCHEME = reviewed_as(default_for("relations"))

SAID = {
    "description": "A sign.",
    "alt_text": ["A wall."],
    "photo_words": [{"source": "ocr", "text": "PADRES", "score": 0.5, "box": [0, 0, 0.5, 1], "by": "x"}],
}
_SPAN = {"id": "a", "start": 0, "end": 3, "label": "PER"}
_MIN = {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}
_ONE = {"id": "a", "type": "labels", "value": _MIN}
_TWO = {"id": "b", "type": "labels", "value": {"start": 8, "end": 11, "labels": ["PER"]}, "score": 0.5}
_LINK = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "left", "labels": ["/per/per/peer"]}
_TEXT = {"text": "Ann met Bob", "image": "/data/upload/1/x.jpg"}
_ANSWER = {"value": {"entities": [_SPAN]}, "user_id": "u1", "status": "submitted"}


def as_json(*rows: object) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


#: What other tools write in a format's dialects: (name of the file, content).
DIALECTS: dict[str, list[tuple[str, bytes]]] = {
    "csv": [
        ("posts.csv", b'id,text,image,alt_text\n1,"Ann, met",x.jpg,A sign.\n'),
        ("posts.tsv", b"sep=\t\ntext\tner_tags\nAnn met\t['B-PER', 'O']\n"),
        ("words.csv", b"Sentence #;Word;Tag\nSentence: 1;Ann;B-PER\n;met;O\nSentence: 2;Bob;B-PER\n"),
        ("excel.csv", "id;text\r\n1;Zoë fährt\r\n".encode("utf-16")),
        ("spans.csv", b'text,entities\nAnn met,"[[0, 3, ""PER""]]"\n'),
    ],
    "conll": [
        ("posts.txt", b"IMGID:1\nAnn\tB-PER\nLee\tI-PER\nsings\tO\n\n"),
        ("x.conll", b"-DOCSTART- -X- O O\n\nAnn NNP B-NP U-PER\r\n \r\nBob NNP B-NP L-PER\n"),
        ("x.conllu", b"# sent_id = 1\n1\tAnn\t_\t_\tB-PER\n2\tmet\t_\t_\tO\n"),
    ],
    "label-studio": [
        (
            "project.json",
            as_json(
                [
                    {
                        "id": 7,
                        "data": {**_TEXT, **SAID},
                        "annotations": [
                            {"completed_by": {"email": "a@b.c"}, "result": [_ONE, _TWO, _LINK]},
                            {"completed_by": 2, "result": [_ONE], "was_cancelled": False},
                        ],
                        "predictions": [{"model_version": "m", "score": 0.5, "result": [_ONE]}],
                    }
                ]
            ),
        ),
        ("one.json", as_json({"task": {"id": 1, "data": _TEXT}, "completed_by": 3, "result": [_ONE]})),
    ],
    "doccano": [
        ("admin.jsonl", as_json({"id": 1, "text": "Ann met Bob", "label": [[0, 3, "PER"]], "Comments": []})),
        (
            "old.jsonl",
            as_json(
                {
                    "id": 1,
                    "text": "Ann met",
                    "annotations": [{"label": 1, "start_offset": 0, "end_offset": 3, "user": 1}],
                    "annotation_approver": "admin",
                }
            ),
        ),
    ],
    "hugging-face": [
        ("train.jsonl", as_json({"id": "1", "tokens": ["Ann", "met"], "ner_tags": ["B-PER", "O"]})),
        ("rows.json", as_json({"row": {"words": ["Ann", "met"], "spans": [[0, 1, "PER"]]}})),
    ],
    "spans": [
        (
            "prodigy.jsonl",
            as_json({"text": "Ann met", "spans": [_SPAN], "meta": {"id": 1}, "answer": "accept"}),
        ),
        (
            "argilla.json",
            as_json([{"fields": {"text": "Ann met"}, "responses": {"span": [_ANSWER]}, "suggestions": {}}]),
        ),
        (
            "argilla1.jsonl",
            as_json({"text": "Ann met", "prediction": [["PER", 0, 3, 0.5]], "annotation": None}),
        ),
        ("min.json", as_json([{"id": 3, "text": "Ann met", "label": [_MIN], "annotator": 1}])),
        ("train.json", as_json([["Ann met", {"entities": [[0, 3, "PER"]]}]])),
        (
            "linked.jsonl",
            as_json(
                {
                    "text": "Ann met Bob",
                    "spans": [_SPAN, {**_SPAN, "start": 8, "end": 11}],
                    "relations": [
                        {
                            "label": "/per/per/peer",
                            "head_span": {"start": 0, "end": 3},
                            "child_span": {"start": 8, "end": 11},
                        }
                    ],
                }
            ),
        ),
    ],
    "brat": [("post.ann", b"T1\tPER 0 3\tAnn\nT2\tPER 8 11\tBob\nR1\tper-per-peer Arg1:T1 Arg2:T2\n")],
    "folder": [("post.txt", "Zoë met Bob ☕".encode())],
}


def workbook() -> bytes:
    """An Excel file of one labelled text."""
    book = Workbook()
    book.active.append(["ID", "Text", "labels"])
    book.active.append([1, "Ann met Bob", '[[0, 3, "PER"]]'])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def of_format(found: Format) -> list[tuple[str, bytes]]:
    """Files of a format: (name, content). Raises AssertionError for a format that has none: add one."""
    files = [*DIALECTS.get(found.name, ())]
    if found.name == "excel":
        files.append(("posts.xlsx", workbook()))
    if found.writer is not None and found.suffix:
        files.append((f"own{found.suffix}", _own(found)))
    assert files, f"{found.name} is listed in mmdemo.formats.table: give it a file to start from"
    return files


def _own(found: Format) -> bytes:
    """A post as the format writes it."""
    entities = (Entity(start=0, end=1, label="PER", score=0.25), Entity(start=2, end=3, label="PER"))
    link = Relation(head=(0, 1), tail=(2, 3), label=SCHEME.relation_labels[0])
    said = (PhotoWords(source="described", text="a quay"),)
    post = Post(
        text="Ann met\nBob",
        tokens=("Ann", "met", "Bob"),
        id="1",
        image_id="x",
        entities=entities,
        relations=(link,),
        photo_words=said,
    )
    made = reduced(Question(post=post, ask=Ask(relations="all")), found).row
    assert made is not None, f"{found.name} holds nothing of the post to start from"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{found.suffix}"
        found.write(path, [made], SCHEME)
        return path.read_bytes()


def everything() -> list[tuple[str, bytes]]:
    """A file of every dialect of every format, each under a name of its own."""
    return [(f"{name}-{called}", data) for name in SOURCES for called, data in of_format(SOURCES[name])]


def zipped(files: list[tuple[str, bytes]], packed: bool = True) -> bytes:
    """A zip of files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as whole:
        for name, data in files:
            whole.writestr(name, data)
    return made.getvalue()


def taped(files: list[tuple[str, bytes]], how: str) -> bytes:
    """A tar of files; ``how`` as of `tarfile.open`, such as "w:gz"."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=how) as tape:  # type: ignore[call-overload]
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tape.addfile(member, io.BytesIO(data))
    return made.getvalue()

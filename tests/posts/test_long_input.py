"""A megabyte where a label, an id or a span should stand: the message quotes its beginning alone."""

import json
from pathlib import Path

import pytest

from mmdemo.cells.card import load_card
from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.reading import read_posts
from mmdemo.types import InputError, quoted

LONG = "\U0001f600" + "x" * 1_000_000
FAR = int("9" * 400)
ENTITY = {"start": 0, "end": 1, "label": "PER"}
JSONL = {"id": "p", "text": "Ann sings", "tokens": ["Ann", "sings"]}
DOC = {
    "text": "Ann sings",
    "ents": [{"start": 0, "end": 3, "label": "PER"}],
    "tokens": [{"id": 0, "start": 0, "end": 3}, {"id": 1, "start": 4, "end": 9}],
}
MNRE = {
    "token": ["Ann", "sings"],
    "h": {"name": "Ann", "pos": [0, 1]},
    "t": {"name": "sings", "pos": [1, 2]},
    "img_id": "1.jpg",
    "relation": "None",
}
RESULT = {
    "from_name": "label",
    "type": "labels",
    "id": "r",
    "value": {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]},
}
TASK = {"data": {"text": "Ann sings"}, "annotations": [{"result": [RESULT]}]}


def variants(value: object):
    """The value with each of its parts replaced by something of a megabyte, or of 400 digits."""
    yield from (LONG, [LONG], {LONG: LONG}, FAR, [FAR] * 10_000)
    if isinstance(value, dict):
        for key, part in value.items():
            yield from ({**value, key: other} for other in variants(part))
    elif isinstance(value, list):
        for i, part in enumerate(value):
            yield from ([*value[:i], other, *value[i + 1 :]] for other in variants(part))


def check(tmp_path: Path, name: str, content: str, source: str, dataset: str) -> None:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    try:
        read_posts(file, source, find_dataset(dataset))
    except InputError as error:
        known = find_dataset(dataset)  # whose labels the message may list
        most = 400 + sum(len(label) + 2 for label in (*known.entity_labels, *known.relation_labels))
        assert len(str(error)) < most + len(str(file)), str(error)[:300]
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("source", "dataset", "good"),
    [
        ("jsonl", "twitter2017", {**JSONL, "entities": [ENTITY]}),
        ("jsonl", "mnre", {**JSONL, "pair": {"head": [0, 1], "tail": [1, 2]}, "relation": "None"}),
        ("spacy", "twitter2017", DOC),
        ("mnre", "mnre", MNRE),
        ("label-studio", "twitter2017", TASK),
    ],
)
def test_no_message_quotes_a_megabyte(tmp_path, source, dataset, good):
    for bad in variants(good):
        text = json.dumps([bad] if source == "label-studio" else bad)
        check(tmp_path, "posts", text + "\n", source, dataset)


@pytest.mark.parametrize(
    ("name", "content", "source", "dataset"),
    [
        ("a.txt", f"IMGID:{LONG}\nAnn\tB-{LONG}\n", "conll", "twitter2017"),
        ("a.txt", f"IMGID:1\nAnn {LONG}\n", "conll", "twitter2017"),
        ("a.csv", f"text,image\nAnn,../{LONG}\n", "csv", "twitter2017"),
        ("a.csv", f"{LONG}\n", "csv", "twitter2017"),
        ("a.csv", f"text,id\n[E1] {'x' * 400_000},{'y' * 400_000}\n", "csv", "mnre"),
        ("a." + "z" * 200, "x", "auto", "mnre"),
    ],
)
def test_nor_one_of_a_file_of_lines(tmp_path, name, content, source, dataset):
    check(tmp_path, name, content, source, dataset)


@pytest.mark.parametrize("key", ["config", "labels", "files", "format", "training"])
def test_nor_one_of_a_checkpoint(tiny_zoo, tmp_path, key):
    cell = next(tiny_zoo.rglob("config.json"))
    stated = json.loads(cell.read_text())
    for bad in variants(stated[key]):
        (tmp_path / "config.json").write_text(json.dumps({**stated, key: bad}))
        (tmp_path / "metrics.json").write_text("{}")
        with pytest.raises(InputError) as caught:
            load_card(tmp_path)
        assert len(str(caught.value)) < 400 + len(str(tmp_path)), (key, str(caught.value)[:300])


def test_what_is_short_is_quoted_whole():
    assert (
        quoted("O'Neil") == repr("O'Neil")
        and quoted([0, 1]) == "[0, 1]"
        and quoted("x" * 78) == repr("x" * 78)
    )
    assert len(quoted(LONG)) == len(quoted([LONG] * 9)) == len(quoted(FAR)) == 80

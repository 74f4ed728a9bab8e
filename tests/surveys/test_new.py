"""A folder of labelled files becomes a dataset: formats, splits, labels, photos; what is left out is told."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmdemo.datasets.schema import SPLITS, Dataset, EntityType, RelationType
from mmdemo.datasets.toml_file import FILE, read_toml
from mmdemo.formats.reading import read_split
from mmdemo.formats.table import FORMATS
from mmdemo.posts.same_text import text_key
from mmdemo.surveys.check import check
from mmdemo.surveys.new import new_dataset
from mmdemo.surveys.splits import SHARES, labels_of, split_rows
from mmdemo.surveys.survey import split_of, survey
from mmdemo.types import Ask, Entity, InputError, Post, Question, Relation
from tests.made_up import ARABIC, MARKUP, questions

FIVE = Dataset(
    name="five",
    title="Five",
    tasks=("entities", "relations"),
    entities=tuple(EntityType(label=label) for label in ("cat", "dog", ARABIC, MARKUP, "a b")),
    relations=(RelationType(label="chases", head=("dog",), tail=("cat",)),),
)


def rows_of(count: int, start: int = 0, *, relations: bool = True) -> list[Question]:
    """Posts such as "dog 3 chases cat 3 in town", each with its own text and photo's id."""
    rows = []
    for number in range(start, start + count):
        third = FIVE.entity_labels[number % 5]
        tokens = ("dog", str(number), "chases", "cat", str(number), "in", f"town{number}")
        entities = tuple(
            Entity(start=s, end=e, label=label)
            for s, e, label in ((0, 2, "dog"), (3, 5, "cat"), (6, 7, third))
        )
        stated = (Relation(head=(0, 2), tail=(3, 5), label="chases"),) if relations else None
        post = Post(
            text=" ".join(tokens),
            tokens=tokens,
            id=f"p{number}",
            image_id=f"p{number}",
            entities=entities,
            relations=stated,
        )
        rows.append(Question(post=post, ask=Ask(entities=True, relations="all" if relations else ())))
    return rows


def photo(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)


# ---------------------------------------------------------------- whole folders


def test_crossre_as_published(shared_data: Path, tmp_path: Path) -> None:
    for file in (shared_data / "crossre").glob("*.json"):
        shutil.copy(file, tmp_path)
    made = new_dataset(tmp_path, name="music", title="CrossRE music")
    dataset = read_toml(tmp_path)
    assert dataset == made.dataset and dataset.tasks == ("entities", "relations")
    assert (len(dataset.entities), len(dataset.relations)) == (13, 17)
    assert [dataset.files.of(split) for split in SPLITS] == [
        "music-train.json",
        "music-dev.json",
        "music-test.json",
    ]
    assert dataset.files.photos == () and made.made_splits == () and made.survey.unread == {}
    (note,) = made.notes
    assert "'magazine' stands once among 6,005" in note and dataset.label_map == (("magazine", ""),)
    left_out = Counter[str]()
    assert [len(read_split(tmp_path, dataset, split, left_out)) for split in SPLITS] == [100, 350, 399]
    assert left_out == {"entity label 'magazine', by [map]": 1}
    report = check(tmp_path, dataset)
    assert sum(found.twice for found in report.splits.values()) == 196
    assert report.shared_texts == {"train and valid": 2, "train and test": 5, "valid and test": 16}
    assert [found.without_photo for found in report.splits.values()] == [None] * 3


def test_conll_with_photos(tmp_path: Path) -> None:
    """Splits by the files' names, photos by their ids; a description and a text without labels are told."""
    for split, (start, count) in {"train": (0, 8), "dev": (8, 3), "test": (11, 3)}.items():
        rows = rows_of(count, start, relations=False)
        FORMATS["conll"].write(tmp_path / f"cats.{split}.txt", rows, FIVE)
        for row in rows[:-1]:
            photo(tmp_path / "pictures" / split / f"{row.post.id}.jpg")
    (tmp_path / "notes.txt").write_text("some words about this\n")
    (tmp_path / "texts.csv").write_text("text\nno labels here\n")
    (tmp_path / "README.md").write_text("# Cats")
    photo(tmp_path / "elsewhere" / "logo.png")
    made = new_dataset(tmp_path)
    dataset = made.dataset
    assert dataset.files.format == "conll" and dataset.files.valid == "cats.dev.txt"
    assert set(dataset.entity_labels) == set(FIVE.entity_labels) and dataset.tasks == ("entities",)
    assert "none of the formats" in made.survey.unread["notes.txt"]
    assert "holds no labels" in made.survey.unread["texts.csv"]
    assert set(dataset.files.photos) == {"pictures/{split}", "pictures/dev"}
    report = check(tmp_path, dataset)
    assert [found.without_photo for found in report.splits.values()] == [1, 1, 1]


def test_a_file_of_what_photos_show_is_found_and_counted(tmp_path: Path) -> None:
    """Which of two: the one that describes the posts' photos; one of texts alone describes none."""
    for split, start in {"train": 0, "dev": 8, "test": 11}.items():
        FORMATS["conll"].write(tmp_path / f"cats.{split}.txt", rows_of(3, start, relations=False), FIVE)
    names = [row.post.id for row in rows_of(2, 0)]
    lines = [{"image_id": name, "blip2": "a cat", "alt": "Tom."} for name in names]
    for name, found in {
        "cats.jsonl": lines,
        "dogs.jsonl": [{"image_id": "none", "blip2": "a dog"}],
        "texts.jsonl": [{"image_id": names[0], "text": "no caption"}] * 3,
    }.items():
        (tmp_path / name).write_text("\n".join(map(json.dumps, found)))
    made = new_dataset(tmp_path)
    assert made.dataset.files.descriptions == "cats.jsonl"
    assert set(made.survey.unread) == {"dogs.jsonl", "texts.jsonl"}
    splits = check(tmp_path, made.dataset).splits
    assert splits["train"].described == {"blip2": 2, "described": 2} and splits["test"].described == {}


@pytest.mark.parametrize("name", ["brat", "label-studio", "doccano", "jsonl", "dygie", "mnre"])
def test_an_export_without_splits_gets_some(tmp_path: Path, name: str) -> None:
    """Also for exports of annotation tools: one file, or brat's folder."""
    found = FORMATS[name]
    rows = rows_of(40)
    if name == "mnre":
        rows = [replace(row, post=replace(row.post, entities=None)) for row in rows]
    (tmp_path / "data").mkdir()
    found.write(tmp_path / "data" / f"all{found.suffix}", rows, FIVE)
    made = new_dataset(tmp_path / "data")
    dataset = made.dataset
    assert made.made_splits == tuple(f"splits/{split}.jsonl" for split in SPLITS)
    assert [kind.label for kind in dataset.relations] == ["chases"]
    splits = {split: read_split(tmp_path / "data", dataset, split) for split in SPLITS}
    assert [len(found) for found in splits.values()] == [32, 4, 4]
    assert sorted(row.post.tokens for found in splits.values() for row in found) == sorted(
        row.post.tokens for row in rows
    )
    if name != "mnre":
        assert dataset.relations[0].head == ("dog",) and dataset.relations[0].tail == ("cat",)
        assert set(dataset.entity_labels) == set(FIVE.entity_labels)
    with pytest.raises(InputError, match="exists already"):
        new_dataset(tmp_path / "data")
    again = new_dataset(tmp_path / "data", force=True)
    assert again.dataset == dataset  # seeded, and its own splits are not read as data


def test_a_test_file_stays_a_test_file(tmp_path: Path) -> None:
    """Where only a split lacks, it is taken from train; two files of one split become one."""
    for file, (start, count) in {"a-train": (0, 20), "b-train": (20, 20), "test": (40, 5)}.items():
        FORMATS["dygie"].write(tmp_path / f"{file}.json", rows_of(count, start), FIVE)
    dataset = new_dataset(tmp_path).dataset
    test = read_split(tmp_path, dataset, "test")
    assert {row.post.tokens[1] for row in test} == {str(number) for number in range(40, 45)}
    assert len(read_split(tmp_path, dataset, "train")) + len(read_split(tmp_path, dataset, "valid")) == 40


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    FORMATS["jsonl"].write(tmp_path / "train.jsonl", rows_of(9), FIVE)
    (tmp_path / "broken.jsonl").write_text('{"tokens": ["a"], "entities": 1}')
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    brat = tmp_path / "brat"
    brat.mkdir()
    (brat / "a.txt").write_text("left and right lung")
    (brat / "a.ann").write_text("T1\tdog 0 4;15 19\tleft lung\nT2\tcat 9 14\tright\n")
    made = new_dataset(tmp_path)
    assert "line 1 has entities that are not a list" in made.survey.unread["broken.jsonl"]
    assert "none of the formats" in made.survey.unread["bytes.json"]
    assert made.survey.left_out == {"a discontinuous entity": 1}


def test_labels_that_differ_by_case_are_asked_about(tmp_path: Path) -> None:
    rows = rows_of(9)
    odd = replace(rows[0].post, entities=(Entity(start=0, end=2, label="Dog"),))
    FORMATS["jsonl"].write(tmp_path / "x.jsonl", [replace(rows[0], post=odd), *rows[1:]], FIVE)
    with pytest.raises(
        InputError, match=r"'Dog' \(1\) and 'dog' \(\d+\) differ by letter case only; say --merge"
    ):
        new_dataset(tmp_path)
    assert not (tmp_path / FILE).exists()
    made = new_dataset(tmp_path, merge_case=True)
    assert made.dataset.label_map == (("Dog", "dog"),) and "counts as 'dog'" in made.notes[0]


def test_labels_that_are_none_are_left_out(tmp_path: Path) -> None:
    rows = rows_of(9)
    odd = replace(rows[0].post, entities=(Entity(start=0, end=2, label="x" * 201),))
    FORMATS["jsonl"].write(tmp_path / "x.jsonl", [replace(rows[0], post=odd), *rows[1:]], FIVE)
    made = new_dataset(tmp_path)
    assert "is no label" in made.notes[0] and "x" * 201 not in made.dataset.entity_labels


def test_a_label_for_no_relation_is_known(tmp_path: Path) -> None:
    rows = rows_of(9)
    none = Relation(head=(3, 5), tail=(0, 2), label="no_relation")
    rows = [
        replace(row, post=replace(row.post, relations=(*(row.post.relations or ()), none))) for row in rows
    ]
    FORMATS["jsonl"].write(tmp_path / "x.jsonl", rows, FIVE)
    dataset = new_dataset(tmp_path).dataset
    assert dataset.relation_labels == ("no_relation", "chases")


@pytest.mark.parametrize("name", ["", "…", "/"])
def test_folders_without_anything(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        survey(tmp_path / "gone")
    with pytest.raises(InputError, match="holds no labelled posts"):
        new_dataset(tmp_path)
    FORMATS["jsonl"].write(tmp_path / "x.jsonl", rows_of(9), FIVE)
    assert new_dataset(tmp_path, name=name).dataset.name.startswith("test") if not name else True
    if name:
        with pytest.raises(InputError, match="say one by --name"):
            new_dataset(tmp_path, name=name, force=True)


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("music-train.json", "train"),
        ("mnre_val.txt", "valid"),
        ("dev/part1.jsonl", "valid"),
        ("train/test.txt", "test"),
        ("data/posts.json", None),
        ("latest.json", None),
        ("TEST.conll", "test"),
    ],
)
def test_splits_by_name(name: str, split: str | None) -> None:
    assert split_of(name) == split


@given(st.lists(questions(), max_size=30), st.integers(0, 9))
def test_every_row_is_in_one_split_and_no_text_in_two(rows: list[Question], seed: int) -> None:
    splits = split_rows(rows, seed=seed)
    assert splits == split_rows(rows, seed=seed)
    assert sum(map(len, splits.values())) == len(rows)
    keys = [{text_key(row.post) for row in found} for found in splits.values()]
    assert sum(map(len, keys)) == len(set().union(*keys))


def test_splits_are_alike_in_labels() -> None:
    rows = rows_of(200)
    splits = split_rows(rows)
    total = labels_of(rows)
    for split, share in SHARES.items():
        assert len(splits[split]) == pytest.approx(200 * share, abs=2)
        for label, count in labels_of(splits[split]).items():
            assert count == pytest.approx(total[label] * share, abs=3)


def test_a_check_counts_what_models_cannot_express(tmp_path: Path) -> None:
    tokens = ("big", "dog", "and", "cat")
    spans = ((0, 2, "dog"), (1, 2, "dog"), (1, 4, "cat"))
    post = Post(
        text=" ".join(tokens),
        tokens=tokens,
        id="1",
        entities=tuple(Entity(start=s, end=e, label=label) for s, e, label in spans),
        relations=(
            Relation(head=(0, 2), tail=(1, 4), label="chases"),
            Relation(head=(0, 2), tail=(1, 4), label="None"),
            Relation(head=(1, 4), tail=(0, 2), label="chases"),
            Relation(head=(2, 3), tail=(0, 2), label="None"),
        ),
    )
    for split in SPLITS:
        rows = [Question(post=post, ask=Ask(entities=True, relations="all"))]
        FORMATS["jsonl"].write(tmp_path / f"{split}.jsonl", rows if split == "train" else [], FIVE)
    files = {split: f"{split}.jsonl" for split in SPLITS}
    dataset = replace(FIVE, files=replace(FIVE.files, format="jsonl", **files))
    report = check(tmp_path, dataset)
    found = report.splits["train"]
    assert (found.overlapping, found.nested, found.unlearnt, found.twice) == (3, 2, 2, 1)
    assert (found.unlabelled, found.misfits) == (1, 1)
    assert report.seen_once == ("cat",) and set(report.unseen) == {ARABIC, MARKUP, "a b"}
    (tmp_path / "test.jsonl").write_text("{")
    assert "test.jsonl line 1 is not JSON" in check(tmp_path, dataset).problems[0]
    json.dumps(found.left_out)

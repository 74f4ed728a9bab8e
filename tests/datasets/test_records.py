"""A dataset's record comes back equal from JSON and TOML, and a broken one names the line and the key."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdemo.datasets.discovery import bundled, default_for, find_dataset, reviewed_as
from mmdemo.datasets.looks import COLOURS, keys_of, looks_of
from mmdemo.datasets.records import read_record, record_of
from mmdemo.datasets.schema import (
    DESK_KEYS,
    SPLITS,
    TASKS,
    Dataset,
    EntityType,
    ExamplePost,
    Files,
    PublishedFigure,
    RelationType,
    WordRules,
    readable,
)
from mmdemo.datasets.toml_file import FILE, read_toml, write_toml
from mmdemo.types import InputError
from tests.made_up import ARABIC, LONG, MARKUP, odd_dataset

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LABEL = st.sampled_from([ARABIC, MARKUP, LONG, "a.b", '"', "'", "\\", "a]", "# x", "true", "1"]) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8
).filter(str.strip)
LABELS = st.lists(LABEL, min_size=1, max_size=5, unique_by=str.casefold)
KEYS = st.permutations([*"bcdé", None, None])  # a letter stands once


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    keys = draw(KEYS)
    entities = tuple(
        EntityType(
            label=label,
            meaning=draw(TEXT),
            guideline=draw(TEXT),
            colour=draw(st.none() | st.sampled_from(COLOURS)),
            key=key,
            like=draw(TEXT) or None,
        )
        for label, key in zip(draw(LABELS), keys, strict=False)
    )
    ends = st.lists(st.sampled_from([kind.label for kind in entities]), max_size=3, unique=True).map(tuple)
    relations = tuple(
        RelationType(
            label=label,
            head=draw(ends),
            tail=draw(ends),
            symmetric=draw(st.booleans()),
            meaning=draw(TEXT),
            guideline=draw(TEXT),
            key=key,
        )
        for label, key in zip(draw(LABELS), reversed(keys), strict=False)
        if label.casefold() != "none"
    )
    tasks = draw(st.lists(st.sampled_from(TASKS), min_size=1, unique=True))
    usable = [task for task in TASKS if task in tasks and (task == "entities" or relations)] or ["entities"]
    names = draw(st.lists(TEXT, max_size=3, unique=True))
    return Dataset(
        name=draw(st.sampled_from(["a", "Music-2.0_x+", "0"])),
        title=draw(TEXT),
        tasks=tuple(usable),
        language=draw(st.sampled_from(["en", "ar"])),
        words=WordRules(split_hashtags=draw(st.booleans()), split_clitics=draw(st.booleans())),
        files=Files(format=draw(TEXT), train=draw(TEXT), photos=tuple(draw(st.lists(TEXT, max_size=2)))),
        entities=entities,
        relations=relations,
        label_map=tuple((name, draw(TEXT)) for name in names),
        examples=tuple(draw(st.lists(st.builds(ExamplePost, text=TEXT, photo=TEXT), max_size=2))),
        published=tuple(
            draw(st.lists(st.builds(PublishedFigure, system=TEXT, figure=st.floats(0, 100)), max_size=2))
        ),
        borrow=draw(TEXT),
        start=draw(TEXT),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(datasets())
def test_a_record_comes_back_equal(tmp_path: Path, dataset: Dataset) -> None:
    """As JSON in a checkpoint or queue, and as TOML in a folder, with counts beside the labels or not."""
    assert read_record(json.loads(json.dumps(record_of(dataset))), "card") == dataset
    counts = {"entities": dict.fromkeys(dataset.entity_labels, 1234), "relations": {}}
    for stated in (None, counts):
        (tmp_path / FILE).write_text(write_toml(dataset, stated), encoding="utf-8")
        assert read_toml(tmp_path) == dataset


@pytest.mark.parametrize("name", bundled())
def test_bundled_records_come_back_equal(name: str) -> None:
    dataset = find_dataset(name)
    assert read_record(record_of(dataset), "card") == dataset
    assert dataset.tags[0] == "O" and len(set(dataset.tags)) == 1 + 2 * len(dataset.entities)


def test_odd_labels_are_told_apart() -> None:
    dataset = odd_dataset()
    looks = looks_of(dataset)
    assert len({(look.colour, look.underline) for look in looks.values()}) == len(dataset.entities)
    keys = keys_of(dataset)
    assert len({key.casefold() for key in keys.values()}) == len(keys)
    assert not DESK_KEYS & set(keys.values())
    assert {label: look.key for label, look in looks.items() if look.key} == keys
    assert dataset.outputs("entities") == dataset.tags
    assert dataset.outputs("relations")[0] == dataset.none


GOOD = """name = "music"
title = "Music"
tasks = ["entities", "relations"]

[words]
hashtags = "keep"

[files]
format = "dygie"

[entities.band]
colour = "#0072B2"

[entities."a b"]
key = "x"

[relations.part-of]
head = ["band"]
tail = ["a b"]
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "music"', 'name = "mu sic"', "line 1: name is 'mu sic'"),
        ('name = "music"\n', "", ": name is missing"),
        ('title = "Music"', "title = 3", "line 2: title is 3; it takes a text"),
        ('["entities", "relations"]', '["ner"]', "line 3: tasks is .*; it takes entities, relations"),
        ('["entities", "relations"]', "[]", "line 3: tasks is"),
        ('hashtags = "keep"', 'hashtags = "maybe"', "line 6: words.split_hashtags is 'maybe'"),
        ('hashtags = "keep"', 'tags = "keep"', "line 6: words.split_tags is not known"),
        ('format = "dygie"', "format = []", "line 9: files.format is"),
        ('format = "dygie"', 'files = "x"', "line 9: files.files is not known; known: descr"),
        ("#0072B2", "blue", "line 12: entities.band.colour is 'blue'"),
        ('key = "x"', 'key = "xy"', "line 15: entities.a b.key is 'xy'"),
        ('key = "x"', 'key = "4"', "line 15: entities.a b.key is '4'; it takes one letter"),
        ('key = "x"', 'key = "A"', "line 15: entities.a b.key is 'A'; the review desk has these letters"),
        ('head = ["band"]', 'head = ["Band"]', "line 18: relations.part-of.head names 'Band', which is no"),
        ('tail = ["a b"]', "tail = [1]", "line 19: relations.part-of.tail is"),
        ('tail = ["a b"]', 'tails = "x"', "line 19: relations.part-of.tails is not known"),
        (
            '[entities."a b"]',
            "[entities.BAND]",
            "line 14: entities.BAND and 'band' differ by letter case only",
        ),
        ('[entities."a b"]', f'[entities."{"x" * 201}"]', "is no label: one line, 1 to 200 characters"),
        ('[entities."a b"]', r'[entities."a\nb"]', "is no label"),
        ("[relations.part-of]", "[relations.None]", "relations.None stands twice"),
        (
            'colour = "#0072B2"',
            'key = "X"',
            "line 15: entities.a b.key is 'x', which is the key of 'band' too",
        ),
        (
            'tail = ["a b"]',
            'key = "z"\n[relations."of"]\nkey = "Z"',
            "line 21: relations.of.key is 'Z', which is the key of 'part-of' too",
        ),
        ("[words]", "[words", "is not TOML: .*line 5"),
    ],
)
def test_a_broken_file_names_the_line_and_the_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    (tmp_path / FILE).write_text(GOOD.replace(old, new, 1))
    with pytest.raises(InputError, match=says) as error:
        read_toml(tmp_path)
    assert FILE in str(error.value) and "\n" not in str(error.value)


def test_good_is_good(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(GOOD)
    assert find_dataset(tmp_path) == find_dataset(tmp_path / FILE) == read_toml(tmp_path)
    assert read_toml(tmp_path).relations_between("band", "a b") == ("None", "part-of")
    assert read_toml(tmp_path).relations_between("a b", "band") == ("None",)


@pytest.mark.parametrize("content", [b"\xff", b"\x00", b"[" * 9999])
def test_files_that_are_no_toml(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(InputError, match=FILE):
        read_toml(tmp_path)


@pytest.mark.parametrize("values", [None, [], "x", {}, {"name": "a"}, {"name": "a", "tasks": ["entities"]}])
def test_a_strangers_card_is_one_sentence(values: object) -> None:
    with pytest.raises(InputError, match="^card: "):
        read_record(values, "card")


def test_unknown_datasets_name_those_that_are_known(tmp_path: Path) -> None:
    for name in ("gone", "x" * 9999, "a\0b", tmp_path):
        with pytest.raises(InputError, match="unknown dataset .*dataset new FOLDER"):
            find_dataset(name)
    for task in TASKS:
        assert task in default_for(task).tasks


def test_borrowed_relations_keep_their_types() -> None:
    """A reviewer of entities may add relations of another dataset, whose types are paired."""
    for dataset in bundled().values():
        wide = reviewed_as(dataset)
        assert wide.entities == dataset.entities
        known = set(wide.entity_labels)
        assert all(set(kind.head) | set(kind.tail) <= known for kind in wide.relations)
        assert bool(wide.relations) == bool(dataset.relations or dataset.borrow)


def test_files_of_splits() -> None:
    files = Files(train="a", valid="b", test="c")
    assert [files.of(split) for split in SPLITS] == ["a", "b", "c"]
    with pytest.raises(InputError, match="unknown split 'dev'"):
        files.of("dev")


def test_labels_in_words() -> None:
    assert [readable(x) for x in ("/a/b/member_of", "part-of", "/", "x")] == [
        "member of",
        "part of",
        "/",
        "x",
    ]


def test_a_relation_without_types_joins_any() -> None:
    kind = replace(odd_dataset().relations[0], head=("band",), tail=())
    assert kind.fits("band", "SPAN") and kind.fits(None, None) and not kind.fits("SPAN", "band")


def test_a_letter_may_give_an_entity_and_a_relation(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(GOOD.replace('head = ["band"]', 'head = ["band"]\nkey = "x"'))
    assert read_toml(tmp_path).relations[0].key == read_toml(tmp_path).entities[1].key == "x"


def test_a_record_of_a_queue_that_has_a_letter_twice_is_still_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(GOOD)
    values = record_of(read_toml(tmp_path))
    values["entities"][0]["key"] = "x"
    assert [kind.key for kind in read_record(values, "queue").entities] == ["x", "x"]

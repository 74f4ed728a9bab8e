"""Queues of any labels: two datasets never get each other's, and odd labels come through whole."""

from dataclasses import replace
from pathlib import Path

import pytest

from mmdemo.datasets.schema import Dataset, EntityType, RelationType
from mmdemo.formats.table import FORMATS
from mmdemo.review.agreement import agreements
from mmdemo.review.answers import read_answer
from mmdemo.review.export import export
from mmdemo.review.records import Filter, Review
from mmdemo.review.store.reviews import Store
from mmdemo.types import InputError, Post
from tests.made_up import ENTITY_LABELS, RELATION_LABELS, odd_dataset
from tests.review.conftest import PAIRS, question, tweets

#: A second dataset with relations, of which none is called as one of `PAIRS`.
BANDS = Dataset(
    name="bands",
    title="Bands",
    tasks=("entities", "relations"),
    entities=(EntityType(label="band"), EntityType(label="town")),
    relations=(
        RelationType(label="part-of", head=("band",), tail=("band",)),
        RelationType(label="plays-in", head=("band",), tail=("town",)),
    ),
    none="nothing",
)
ODD = odd_dataset()
POST = tweets(1)[0].post
PLAYS = {"head": [0, 2], "tail": [3, 4], "label": "plays-in"}


def entity(start: int, end: int, label: str) -> dict:
    return {"start": start, "end": end, "label": label}


@pytest.fixture
def desk(template: Path, tmp_path: Path) -> Store:
    (tmp_path / "r.sqlite3").write_bytes(template.read_bytes())
    return Store(f"sqlite:///{tmp_path / 'r.sqlite3'}", tmp_path / "photos")


@pytest.mark.parametrize(
    ("scheme", "other"), [(BANDS, PAIRS), (PAIRS, BANDS)], ids=lambda dataset: dataset.name
)
def test_no_label_of_another_dataset_is_taken(desk: Store, scheme: Dataset, other: Dataset) -> None:
    desk.make_queue("q", scheme)
    desk.add("q", tweets(1))
    for label in other.relation_labels:
        sent = {"links": [{**PLAYS, "label": label}]}
        with pytest.raises(InputError, match="unknown relation"):
            desk.decide("q", 1, "Ann", sent, version=0)
    for label in other.entity_labels:
        with pytest.raises(InputError, match="unknown entity label"):
            desk.decide("q", 1, "Ann", {"entities": [entity(0, 1, label)]}, version=0)
    assert desk.history(1) == ()


def test_a_relation_joins_what_its_own_dataset_says() -> None:
    town = [entity(0, 2, "town"), entity(3, 4, "town")]
    with pytest.raises(InputError, match="plays-in does not fit a town head"):
        read_answer({"entities": town, "links": [PLAYS]}, POST, BANDS)
    fits = {"entities": [entity(0, 2, "band"), entity(3, 4, "town")], "links": [PLAYS]}
    assert read_answer(fits, POST, BANDS).links[0].label == "plays-in"
    free = {"entities": town, "links": [{**PLAYS, "label": BANDS.none}]}
    assert read_answer(free, POST, BANDS).links[0].label == "nothing"


def test_the_same_dataset_with_other_labels_is_another_queue(desk: Store) -> None:
    desk.make_queue("q", BANDS)
    more = replace(BANDS, relations=(*BANDS.relations, RelationType(label="covers")))
    with pytest.raises(InputError, match="exists with other labels of bands"):
        desk.make_queue("q", more)
    assert desk.make_queue("q", BANDS).scheme == BANDS


@pytest.mark.parametrize("name", FORMATS)
def test_exports_hold_only_the_queues_labels(desk: Store, tmp_path: Path, name: str) -> None:
    desk.make_queue("q", BANDS)
    desk.add("q", [question(POST)])
    answer = {"entities": [entity(0, 2, "band"), entity(3, 4, "town")], "links": [PLAYS]}
    desk.decide("q", 1, "Ann", answer, version=0)
    path = tmp_path / f"out{FORMATS[name].suffix}"
    export(desk, "q", path, name, skip=True)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert not any(label in text for label in PAIRS.relation_labels[1:])
    with pytest.raises(InputError):  # nor does a file bring them in
        FORMATS[name].read(_with_odd_labels(tmp_path, name), BANDS)


def _with_odd_labels(folder: Path, name: str) -> Path:
    """A file of this format whose labels no other dataset has."""
    path = folder / f"odd{FORMATS[name].suffix}"
    row = question(POST)
    stated = read_answer({"entities": [entity(0, 2, "a-b")]}, POST, ODD).entities
    links = read_answer({"links": [{**PLAYS, "label": "part-of-it"}]}, POST, _renamed()).links
    if name == "mnre":
        row = replace(question(POST, links[0].pair), post=replace(POST, relations=links))
    else:
        row = replace(row, post=replace(POST, entities=stated, relations=None))
    FORMATS[name].write(path, [row], ODD)
    return path


def _renamed() -> Dataset:
    return replace(BANDS, relations=(RelationType(label="part-of-it"),))


# ---------------------------------------------------------------- odd labels


@pytest.fixture
def odd(desk: Store) -> Store:
    """Queue "q" with a decided post for each odd entity label, and one for each odd relation."""
    desk.make_queue("q", ODD, double=False)
    posts = [replace(POST, id=f"e{i}") for i in range(len(ENTITY_LABELS))]
    posts += [replace(POST, id=f"r{i}") for i in range(len(RELATION_LABELS))]
    desk.add("q", [question(post) for post in posts])
    answers: list[dict] = [{"entities": [entity(0, 2, label)]} for label in ENTITY_LABELS]
    answers += [{"links": [{**PLAYS, "label": label}]} for label in RELATION_LABELS]
    for review, answer in zip(desk.page("q", "Ann").reviews, answers, strict=True):
        desk.decide("q", review.key, "Ann", answer, version=0)
    return desk


@pytest.mark.parametrize("name", FORMATS)
def test_odd_labels_leave_and_come_back_in_every_format(odd: Store, tmp_path: Path, name: str) -> None:
    form, path = FORMATS[name], tmp_path / f"out{FORMATS[name].suffix}"
    done = export(odd, "q", path, name, skip=True)
    back = {label for row in form.read(path, ODD) for label in _labels(row.post)}
    less = {**done.left_out, **done.reduced}
    fits = {label for review in odd.decided("q") for label in _labels_of(review, less)}
    assert back >= fits and (less or back == fits) and (back or done.posts == 0)
    assert back <= {*ENTITY_LABELS, *(RELATION_LABELS if form.relations else ())}
    if form.holds == "everything":
        assert back == {*ENTITY_LABELS, *RELATION_LABELS}


def _labels(post: Post) -> list[str]:
    return [part.label for part in (*(post.entities or ()), *(post.relations or ()))]


def _labels_of(review: Review, left_out: dict[str, str]) -> list[str]:
    if review.post.id in left_out:
        return []
    return [part.label for part in (*review.answer.entities, *review.answer.links)]


def test_posts_are_found_by_an_odd_label(odd: Store) -> None:
    for label in (*ENTITY_LABELS, *RELATION_LABELS):
        found = odd.page("q", "Ann", wanted=Filter(label=label)).reviews
        assert len(found) == [*ENTITY_LABELS, *RELATION_LABELS].count(label)
        assert all(label in _labels_of(review, {}) for review in found)


def test_reviewers_agree_on_odd_labels_too(desk: Store) -> None:
    desk.make_queue("d", ODD, double=True)
    desk.add("d", [question(POST)])
    for name, label in (("Ann", ENTITY_LABELS[0]), ("Bob", ENTITY_LABELS[3])):
        desk.decide("d", 1, name, {"entities": [entity(0, 2, label)]}, version=0)
    (found,) = agreements(desk.double_reviews("d"))
    assert set(found.by_entity) == {ENTITY_LABELS[0], ENTITY_LABELS[3]} and found.entities.exact == 0

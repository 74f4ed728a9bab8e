"""Types, direction, symmetry and contradictions, from the record of a dataset with labels of its own."""

from dataclasses import replace

import numpy as np
import pytest

from mmdemo.answer.extraction.decide import decide, typed_pairs
from mmdemo.answer.extraction.records import TOP, FoundEntity, LabelScore
from mmdemo.cells.calibration import TripleCalibration
from mmdemo.datasets.schema import Dataset, EntityType, RelationType

RELATIONS = Dataset(
    name="towns",
    title="Towns",
    tasks=("relations",),
    none="nothing",
    entities=(EntityType(label="human", like="per"), EntityType(label="town", like="loc")),
    relations=(
        RelationType(label="born in", head=("human",), tail=("town",), functional=True),
        RelationType(label="parent", head=("human",), tail=("human",), one_way=True),
        RelationType(label="friend", head=("human",), tail=("human",), symmetric=True),
    ),
)
TWEETS = Dataset(
    name="tweets",
    title="Tweets",
    tasks=("entities",),
    entities=(EntityType(label="PER"), EntityType(label="LOC"), EntityType(label="ORG")),
)
TYPED = TWEETS.with_relations_of(RELATIONS)


def entities(*labels: str | None, score: float | None = 0.5) -> list[FoundEntity]:
    return [
        FoundEntity(id=f"e{i}", label=label, score=score, text="w", start=i, end=i + 1)
        for i, label in enumerate(labels)
    ]


def scores(**by_label: float) -> np.ndarray:
    names = ("nothing", "born_in", "parent", "friend")
    assert sum(by_label.values()) == pytest.approx(1)
    return np.array([by_label.get(name, 0.0) for name in names])


def test_pairs_are_those_that_the_types_allow_through_like():
    assert typed_pairs(entities("PER", "LOC", "ORG", "PER"), TYPED) == [(0, 1), (0, 3), (3, 0), (3, 1)]


def test_a_label_that_is_not_known_may_have_any_relation():
    assert typed_pairs(entities(None, "LOC"), TYPED) == [(0, 1)]


def test_a_label_that_the_types_forbid_is_not_chosen_and_scores_stay():
    found = decide(
        {(0, 1): scores(born_in=0.5, parent=0.4, nothing=0.1)}, entities("PER", "LOC"), RELATIONS, TYPED
    )
    (one,) = found.relations
    assert (one.id, one.head, one.tail, one.label, one.score) == ("r0", "e0", "e1", "born in", 0.5)
    assert [(top.label, top.score) for top in one.top] == [("born in", 0.5), ("nothing", 0.1)]
    assert one.score_with_entities == pytest.approx(0.5 * 0.25)
    assert [top.label for top in one.runner_ups] == ["nothing"] and one.ruled_out is None


def test_where_the_likeliest_label_is_forbidden_the_pair_has_no_relation():
    found = decide(
        {(0, 1): scores(parent=0.6, born_in=0.3, nothing=0.1)}, entities("PER", "LOC"), RELATIONS, TYPED
    )
    (one,) = found.none
    assert found.relations == () and (one.label, one.score) == ("nothing", 0.1)
    assert [top.label for top in one.top] == ["born in", "nothing"]
    assert one.ruled_out == LabelScore(label="parent", score=0.6)


def test_a_symmetric_label_is_told_though_a_forbidden_one_is_likelier():
    pair = {(0, 1): scores(born_in=0.6, friend=0.4), (1, 0): scores(nothing=0.8, friend=0.2)}
    (one,) = decide(pair, entities("PER", "PER"), RELATIONS, TYPED).relations
    assert (one.label, one.score, one.ruled_out) == ("friend", pytest.approx(0.3), None)


def test_what_is_chosen_is_among_the_labels_that_are_told_however_unlikely():
    kinds = tuple(RelationType(label=f"kind {i}", head=("human",), tail=("town",)) for i in range(TOP + 1))
    many = replace(
        RELATIONS, relations=(*kinds, RelationType(label="parent", head=("human",), tail=("human",)))
    )
    found = decide(
        {(0, 1): np.array([0.0, *[0.1] * len(kinds), 0.4])},
        entities("PER", "LOC"),
        many,
        TWEETS.with_relations_of(many),
    )
    (one,) = found.none
    assert [top.label for top in one.top] == [*(f"kind {i}" for i in range(TOP)), "nothing"]


def test_of_a_marked_pair_every_label_may_be_the_answer():
    found = decide({(0, 1): scores(parent=0.6, nothing=0.4)}, entities("PER", "LOC"), RELATIONS, None)
    assert [one.label for one in found.relations] == ["parent"]


def test_a_stated_entity_counts_as_certain():
    found = decide(
        {(0, 1): scores(born_in=0.8, nothing=0.2)}, entities("PER", "LOC", score=None), RELATIONS, TYPED
    )
    assert found.relations[0].score_with_entities == found.relations[0].score == 0.8


def test_a_calibration_of_triples_takes_the_place_of_the_product():
    triples = TripleCalibration(a=0, b=1, c=0)  # σ(ln(h t)) = h t / (1 + h t)
    pair = {(0, 1): scores(born_in=0.8, nothing=0.2)}
    for score, whole in ((0.5, 0.2), (None, 0.8)):  # what a person states is certain
        (one,) = decide(pair, entities("PER", "LOC", score=score), RELATIONS, TYPED, triples).relations
        assert one.score_with_entities == pytest.approx(whole)


def test_a_symmetric_relation_is_told_once_with_both_directions_mean():
    pair = {(0, 1): scores(nothing=0.5, friend=0.4, parent=0.1), (1, 0): scores(nothing=0.2, friend=0.8)}
    found = decide(pair, entities("PER", "PER"), RELATIONS, TYPED)
    (one,) = found.relations
    assert (one.head, one.tail, one.label, one.symmetric) == ("e0", "e1", "friend", True)
    assert one.score == pytest.approx(0.6) and found.none == ()


def test_a_symmetric_relation_that_only_the_way_back_finds_is_told_from_the_first():
    pair = {(0, 1): scores(nothing=0.7, friend=0.3), (1, 0): scores(nothing=0.4, friend=0.6)}
    (one,) = decide(pair, entities("PER", "PER"), RELATIONS, TYPED).relations
    assert (one.head, one.tail, one.score) == ("e0", "e1", pytest.approx(0.45))


def test_a_symmetric_relation_asked_one_way_keeps_its_direction():
    (one,) = decide({(1, 0): scores(friend=1.0)}, entities("PER", "PER"), RELATIONS, TYPED).relations
    assert (one.head, one.tail, one.score) == ("e1", "e0", 1.0)


def test_pairs_without_a_relation_are_counted_and_listed_apart():
    pair = {(0, 1): scores(nothing=0.9, friend=0.1), (1, 0): scores(nothing=0.9, parent=0.1)}
    found = decide(pair, entities("PER", "PER"), RELATIONS, TYPED)
    assert found.relations == () and [(one.head, one.tail) for one in found.none] == [
        ("e0", "e1"),
        ("e1", "e0"),
    ]


def test_two_tails_of_a_functional_relation_contradict_each_other():
    pair = {(0, 1): scores(born_in=1.0), (0, 2): scores(born_in=1.0), (3, 1): scores(born_in=1.0)}
    found = decide(pair, entities("PER", "LOC", "LOC", "PER"), RELATIONS, TYPED)
    assert {one.id: one.contradicts for one in found.relations} == {"r0": ("r1",), "r1": ("r0",), "r2": ()}


def test_both_directions_of_a_one_way_relation_contradict_each_other():
    pair = {(0, 1): scores(parent=1.0), (1, 0): scores(parent=1.0), (1, 2): scores(parent=1.0)}
    found = decide(pair, entities("PER", "PER", "PER"), RELATIONS, TYPED)
    assert {one.id: one.contradicts for one in found.relations} == {"r0": ("r1",), "r1": ("r0",), "r2": ()}

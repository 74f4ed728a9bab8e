"""Calibrated confidences: the identity where nothing is stated, and an order that stays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.cells.calibration import Calibration, EntityCalibration, TripleCalibration
from mmdemo.datasets.schema import TASKS
from mmdemo.types import Entity

shares = st.floats(0, 1)


def entity(score: float | None, words: int = 1, label: str = "PER") -> Entity:
    return Entity(start=0, end=words, label=label, score=score)


@pytest.mark.parametrize(
    "stated",
    [
        None,
        "no",
        {},
        {"temperature": "2"},
        {"temperature": float("nan")},
        {"temperature": 0},
        {"temperature": True},
        {"temperature": 10**400},
        {"temperature": 1, "entity": {"a": 1, "b": None, "c": 0, "length": 0}},
        {"temperature": 1, "entity": [1, 2, 3]},
    ],
)
def test_what_is_not_a_calibration_changes_nothing(stated):
    calibration = Calibration.of({"calibration": stated} if stated is not None else {}, "entities")
    assert calibration == Calibration()
    assert calibration.entities((entity(0.3),)) == (entity(0.3),)


def test_a_temperature_flattens_and_keeps_the_order():
    logits = np.array([2.0, 0.0, -1.0])
    cool, warm = Calibration().probabilities(logits), Calibration(temperature=2).probabilities(logits)
    assert warm == pytest.approx(np.exp(logits / 2) / np.exp(logits / 2).sum())
    assert warm.max() < cool.max() and (np.argsort(warm) == np.argsort(cool)).all()


def test_the_map_by_hand():
    # sigmoid(1·ln .5 - 2·ln .5 + .1 + .3·(2 - 1) + .2) = sigmoid(ln 2 + .6)
    told = EntityCalibration(a=1, b=2, c=0.1, length=0.3, labels={"PER": 0.2})
    assert told.score(entity(0.5, words=2)) == pytest.approx(1 / (1 + 0.5 * np.exp(-0.6)))
    assert EntityCalibration(a=1, b=1, c=0).score(entity(0.3)) == pytest.approx(0.3)  # the identity


@given(a=st.floats(0, 5), b=st.floats(0, 5), c=st.floats(-5, 5), low=shares, high=shares)
def test_a_surer_entity_stays_surer(a, b, c, low, high):
    told = EntityCalibration(a=a, b=b, c=c)
    low, high = sorted((low, high))
    first, second = told.score(entity(low)), told.score(entity(high))
    assert 0 <= first <= second + 1e-12 <= 1 + 1e-12


def test_stated_numbers_are_read_and_bounded():
    entity = {"a": -1, "b": 1, "c": 0, "length": 0, "labels": {"PER": 1, "LOC": "x"}}
    read = Calibration.of({"calibration": {"temperature": 2, "entity": entity}}, "entities")
    assert read.temperature == 2
    assert read.entity == EntityCalibration(a=0, b=1, c=0, labels={"PER": 1.0})


def test_entities_without_a_score_stay_so():
    read = Calibration(entity=EntityCalibration(a=1, b=1, c=1))
    assert read.entities((entity(None),))[0].score is None


def test_a_cell_of_both_tasks_states_one_for_each():
    metrics = {"calibration": {"entities": {"temperature": 2.0}, "relations": {"temperature": 0.5}}}
    assert [Calibration.of(metrics, task).temperature for task in TASKS] == [2.0, 0.5]
    alone = {"calibration": {"relations": {"temperature": 0.5}}}
    assert Calibration.of(alone, "entities") == Calibration()
    assert Calibration.of({"calibration": {"temperature": 3.0}}, "relations").temperature == 3.0


TRIPLES = {"entities": "t", "a": 0.5, "b": 2.0, "c": -0.3}


@pytest.mark.parametrize(
    "stated",
    [None, "no", {}, TRIPLES | {"a": "1"}, TRIPLES | {"c": float("inf")}, TRIPLES | {"entities": "u"}],
)
def test_what_does_not_speak_of_such_entities_calibrates_no_triples(stated):
    assert TripleCalibration.of({"triples": stated}, "t") is None


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(-5, 5))
def test_a_triple_is_never_surer_than_its_relation_nor_falls_with_a_surer_part(low, high, other, c):
    triple = TripleCalibration.of({"triples": TRIPLES | {"c": c}}, "t")
    assert triple is not None
    low, high = sorted((low, high))
    assert 0 <= triple.score(low, other) <= low
    assert triple.score(low, other) <= triple.score(high, other)
    assert triple.score(other, low) <= triple.score(other, high)


def test_negative_weights_are_not_taken():
    triple = TripleCalibration.of({"triples": TRIPLES | {"a": -1, "b": -1}}, "t")
    assert triple == TripleCalibration(a=0, b=0, c=-0.3)

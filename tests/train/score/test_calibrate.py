"""Fitting calibrations from saved answers: temperatures, the map of entities, ECE and Brier by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmdemo.cells.calibration import Calibration
from mmdemo.cells.files import read_json, write_json
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.types import Entity
from tests.tiny import write_card, write_data
from train.data.source import DataSource
from train.score.answers import load_answers, save_answers
from train.score.calibrate import calibrate_all, fit_beta, fit_calibration, fit_temperature, judge, measures

RELATIONS = find_dataset("mnre").relation_labels


def test_ece_and_brier_by_hand():
    found = measures(np.array([0.9, 0.9, 0.1]), np.array([True, False, False]))
    assert found["ece"] == pytest.approx(2 / 3 * 0.4 + 1 / 3 * 0.1)
    assert found["brier"] == pytest.approx((0.01 + 0.81 + 0.01) / 3)
    assert found["bins"] == [
        {"confidence": 0.1, "accuracy": 0.0, "count": 1},
        {"confidence": 0.9, "accuracy": 0.5, "count": 2},
    ]
    assert measures(np.array([1.0]), np.array([True]))["ece"] == 0


def test_the_temperature_that_made_scores_too_sure_is_found():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20000, 4))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    right = (chances.cumsum(axis=1) > rng.random((20000, 1))).argmax(axis=1)
    assert fit_temperature(logits * 3, right) == pytest.approx(3, rel=0.05)


def test_the_map_undoes_confidence_that_is_too_high():
    rng = np.random.default_rng(0)
    entities = [Entity(start=0, end=1, label="PER", score=float(s)) for s in rng.uniform(0.5, 1, 4000)]
    right = rng.random(4000) < np.array([e.score or 0 for e in entities]) ** 3
    fitted = fit_beta(entities, right)
    assert fitted is not None
    told = np.array([fitted.score(e) for e in entities])
    before = measures(np.array([e.score for e in entities]), right)["ece"]
    assert measures(told, right)["ece"] < 0.03 < before


def test_too_few_or_all_right_give_no_map():
    entities = [Entity(start=0, end=1, label="PER", score=0.9)] * 30
    assert fit_beta(entities, np.ones(30, dtype=bool)) is None
    assert fit_beta(entities[:5], np.array([True, False, True, True, True])) is None


def test_relations_get_a_temperature_alone():
    rows = np.full((40, len(RELATIONS)), 0.01 / (len(RELATIONS) - 1))
    rows[:, 0] = 0.99
    gold = ["None"] * 20 + [RELATIONS[1]] * 20
    fitted = fit_calibration(find_dataset("mnre"), "relations", gold, list(rows))
    assert fitted.temperature > 1 and fitted.entity is None
    scores, right = judge(find_dataset("mnre"), "relations", gold, list(rows), fitted)
    assert right.mean() == 0.5 and scores.mean() < 0.9


@settings(max_examples=20)
@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=6), data=st.data())
def test_saved_answers_come_back(tmp_path_factory, lengths, data):
    rows = [data.draw(arrays(np.float32, (n, 3), elements=st.floats(0, 1, width=32))) for n in lengths]
    rows[0][0, 0] = np.nan  # a word that the encoder did not see
    file = tmp_path_factory.mktemp("answers") / "test.npz"
    save_answers(file, {"photo": rows, "none": [np.array([0.5, 0.25])]})
    read = load_answers(file)
    least = np.finfo(np.float32).smallest_subnormal  # a zero has no logarithm
    for got, put in zip(read["photo"], rows, strict=True):
        assert np.array_equal(got, np.maximum(put, least), equal_nan=True)
    assert read["none"][0].tolist() == [0.5, 0.25]


def test_a_cells_metrics_get_its_calibration(tmp_path):
    source = DataSource(folder=write_data(tmp_path / "data", posts=4))
    cell, tags = "lite/twitter2017/roberta-resnet50/film", find_dataset("twitter2017").tags
    for split in ("valid", "test"):
        lengths = [len(post.tokens) for post in source.posts(find_dataset("twitter2017"), split)]
        rows = [np.full((length, len(tags)), 1 / len(tags)) for length in lengths]
        save_answers(tmp_path / "work" / "answers" / cell / f"{split}.npz", {"photo": rows})
    write_json(tmp_path / "zoo" / cell / "metrics.json", {"cell": cell, "splits": {}})
    write_card(tmp_path / "zoo", ModelConfig(dataset=find_dataset("twitter2017")))
    found = calibrate_all(tmp_path / "zoo", tmp_path / "work", source)
    stated = read_json(tmp_path / "zoo" / cell / "metrics.json")["calibration"]
    assert list(found) == [cell] and stated["fitted_on"] == "valid"
    assert Calibration.of({"calibration": stated}, "entities").temperature == pytest.approx(
        stated["temperature"]
    )

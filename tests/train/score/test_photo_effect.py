"""Paired bootstrap by hand and by known truth; slices; what metrics.json then says."""

import numpy as np
import pytest

from mmdemo.cells.files import read_json, write_json
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from tests.tiny import write_card, write_data
from train.data.source import DataSource
from train.score.answers import save_answers
from train.score.photo_effect import (
    counts_of,
    difference,
    f1_of,
    measure_all,
    moved_posts,
)

RELATIONS = find_dataset("mnre").relation_labels


def one_hot(index: int, size: int) -> np.ndarray:
    return np.eye(size)[index] * 0.98 + 0.01 / size


def test_counts_of_relations_leave_none_out():
    none, first, second = (RELATIONS.index(r) for r in ("None", RELATIONS[1], RELATIONS[2]))
    rows = [one_hot(i, len(RELATIONS)) for i in (first, none, second, none)]
    gold = [RELATIONS[1], "None", RELATIONS[1], RELATIONS[1]]
    found = counts_of(find_dataset("mnre"), gold, rows)
    assert found.tolist() == [
        [1, 1, 1],
        [0, 0, 0],
        [0, 1, 1],
        [0, 0, 1],
    ]


def test_counts_of_entities_need_span_and_type():
    tags = find_dataset("twitter2017").tags
    at = {tag: one_hot(i, len(tags)) for i, tag in enumerate(tags)}
    rows = [np.stack([at["B-PER"], at["I-PER"], at["O"]]), np.stack([at["B-LOC"]])]
    assert counts_of(find_dataset("twitter2017"), [["B-PER", "I-PER", "O"], ["B-ORG"]], rows).tolist() == [
        [1, 1, 1],
        [0, 1, 1],
    ]


def test_f1_by_hand():
    assert f1_of(np.array([[3, 4, 5], [0, 0, 0]])) == pytest.approx([6 / 9, 0])


def test_the_same_answers_differ_by_nothing_and_better_ones_by_their_gain():
    rng = np.random.default_rng(0)
    worse = np.stack([rng.random(800) < 0.6, np.ones(800), np.ones(800)], axis=1).astype(int)
    same = difference(worse, worse)
    assert same["change"] == same["low"] == same["high"] == 0
    better = worse.copy()
    better[rng.random(800) < 0.3, 0] = 1
    found = difference(better, worse)
    assert 0 < found["low"] < found["change"] < found["high"]
    assert found["change"] == pytest.approx(better[:, 0].mean() - worse[:, 0].mean())
    assert difference(better, worse) == found  # seeded


def test_a_cell_s_metrics_get_its_photo_effect(tmp_path):
    source = DataSource(folder=write_data(tmp_path / "data", 40))
    tags = find_dataset("twitter2017").tags
    rng = np.random.default_rng(1)
    rows = [
        rng.dirichlet(np.ones(len(tags)), len(p.tokens))
        for p in source.posts(find_dataset("twitter2017"), "test")
    ]
    cell = "tiny/twitter2017/blip/film"
    save_answers(
        tmp_path / "work/answers" / cell / "test.npz", dict.fromkeys(("photo", "blank", "none"), rows)
    )
    folder = tmp_path / "out" / cell
    folder.mkdir(parents=True)
    write_json(folder / "metrics.json", {"cell": cell, "splits": {}})
    config = ModelConfig(dataset=find_dataset("twitter2017"), model="blip", preset="tiny")
    write_card(tmp_path / "out", config)
    assert measure_all(tmp_path / "out", tmp_path / "work", source, "tiny").keys() == {cell}
    stated = read_json(folder / "metrics.json")["photo_effect"]
    assert stated["against"].keys() == {"blank", "none"} and stated["against"]["none"]["change"] == 0


def test_moved_posts_by_hand():
    ours = np.array([[1, 1, 1], [0, 1, 1], [1, 1, 2], [0, 0, 0], [2, 2, 2]])
    theirs = np.array([[0, 1, 1], [1, 1, 1], [0, 0, 2], [0, 1, 0], [2, 2, 2]])
    changed = np.array([True, True, True, True, False])
    assert moved_posts(ours, theirs, changed) == {"changed": 4, "to_right": 2, "to_wrong": 1}

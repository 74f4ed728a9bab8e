"""A row's fusions beside its text-only cell: differences, Holm's p-values, how often two differ."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.cells.files import read_json, write_json
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from tests.tiny import write_card, write_data
from train.data.source import DataSource
from train.score.answers import save_answers
from train.score.row_effect import Told, compare_row, holm, measure_rows


def told(right: np.ndarray) -> Told:
    """A cell that answers each of its questions, right where ``right`` says so."""
    counts = np.stack([right, np.ones(len(right)), np.ones(len(right))], axis=1).astype(int)
    return Told(folder=Path("unused"), counts=counts, said=[f"answer {one}" for one in right])


def test_holm_by_hand():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.5}) == pytest.approx(
        {"a": 0.04, "b": 0.09, "c": 0.09, "d": 0.5}
    )


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=6))
def test_holm_never_makes_a_value_smaller_and_keeps_their_order(values):
    found = holm(values)
    assert list(found) == list(values)
    assert all(values[name] <= found[name] <= 1 for name in values)
    order = sorted(values, key=lambda name: values[name])
    assert all(found[a] <= found[b] for a, b in zip(order, order[1:], strict=False))


def test_a_better_fusion_is_told_from_text_alone_and_an_equal_one_is_not():
    rng = np.random.default_rng(0)
    alone = rng.random(600) < 0.5
    found = compare_row(
        {"film": told(alone | (rng.random(600) < 0.3)), "concat": told(alone), "text-only": told(alone)}
    )
    film, concat = (found[name]["against_text_only"] for name in ("film", "concat"))
    assert film["low"] > 0 and film["p_holm"] < 0.05
    assert concat["change"] == 0 and concat["p_holm"] == 1
    assert "against_text_only" not in found["text-only"]
    assert found["concat"]["differs"] == {"film": found["film"]["differs"]["concat"], "text-only": 0}
    assert 0.1 < found["film"]["differs"]["text-only"] < 0.2


def test_a_row_without_text_only_tells_how_often_its_fusions_differ(tmp_path):
    source = DataSource(folder=write_data(tmp_path / "data", 30))
    dataset = find_dataset("twitter2017")
    rng = np.random.default_rng(1)
    for fusion in ("film", "attention"):
        cell = f"tiny/twitter2017/blip/{fusion}"
        rows = [
            rng.dirichlet(np.ones(len(dataset.tags)), len(p.tokens)) for p in source.posts(dataset, "test")
        ]
        save_answers(tmp_path / "work/answers" / cell / "test.npz", {"photo": rows})
        folder = tmp_path / "out" / cell
        folder.mkdir(parents=True)
        write_json(folder / "metrics.json", {"cell": cell, "splits": {}})
        config = ModelConfig(dataset=dataset, model="blip", preset="tiny", fusion=fusion)
        write_card(tmp_path / "out", config)
    measured = measure_rows(tmp_path / "out", tmp_path / "work", source, "tiny")
    assert measured == ["tiny/twitter2017/blip/attention", "tiny/twitter2017/blip/film"]
    stated = read_json(tmp_path / "out" / measured[1] / "metrics.json")["row_effect"]
    assert stated.keys() == {"differs"} and 0 < stated["differs"]["attention"] <= 1

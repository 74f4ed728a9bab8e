"""The simulated reviewer, whole, on tiny models and generated posts."""

import json

import numpy as np
import pytest

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.types import InputError
from tests.tiny import write_data
from train.cells.settings import Settings
from train.data.source import DataSource
from train.experiments.simulate_review import entropy, render, simulate


def settings(folder, **fields) -> Settings:
    changes = {"": {"epochs": 1, "members": 1, "seed": 3}}
    config = (
        ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny")
        if not fields
        else ModelConfig(**{**fields, "dataset": find_dataset(fields["dataset"])})
    )
    return Settings(
        config=config,
        source=DataSource(folder=write_data(folder / "data", posts=24)),
        out=folder / "out",
        work=folder / "out",
        device="cpu",
        changes=changes,
    )


def test_each_order_reviews_its_own_posts_and_is_scored(tmp_path):
    said: list[str] = []
    found = simulate(
        settings(tmp_path),
        share=0.5,
        reviews=4,
        orders=("random", "entropy"),
        steps=2,
        say=said.append,
        again={"epochs": 1},
    )
    assert list(found["curves"]) == ["random", "entropy"] and len(said) == 6
    assert all(
        0 <= point[split] <= 1
        for point in (found["before"], found["control"], *found["curves"]["random"])
        for split in ("valid", "test")
    )
    curve = found["curves"]["random"]
    assert [point["reviews"] for point in curve] == [2, 4]
    assert [point["entities"] for point in curve] == [4, 8]  # every generated post has two
    assert json.loads((tmp_path / "out" / "simulate_review.json").read_text()) == found
    assert (tmp_path / "out" / "simulate_review.png").stat().st_size > 1000
    assert "| entropy | 4 | 8 |" in render(found)
    assert not list((tmp_path / "out").glob("*/regions")), "the photos' features are shared"


@pytest.mark.parametrize(
    ("change", "fields", "message"),
    [
        ({"orders": ("alphabet",)}, {}, "unknown order"),
        ({"reviews": 13}, {}, "13 to review"),
        ({"steps": 5}, {}, "in 5 steps"),
        ({}, {"dataset": "mnre", "preset": "tiny"}, "reviews entities"),
    ],
)
def test_what_cannot_be_simulated_is_said(tmp_path, change, fields, message):
    asked = {"share": 0.5, "reviews": 4, "orders": ("random",), "say": print} | change
    with pytest.raises(InputError, match=message):
        simulate(settings(tmp_path, **fields), **asked)


def test_entropy_is_that_of_the_most_doubtful_seen_word():
    rows = np.array([[1.0, 0.0], [0.5, 0.5], [np.nan, np.nan]])
    assert entropy(rows) == pytest.approx(np.log(2))

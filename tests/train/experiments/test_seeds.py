"""Cells from other seeds: the shipped cell stays as it is, the figures come beside its own."""

from dataclasses import replace

import pytest

from mmdemo.cells.files import read_json
from mmdemo.models.config import ModelConfig
from mmdemo.types import InputError
from tests.tiny import write_data
from train.cells.run import run
from train.cells.settings import Settings
from train.data.source import DataSource
from train.experiments.seeds import mean_and_deviation, run_seeds


@pytest.fixture
def settings(tmp_path) -> Settings:
    data = write_data(tmp_path / "data", 24)
    (data / "twitter2017").rename(data / "twitter2015")  # whose trunk starts from no other's
    return Settings(
        config=ModelConfig(dataset="twitter2015", fusion="film", preset="tiny"),
        source=DataSource(folder=data),
        out=tmp_path / "out",
        work=tmp_path / "work",
        device="cpu",
        changes={"": {"epochs": 1, "members": 1, "seed": 1337}},
    )


def test_figures_of_other_seeds_stand_beside_the_cell_s_own(settings):
    folder = run(settings)
    before = {f.name: f.read_bytes() for f in folder.iterdir() if f.name != "metrics.json"}
    assert list(run_seeds(settings, ["film"], [7, 8])) == [("film", 7), ("film", 8)]
    assert list(run_seeds(settings, ["film"], [7])) == [("film", 7)]  # again: it replaces its own
    metrics = read_json(folder / "metrics.json")
    assert [found["seed"] for found in metrics["seeds"]] == [1337, 8, 7]
    own = metrics["splits"]["test"]["none"]["entity"]["f1"]
    assert metrics["seeds"][0]["test"]["none"] == own
    assert {f.name: f.read_bytes() for f in folder.iterdir() if f.name != "metrics.json"} == before
    other = settings.work / "seeds/7" / settings.config.cell
    assert (other / "model.safetensors").read_bytes() != before["model.safetensors"]


def test_a_cell_that_is_not_there_is_one_sentence(settings):
    with pytest.raises(InputError, match="is not trained yet: python -m train zoo"):
        list(run_seeds(replace(settings, out=settings.out / "none"), ["film"], [7]))


def test_the_deviation_is_of_a_sample():
    assert mean_and_deviation([1.0, 3.0]) == (2.0, pytest.approx(2**0.5))
    assert mean_and_deviation([5.0]) == (5.0, 0.0)

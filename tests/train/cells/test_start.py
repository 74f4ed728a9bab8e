"""Where training starts: a shipped trunk for a dataset of one's own, and what a person says."""

from pathlib import Path

import pytest

from mmdemo.cells.locate import SHIPPED, list_cells
from mmdemo.datasets.discovery import bundled, default_for
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import DEFAULT_MODEL, MODELS
from mmdemo.models.fusion.table import fusions_of
from tests.made_up import odd_dataset
from train.cells.start import BASE, chosen_start, described, shipped_trunk

SHIPPED_MODELS = {cell.model for cell in list_cells(SHIPPED) if cell.problem is None}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("tasks", [("entities",), ("relations",), ("entities", "relations")])
def test_ones_own_dataset_starts_from_a_shipped_trunk_of_its_task(model: str, tasks: tuple[str, ...]) -> None:
    config = ModelConfig(dataset=odd_dataset(tasks=tasks), model=model, fusion=fusions_of(model)[0])
    folder = shipped_trunk(config)
    text = config.row.text_of or model
    if model not in SHIPPED_MODELS:
        assert folder is None
        return
    assert folder == SHIPPED / "lite" / default_for(tasks[-1]).name / text
    assert described(folder) == f"lite/{default_for(tasks[-1]).name}/{text}"


def test_what_a_person_says_counts() -> None:
    config = ModelConfig(dataset=odd_dataset())
    assert chosen_start(BASE, config) is None
    assert chosen_start("runs/lite/x", config) == Path("runs/lite/x") and described(None)
    assert chosen_start(None, config) == shipped_trunk(config) is not None


def test_some_models_ship() -> None:
    assert DEFAULT_MODEL in SHIPPED_MODELS


def test_bundled_datasets_and_other_presets_start_as_before() -> None:
    assert [shipped_trunk(ModelConfig(dataset=dataset)) for dataset in bundled().values()] == [
        None for _ in bundled()
    ]
    assert shipped_trunk(ModelConfig(dataset=odd_dataset(), preset="tiny")) is None

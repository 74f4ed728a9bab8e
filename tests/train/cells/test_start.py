"""Where training starts: a shipped trunk for a dataset of one's own, and what a person says."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmdemo.cells.checkpoint import TRUNK_PARTS
from mmdemo.cells.locate import SHIPPED, list_cells
from mmdemo.datasets.discovery import bundled, default_for
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import DEFAULT_MODEL, MODELS
from mmdemo.models.fusion.table import fusions_of
from tests.made_up import odd_dataset
from train.cells.start import BASE, chosen_start, described, shipped_trunk
from train.fit.recipe import Recipe
from train.fit.starts import fresh_model

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


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("model", sorted(SHIPPED_MODELS))
def test_a_shipped_trunk_fits_a_model_that_reads_photos_words_and_one_that_does_not(
    model: str, words: bool
) -> None:
    config = ModelConfig(dataset=odd_dataset(), model=model, fusion=fusions_of(model)[0])
    config = replace(config, photo_words=words, words_in_text=words and not config.row.joint)
    folder = shipped_trunk(config)
    started, base = (fresh_model(config, Recipe(), SHIPPED, start) for start in (folder, None))
    name = next(n for n, p in base.named_parameters() if n.startswith(TRUNK_PARTS) and "layer.0" in n)
    assert not torch.allclose(started.get_parameter(name), base.get_parameter(name))


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

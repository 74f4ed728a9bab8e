"""What a training starts from: fresh parts on the pretrained base, a stored cell, or another run."""

from collections.abc import Mapping
from dataclasses import replace
from os.path import normpath
from pathlib import Path

from torch import Tensor

from mmdemo.cells.card import joint_trunk, load_card
from mmdemo.cells.checkpoint import load_model, load_trunk, root_of
from mmdemo.cells.locate import same_labels
from mmdemo.cells.name import CellName
from mmdemo.cells.pretrained_base import load_base, load_layers
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import MultimodalModel, build_model
from mmdemo.types import InputError
from train.fit.recipe import Recipe
from train.fit.state import load_tensors
from train.fit.streams import WEIGHTS, drawn


def fresh_model(
    config: ModelConfig, recipe: Recipe, root: Path, start: Path | None = None
) -> MultimodalModel:
    """A model to be trained; each part's first weights come from its own stream (`train.fit.streams`)."""
    model = untrained_model(config, recipe, root)
    if start is not None:
        start_from(model, config, start)
    else:
        load_layers(root, model, config.preset)
    return model


def untrained_model(config: ModelConfig, recipe: Recipe, root: Path) -> MultimodalModel:
    """What a stored trunk is a difference to, and fresh parts as `fresh_model` has them."""
    own = replace(config, dropout=recipe.dropout)
    model = build_model(own, building=lambda part: drawn(recipe.seed, WEIGHTS, part))
    load_base(root, model, config.preset)
    return model


def start_from(model: MultimodalModel, config: ModelConfig, folder: Path) -> None:
    """Copy what fits of a checkpoint into ``model``: all but the heads where the labels differ.

    ``folder`` is a cell's, one that holds a trunk alone, or a trunk's training run; of one with several
    datasets' rows this dataset's cell goes on with its own parts. Another model's text encoder fits as far as
    its parameters have the same names.

    Raises:
        InputError: the checkpoint cannot be used, or is of another preset.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist; training starts from the folder of a cell or a trunk")
    if (folder / "best.safetensors").exists():
        tensors = best_of(folder)
        _copy_fitting(model, tensors | part_of(tensors, f"{config.dataset.name}/{config.fusion}"))
        return
    if is_trunk_alone(folder):
        load_trunk(folder / "trunk.safetensors", model, other=True)
        return
    card = load_card(folder)
    if card.config.preset != config.preset:
        raise InputError(f"{folder} holds {card.config.cell}; training can only start from its own preset")
    other = load_model(root_of(folder), folder, card).state_dict()
    if not same_labels(card.config.dataset, config.dataset):
        other = {name: value for name, value in other.items() if not name.startswith("heads.")}
    _copy_fitting(model, other)


def is_trunk_alone(folder: Path) -> bool:
    """Whether a start holds a stored trunk and no cell's own parts; such a trunk is added to the base."""
    return not any((folder / name).exists() for name in ("best.safetensors", "config.json"))


def cell_on(trunk: Path, config: ModelConfig) -> Path | None:
    """The folder of the stored cell of this configuration on a trunk of several datasets, if any."""
    root = Path(normpath(trunk.resolve() / "../../.."))  # of a folder near the root, the root
    folder = root / CellName.of(config).path
    if not is_shared_trunk(trunk, config) or not (folder / "config.json").is_file():
        return None
    return folder if list(load_card(folder).trunks) == [joint_trunk(config.model)] else None


def is_shared_trunk(folder: Path, config: ModelConfig) -> bool:
    """Whether a start is the folder of the trunk that several datasets share, of this preset and model."""
    place = (config.preset, "base", config.model)
    return folder.resolve().parts[-3:] == place and (folder / "trunk.safetensors").is_file()


def _copy_fitting(model: MultimodalModel, tensors: Mapping[str, Tensor]) -> None:
    own = model.state_dict()
    fitting = {n: value for n, value in tensors.items() if n in own and own[n].shape == value.shape}
    model.load_state_dict(fitting, strict=False)


def part_of(tensors: Mapping[str, Tensor], cell: str) -> dict[str, Tensor]:
    """The tensors of one of a row's cells, by its key there, under the names that it has alone."""
    prefix = f"cells.{cell}."
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def best_of(folder: Path) -> dict[str, Tensor]:
    """The tensors of a run's best epoch, by parameter name."""
    stored = load_tensors(folder / "best.safetensors")
    return {name.removeprefix("model/"): value for name, value in stored.items()}

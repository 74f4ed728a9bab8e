"""A cell's config.json and metrics.json: what it is, which files it needs, how it was trained, its figures.

config.json carries the whole record of the dataset, so that a cell with any labels opens anywhere. A setting
that came later is stated only where it means something: older programs read the other cells' cards as before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mmdemo.cells.conditions import with_conditions
from mmdemo.cells.files import read_json
from mmdemo.cells.name import CellName
from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.records import read_record, record_of
from mmdemo.datasets.schema import Dataset
from mmdemo.models.config import BEFORE, ModelConfig
from mmdemo.models.encoders.table import model_row
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.types import InputError, quoted

#: The format of config.json. Before 2 it named its dataset and had no record of it.
FORMATS = (1, 2)
WEIGHTS = "model.safetensors"

#: Where a cell may find its trunk beside its own folder (shared by all fusions) or inside (trained alone).
OWN_TRUNKS = ("../trunk.safetensors", "trunk.safetensors")


def joint_trunk(model: str) -> str:
    """Where a cell finds a trunk that several datasets trained together: in the preset's base folder."""
    return f"../../../base/{model}/trunk.safetensors"


def text_trunk(model: str) -> str | None:
    """Where a cell finds the text trunk of another model that its own reads as it is; None for the others."""
    row = model_row(model)
    return f"../../{row.text_of}/trunk.safetensors" if row.text_of else None


def trunk_places(model: str) -> tuple[str, ...]:
    """The places, as seen from a cell's folder, at which a model's trunks may lie."""
    text = text_trunk(model)
    shared = (*OWN_TRUNKS, joint_trunk(model))
    return (text, *shared) if text else shared


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a cell's folder says of itself: its configuration, how it was trained, and its figures.

    With the figures stand all their conditions (`mmdemo.cells.conditions`), wherever the files say them.
    """

    config: ModelConfig
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> CellName:
        return CellName.of(self.config)

    @property
    def trunks(self) -> dict[str, str]:
        """Hash by place of the trunks that the cell stands on."""
        return {name: digest for name, digest in self.files.items() if name != WEIGHTS}


def card_json(config: ModelConfig, files: Mapping[str, str], training: Mapping[str, Any]) -> dict[str, Any]:
    """config.json's values; `load_card` reads them back."""
    dataset = config.dataset
    return {
        "format": FORMATS[-1],
        "config": {**config_values(config), "dataset": dataset.name},
        "dataset": record_of(dataset),
        "labels": {task: list(dataset.outputs(task)) for task in dataset.tasks},
        "files": dict(files),
        "training": dict(training),
    }


def config_values(config: ModelConfig) -> dict[str, Any]:
    """A configuration's values, less the settings that came later and say nothing of this one."""
    silent = set(BEFORE) - set(FUSIONS[config.fusion].options)
    if not config.photo_words:
        silent |= {"photo_words", "words_in_text"}
    return {part.name: getattr(config, part.name) for part in fields(config) if part.name not in silent}


def _config(stated: Mapping[str, Any], dataset: Dataset) -> ModelConfig:
    """The configuration of a card's values; where its fusion's formula is not said, it is that of before."""
    row = FUSIONS.get(stated.get("fusion", "")) if isinstance(stated.get("fusion"), str) else None
    before = {name: BEFORE[name] for name in row.options if name in BEFORE} if row else {}
    return ModelConfig(**{**before, **stated, "dataset": dataset})


def load_card(folder: Path) -> Card:
    """Read and check config.json and metrics.json, without any weights.

    Raises:
        InputError: a file is missing, is no such JSON, is of another format, or its labels are not those of
            its dataset's record.
    """
    file = folder / "config.json"
    stated = read_json(file)
    dataset = dataset_in(stated, file)
    try:
        config = _config(stated["config"], dataset)
        files = {str(name): str(digest) for name, digest in stated["files"].items()}
        training = dict(stated.get("training", {}))
    except KeyError as error:
        raise InputError(f"{file} is not a checkpoint's configuration: it lacks {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{file} is not a checkpoint's configuration: {error}") from error
    trunks = set(files) - {WEIGHTS}
    if WEIGHTS not in files or not trunks or trunks - set(trunk_places(config.model)):
        raise InputError(f"{file} names other files than a checkpoint has")
    metrics = read_json(folder / "metrics.json")
    if metrics.get("cell") != str(CellName.of(config)):
        raise InputError(f"{folder / 'metrics.json'} belongs to another checkpoint")
    metrics = with_conditions(metrics, training, config.clean_text)
    return Card(config=config, training=training, metrics=metrics, files=files)


def read_metrics(folder: Path) -> dict[str, Any]:
    """A cell's metrics.json with all conditions of its figures that its config.json, if it is there, states.

    Raises:
        InputError: metrics.json is missing or damaged.
    """
    metrics = read_json(folder / "metrics.json")
    try:
        stated = read_json(folder / "config.json")
    except InputError:
        stated = {}
    config = stated.get("config")
    cleaning = config.get("clean_text") if isinstance(config, Mapping) else None
    return with_conditions(metrics, stated.get("training"), cleaning)


def read_dataset(folder: Path) -> Dataset:
    """The dataset of a cell's config.json alone. Raises InputError as `load_card`."""
    file = folder / "config.json"
    return dataset_in(read_json(file), file)


def dataset_in(stated: Mapping[str, Any], file: Path) -> Dataset:
    """The dataset that a config.json's values mean, checked against the labels that they list.

    Raises:
        InputError: the values lack something, are of another format, or contradict each other.
    """
    try:
        version, labels, name = stated["format"], stated["labels"], stated["config"]["dataset"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{file} is not a checkpoint's configuration: it lacks {error}") from error
    if version not in FORMATS:
        known = " and ".join(map(str, FORMATS))
        raise InputError(f"{file} is of format {quoted(version)}; this version reads formats {known}")
    dataset = _record(stated, name, file)
    if dataset.name != name:
        said = f"names the dataset {quoted(name)} and has the record of {quoted(dataset.name)}"
        raise InputError(f"{file} {said}")
    if isinstance(labels, list):  # of format 1, which had one task
        labels = {dataset.tasks[0]: labels}
    if labels != {task: list(dataset.outputs(task)) for task in dataset.tasks}:
        raise InputError(f"{file} lists other labels than the record of {dataset.name} has")
    return dataset


def _record(stated: Mapping[str, Any], name: Any, file: Path) -> Dataset:
    """The record in the file, or the bundled one of that name where the file is of format 1."""
    if "dataset" in stated:
        return read_record(stated["dataset"], str(file))
    known = bundled()
    if not isinstance(name, str) or name not in known:  # never a path that a stranger's file names
        raise InputError(f"{file} has no record of its dataset, and {quoted(name)} is not a known one")
    return known[name]

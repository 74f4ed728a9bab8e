"""The cells of this installation: which there are, what each is, and their models in memory."""

import logging
import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from mmdemo.cells import gpu, hub
from mmdemo.cells.gpu import ZERO_GPU
from mmdemo.cells.locate import (
    CARD_FILES,
    LARGER,
    Cell,
    checkpoints_root,
    found_datasets,
    list_cells,
    locate,
    pickable_cells,
    read_card,
    same_labels,
)
from mmdemo.cells.zoo import LoadedCell, Zoo
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.datasets.schema import Dataset
from mmdemo.measures import judged
from mmdemo.models.config import MODELS, PRESETS, ModelConfig
from mmdemo.models.fusion.table import FUSIONS, buildable, fusions_of
from mmdemo.types import InputError, quoted

log = logging.getLogger(__name__)

#: What the preset base takes to answer within 120 ms (`tests.bench.predict`): processors, and bytes of memory
#: for its 110 million weights beside lite's.
BASE_PROCESSORS, BASE_MEMORY = 2, 4 * 10**9

_making = Lock()


# ---------------------------------------------------------------- which there are


def known_datasets() -> dict[str, Dataset]:
    """The bundled datasets, then those found among the checkpoints, by name."""
    root = checkpoints_root()
    found = {
        name: dataset for preset in PRESETS for name, (dataset, _) in found_datasets(root, preset).items()
    }
    return {**bundled(), **found}


def dataset_named(name: str | Path) -> Dataset:
    """The dataset of a name from outside: a bundled one's, one's among the checkpoints, or a folder.

    Raises:
        InputError: there is none, its file cannot be read, or the checkpoints have one of the same name with
            other labels.
    """
    known = bundled()
    if str(name) in known:
        return known[str(name)]
    known = known_datasets()
    if str(name) in known:
        return known[str(name)]
    dataset = find_dataset(name)
    other = known.get(dataset.name)
    if other is not None and not same_labels(dataset, other):
        raise InputError(
            f"{name} names itself {quoted(dataset.name)}, and so does a dataset with other labels that is "
            "known already; give it another name in its dataset.toml"
        )
    return dataset


def cells(preset: str | None = None) -> tuple[Cell, ...]:
    """Every cell of a preset, ready or with the reason why not. Raises InputError for an unknown preset.

    None takes what a person can pick from (`pickable_cells`).
    """
    root = checkpoints_root()
    return pickable_cells(root) if preset is None else list_cells(root, preset)


def default_presets(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The presets whose best cell answers where nobody says: the first that has one of the dataset.

    Base if it is quick here (`BASE_PROCESSORS`, `BASE_MEMORY`) or what MMDEMO_PRESET states; then lite.

    Raises:
        InputError: MMDEMO_PRESET names no preset.
    """
    if stated := environ.get("MMDEMO_PRESET"):
        if stated not in PRESETS:
            raise InputError(f"MMDEMO_PRESET is {quoted(stated)}; known: {', '.join(PRESETS)}")
        return (stated, "lite") if stated in LARGER else (stated,)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    able = (os.cpu_count() or 1) >= BASE_PROCESSORS and memory >= BASE_MEMORY
    return ("base", "lite") if able or gpu.device().type == "cuda" else ("lite",)


def find_cell(dataset: Dataset | str, model: str, fusion: str, preset: str = "lite") -> Cell:
    """The named cell; a dataset's name as in `dataset_named`. Raises InputError for an unknown name."""
    if isinstance(dataset, str):
        dataset = dataset_named(dataset)
    if model in MODELS and fusion in buildable(model):
        config = ModelConfig(dataset=dataset, model=model, fusion=fusion, preset=preset)
        cell = locate(checkpoints_root(), config)
        if fusion in fusions_of(model) or cell.folder.is_dir():  # no zoo is expected to have the extra ones
            return cell
    raise InputError(
        f"there is no checkpoint for dataset {quoted(dataset.name)}, model {quoted(model)} "
        f"and fusion {quoted(fusion)}; known are {', '.join(MODELS)}; {_known_fusions(model)}"
    )


def _known_fusions(model: str) -> str:
    names = pickable(model) if model in MODELS else [row.name for row in FUSIONS.values() if not row.extra]
    return ", ".join(names)


def pickable(model: str, dataset: str = "*", preset: str = "*") -> tuple[str, ...]:
    """The fusions of a model that can be picked: the zoo's, and others of which there is a cell.

    Of any dataset and preset, where none is named.
    """
    root, zoo = checkpoints_root(), fusions_of(model)
    there = [
        name
        for name in buildable(model)
        if name not in zoo and any(root.glob(f"{preset}/{dataset}/{model}/{name}/config.json"))
    ]
    return (*zoo, *there)


# ---------------------------------------------------------------- what each is


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One cell: ``status`` is "ready" or "not ready" (``problem`` says why); ``size`` in bytes.

    ``size`` counts what the cell reads beside the base encoders that all cells share: its own files and
    its trunks, which it may share with the model's other fusions. 0 where there are no files.
    """

    cell: Cell
    status: str
    problem: str | None
    size: int
    metrics: dict[str, Any]


def entries(preset: str | None = None) -> tuple[Entry, ...]:
    """All cells of a preset; None as in `cells`. Raises InputError for an unknown preset."""
    return tuple(_entry(cell) for cell in cells(preset))


def describe(cell: Cell) -> dict[str, Any]:
    """What a cell's card shows: what truly runs, configuration, training, figures. Raises InputError.

    Reads the JSON files alone: a picker must not wait for weights.
    """
    card = read_card(cell)
    return {
        "runs": card.config.runs,
        "config": {
            "dataset": cell.dataset.name,
            "model": cell.model,
            "fusion": cell.fusion,
            "preset": cell.preset,
        },
        "source": str(cell.source) if cell.source else None,  # the Hub, where its files come from there
        "training": card.training,
        "metrics": card.metrics,
    }


def score_on_test(metrics: Mapping[str, Any], state: str = "photo") -> float | None:
    """The field's measure on test, with a state of the photo; of a cell with both tasks, their mean."""
    held: Any = metrics
    for key in ("splits", "test", state):
        held = held.get(key) if isinstance(held, Mapping) else None
    return judged(held) if isinstance(held, Mapping) else None


def _entry(cell: Cell) -> Entry:
    metrics: dict[str, Any] = {}
    problem = cell.problem
    if problem is None:
        try:
            metrics = read_card(cell).metrics
        except InputError as error:
            problem = str(error)
    return Entry(
        cell=cell,
        status="ready" if problem is None else "not ready",
        problem=problem,
        size=_size(cell),
        metrics=metrics,
    )


def _size(cell: Cell) -> int:
    """Bytes of the cell's own files and of all trunks that it reads; 0 where it cannot be read."""
    try:
        names = (*CARD_FILES, *read_card(cell).files)
    except InputError:
        return 0
    if cell.source:  # some may not have been fetched yet
        held = hub.listing(cell.source)
        paths = {posixpath.normpath(f"{cell.name}/{name}") for name in names}
        return sum(held[path].size for path in paths if path in held)
    return sum((cell.folder / name).stat().st_size for name in names if (cell.folder / name).is_file())


# ---------------------------------------------------------------- their models


@cache
def _zoo_in(root: Path) -> Zoo:
    if ZERO_GPU:  # what is loaded in a request's own process is lost with it: keep all (`preload`)
        return Zoo(root, size=len(list_cells(root)), device=gpu.device())
    return Zoo(root, device=gpu.device())


def load(cell: Cell) -> LoadedCell:
    """The cell's model, from memory or disk. Raises InputError naming what is missing or damaged."""
    with _making:  # two first requests at once must not make two
        zoo = _zoo_in(checkpoints_root())
    return zoo.load(cell)


def preload() -> None:
    """On a ZeroGPU Space, put every ready cell on the GPU; it must happen before the first request."""
    if ZERO_GPU:
        for cell in cells():
            if not cell.problem:
                try:
                    load(cell)
                except InputError as error:  # the other cells can be served
                    log.warning("%s cannot be used: %s", cell.name, error)

"""Which cells there are: those of the bundled datasets, and of any dataset found among the checkpoints."""

import os
import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from mmdemo.cells import hub
from mmdemo.cells.card import WEIGHTS, Card, load_card, read_dataset
from mmdemo.cells.name import CellName
from mmdemo.cells.pretrained_base import IMAGE, IMAGE_OF, base_place
from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.schema import Dataset
from mmdemo.models.config import MODELS, PRESETS, ModelConfig
from mmdemo.models.encoders.table import models_of
from mmdemo.models.fusion.table import FUSIONS, buildable, fusions_of
from mmdemo.types import InputError, quoted

#: Where checkpoints lie unless a caller or MMDEMO_CHECKPOINTS says otherwise.
SHIPPED = Path(__file__).parents[2] / "checkpoints"

#: What a preset's cells read from the base folder.
BASE_FILES: dict[str, tuple[str, ...]] = {
    "base": ("base.json", "text.safetensors", "image.safetensors", "tokenizer.json"),
    "lite": ("base.json", "text.safetensors", "image.safetensors", "tokenizer.json"),
    "full": ("base.json", "text.safetensors", "image.safetensors", "tokenizer.json"),
    "tiny": ("tokenizer.json",),
}

#: Presets beside lite, of which a zoo may have a part.
LARGER = ("base", "full")

#: What a cell says of itself.
CARD_FILES = ("config.json", "metrics.json")


def checkpoints_root() -> Path:
    """The folder of all presets."""
    return Path(os.environ.get("MMDEMO_CHECKPOINTS", SHIPPED))


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One pickable combination. ``problem`` says in a sentence why it cannot be used; None = ready.

    ``dataset`` is the cell's own record where it can be read. ``source`` is the Hub repository that its files
    come from where it is not among the checkpoints here; they are fetched into ``folder`` when they are first
    needed.
    """

    preset: str
    dataset: Dataset
    model: str
    fusion: str
    folder: Path
    problem: str | None = None
    source: hub.HubRepo | None = None

    @property
    def key(self) -> CellName:
        """The four parts of its name."""
        return CellName(preset=self.preset, dataset=self.dataset.name, model=self.model, fusion=self.fusion)

    @property
    def name(self) -> str:
        """preset/dataset/model/fusion"""
        return str(self.key)


def same_labels(one: Dataset, other: Dataset) -> bool:
    """Whether two records mean the same scores: the same tasks with the same labels in the same order."""
    return one.tasks == other.tasks and all(one.outputs(task) == other.outputs(task) for task in one.tasks)


def list_cells(root: Path, preset: str = "lite") -> tuple[Cell, ...]:
    """All cells of a preset, ready or with the reason why not.

    Of a bundled dataset these are all models with all of the zoo's fusions, and those with another that are
    there; of a dataset that is found among the checkpoints those that are there.

    Raises:
        InputError: an unknown preset.
    """
    if preset not in PRESETS:
        raise InputError(f"unknown preset {quoted(preset)}; known: {', '.join(PRESETS)}")
    cells = [
        locate(root, ModelConfig(dataset=dataset, model=model, fusion=fusion, preset=preset))
        for dataset in bundled().values()
        for model in models_of(preset)
        for fusion in fusions_of(model)
    ]
    for name in sorted(_names_in(root, preset), key=_in_order):
        if name.dataset in bundled() and name.fusion not in fusions_of(name.model):
            own = bundled()[name.dataset]
            config = ModelConfig(dataset=own, model=name.model, fusion=name.fusion, preset=preset)
            cells.append(locate(root, config))
    distant = not all(cell.folder.is_dir() and cell.source is None for cell in cells)
    for dataset, names in found_datasets(root, preset, on_hub=distant).values():
        configs = (
            ModelConfig(dataset=dataset, model=name.model, fusion=name.fusion, preset=preset)
            for name in names
        )
        cells += [locate(root, config) for config in configs]
    return tuple(cells)


def pickable_cells(root: Path) -> tuple[Cell, ...]:
    """What a person can pick from: all cells of lite, and of the larger presets what has been trained."""
    larger = (cell for preset in LARGER if (root / preset).is_dir() for cell in list_cells(root, preset))
    return (*list_cells(root), *(cell for cell in larger if cell.folder.is_dir()))


def found_datasets(
    root: Path, preset: str, *, on_hub: bool = True
) -> dict[str, tuple[Dataset, tuple[CellName, ...]]]:
    """The datasets that do not come with the program but have cells, here or on the Hub, with their cells.

    The Hub is left in peace where ``on_hub`` is False.

    A dataset's record is that of its first cell whose record can be read; cells with other labels than this
    have a problem (`locate`).
    """
    found: dict[str, tuple[Dataset, tuple[CellName, ...]]] = {}
    names = sorted({*_names_in(root, preset), *(_names_on_hub(preset) if on_hub else ())}, key=_in_order)
    for name in names:
        if name.dataset in bundled():
            continue
        if name.dataset in found:
            dataset, others = found[name.dataset]
            found[name.dataset] = dataset, (*others, name)
            continue
        try:
            found[name.dataset] = _own_dataset(root, name), (name,)
        except InputError:  # a damaged one: its name alone says too little to list it
            continue
    return found


def _in_order(name: CellName) -> tuple[str, int, int]:
    return name.dataset, list(MODELS).index(name.model), list(FUSIONS).index(name.fusion)


def _names_in(root: Path, preset: str) -> Iterator[CellName]:
    for file in (root / preset).glob("*/*/*/config.json"):
        yield from _known(CellName.parse(file.parent.relative_to(root).as_posix()))


def _names_on_hub(preset: str) -> Iterator[CellName]:
    try:
        repo = hub.configured()
        held = hub.listing(repo) if repo else {}
    except InputError:  # `locate` says it for each bundled cell
        return
    for path in held:
        if path.startswith(f"{preset}/") and path.endswith("/config.json") and path.count("/") == 4:
            yield from _known(CellName.parse(path.removesuffix("/config.json")))


def _known(name: CellName) -> Iterator[CellName]:
    """The name, if its model has such a fusion."""
    if name.model in MODELS and name.fusion in buildable(name.model):
        yield name


def _own_dataset(root: Path, name: CellName) -> Dataset:
    """The record in a cell's config.json, here or on the Hub. Raises InputError where it has none."""
    folder = root / name.path
    if not folder.is_dir() and (repo := hub.configured()):
        hub.fetch(repo, [f"{name}/config.json"])
        folder = repo.root / name.path
    dataset = read_dataset(folder)
    if dataset.name != name.dataset:
        raise InputError(f"{folder} holds a checkpoint of another dataset ({dataset.name})")
    return dataset


def locate(root: Path, config: ModelConfig) -> Cell:
    """One cell, in ``root``, else on the Hub where one is configured; ready or with the reason why not."""
    name = CellName.of(config)
    folder, source, dataset = root / name.path, None, config.dataset
    problem: str | None = f"{name} is not among the checkpoints here"
    if folder.is_dir():
        dataset, problem = _look_at(root, folder, config)
    else:
        try:
            if repo := hub.configured():
                problem = f"{problem}, nor in the Hub repository {repo}"
                if hub.offers(repo, [*paths_of(name, (*CARD_FILES, WEIGHTS)), *_on_hub(repo, config)]):
                    folder, source, problem = repo.root / name.path, repo, None
            else:
                problem = f"{problem}; train it with python -m train run"
        except InputError as error:
            problem = f"{problem}: {error}"
    return Cell(
        preset=config.preset,
        dataset=dataset,
        model=config.model,
        fusion=config.fusion,
        folder=folder,
        problem=problem,
        source=source,
    )


def paths_of(name: CellName, files: Sequence[str]) -> list[str]:
    """A cell's files as paths below a checkpoints root."""
    return [posixpath.normpath(f"{name}/{file}") for file in files]


def base_paths(config: ModelConfig, has: Callable[[str], bool]) -> list[str]:
    """The files of a configuration's base as paths below a checkpoints root, which ``has`` says of each.

    An image side that two presets share is the owner's where the base has none of its own.
    """
    paths = [f"{base_place(config)}/{name}" for name in BASE_FILES[config.preset]]
    owner, own = IMAGE_OF.get(config.preset), f"{base_place(config)}/{IMAGE}"
    if owner is None or has(own):
        return paths
    return [f"{owner}/base/{IMAGE}" if path == own else path for path in paths]


def _on_hub(repo: hub.HubRepo, config: ModelConfig) -> list[str]:
    return base_paths(config, hub.listing(repo).__contains__)


def read_card(cell: Cell) -> Card:
    """What the cell says of itself; its two small files are fetched if need be.

    Raises:
        InputError: they cannot be had or read, or are another cell's or of other labels.
    """
    if cell.source:
        hub.fetch(cell.source, paths_of(cell.key, CARD_FILES))
    card = load_card(cell.folder)
    if problem := _other(cell.folder, card, cell.key, cell.dataset):
        raise InputError(problem)
    return card


def _other(folder: Path, card: Card, name: CellName, dataset: Dataset) -> str | None:
    """Why a folder's card is not the cell that is wanted; None where it is."""
    if card.name != name:
        return f"{folder} holds another checkpoint ({card.name})"
    if not same_labels(card.config.dataset, dataset):
        return (
            f"{name} was trained for other labels than those of the dataset {dataset.title} "
            f"that is asked for: two datasets share the name {quoted(dataset.name)}; rename one"
        )
    return None


def _look_at(root: Path, folder: Path, config: ModelConfig) -> tuple[Dataset, str | None]:
    """The record of a cell that is here, and why it cannot be used."""
    try:
        card = _plain_card(folder, state_of(folder))
    except InputError as error:
        return config.dataset, str(error)
    if problem := _other(folder, card, CellName.of(config), config.dataset):
        return config.dataset, problem
    needed = [folder / name for name in card.files]
    needed += [root / place for place in base_paths(config, lambda place: (root / place).is_file())]
    missing = [file for file in needed if not file.is_file()]
    problem = f"the checkpoint file {missing[0]} is missing" if missing else None
    return card.config.dataset, problem


def state_of(folder: Path) -> tuple[int, ...]:
    """What changes when a cell's JSON files are replaced or removed."""
    try:
        found = [(folder / name).stat() for name in CARD_FILES]
    except OSError:
        return ()
    return tuple(value for stat in found for value in (stat.st_ino, stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=512)
def _plain_card(folder: Path, state: tuple[int, ...]) -> Card:
    """A cell's card less its figures: each request looks its cell up, and to parse them takes it longest.

    ``state`` is the folder's. Raises InputError as `load_card`, each time anew.
    """
    return replace(load_card(folder), training={}, metrics={})

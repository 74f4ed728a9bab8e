"""Every cell that can be picked: find it, load it once, keep the most recent ones."""

import os
import posixpath
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import torch

from mmdemo.cells import hub
from mmdemo.cells.checkpoint import TRUNK_PLACES, Card, load_card, load_model
from mmdemo.cells.pretrained_base import base_place
from mmdemo.models.config import DATASETS, MODELS, ModelConfig, fusions_of
from mmdemo.models.encode import PostEncoder
from mmdemo.models.encoders.image import normalisation_of
from mmdemo.models.model import MultimodalModel
from mmdemo.posts.text import TextReader
from mmdemo.types import InputError

#: Where checkpoints lie unless a caller or MMDEMO_CHECKPOINTS says otherwise.
SHIPPED = Path(__file__).parents[1] / "checkpoints"

#: What a preset's cells read from the base folder.
BASE_FILES: dict[str, tuple[str, ...]] = {
    "lite": ("base.json", "text.safetensors", "image.safetensors", "tokenizer.json"),
    "full": ("base.json", "text.safetensors", "image.safetensors", "tokenizer.json"),
    "tiny": ("tokenizer.json",),
}


#: Places that a preset's trunk takes among those that stay loaded; else 1. A full one holds up to 1.6 GB.
PLACES = {"full": 4}

#: What a cell says of itself.
CARD_FILES = ("config.json", "metrics.json")


def checkpoints_root() -> Path:
    """The folder of all presets."""
    return Path(os.environ.get("MMDEMO_CHECKPOINTS", SHIPPED))


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One pickable combination. ``problem`` says in a sentence why it cannot be used; None = ready.

    ``source`` is the Hub repository that its files come from where it is not among the checkpoints here; they
    are fetched into ``folder`` when they are first needed.
    """

    preset: str
    dataset: str
    model: str
    fusion: str
    folder: Path
    problem: str | None = None
    source: hub.HubRepo | None = None

    @property
    def name(self) -> str:
        """preset/dataset/model/fusion"""
        return f"{self.preset}/{self.dataset}/{self.model}/{self.fusion}"


@dataclass(frozen=True, kw_only=True)
class LoadedCell:
    """A cell ready to predict."""

    card: Card
    model: MultimodalModel
    encoder: PostEncoder

    @property
    def device(self) -> torch.device:
        """Where the model lies, and its batches must."""
        return next(self.model.parameters()).device


def list_cells(root: Path, preset: str = "lite") -> tuple[Cell, ...]:
    """All dataset x model x fusion cells of a preset, ready or with the reason why not."""
    cells = []
    for dataset in DATASETS:
        for model in MODELS:
            for fusion in fusions_of(model):
                config = ModelConfig(dataset=dataset, model=model, fusion=fusion, preset=preset)
                cells.append(locate(root, config))
    return tuple(cells)


def locate(root: Path, config: ModelConfig) -> Cell:
    """One cell, in ``root``, else on the Hub where one is configured; ready or with the reason why not."""
    folder, source = root / config.cell, None
    problem: str | None = f"{config.cell} is not among the checkpoints here"
    if folder.is_dir():
        problem = _problem(root, folder, config)
    else:
        try:
            if repo := hub.configured():
                problem = f"{problem}, nor in the Hub repository {repo}"
                if hub.offers(
                    repo, [*_paths(config, (*CARD_FILES, "model.safetensors")), *_base_paths(config)]
                ):
                    folder, source, problem = repo.root / config.cell, repo, None
            else:
                problem = f"{problem}; train it with python -m train run"
        except InputError as error:
            problem = f"{problem}: {error}"
    return Cell(
        preset=config.preset,
        dataset=config.dataset,
        model=config.model,
        fusion=config.fusion,
        folder=folder,
        problem=problem,
        source=source,
    )


def _paths(config: ModelConfig, names: Sequence[str]) -> list[str]:
    """A cell's files as paths below a checkpoints root."""
    return [posixpath.normpath(f"{config.cell}/{name}") for name in names]


def _base_paths(config: ModelConfig) -> list[str]:
    return [f"{base_place(config)}/{name}" for name in BASE_FILES[config.preset]]


def read_card(cell: Cell) -> Card:
    """What the cell says of itself; its two small files are fetched if need be. Raises InputError."""
    if cell.source:
        config = ModelConfig(dataset=cell.dataset, model=cell.model, fusion=cell.fusion, preset=cell.preset)
        hub.fetch(cell.source, _paths(config, CARD_FILES))
    return load_card(cell.folder)


def _problem(root: Path, folder: Path, config: ModelConfig) -> str | None:
    try:
        card = load_card(folder)
    except InputError as error:
        return str(error)
    if card.config.cell != config.cell:
        return f"{folder} holds another checkpoint ({card.config.cell})"
    needed = [folder / name for name in card.files]
    needed += [root / place for place in _base_paths(config)]
    missing = [file for file in needed if not file.is_file()]
    return f"the checkpoint file {missing[0]} is missing" if missing else None


class Zoo:
    """Loads cells and keeps those on the ``size`` trunks used last; safe to share between threads.

    Cells on one trunk share its encoders, nearly all of their size: a whole comparison takes one place.

    A cell whose JSON files have been replaced since (it was trained again) is loaded again. Models lie on
    ``device``; None leaves them where they were built.
    """

    def __init__(self, root: Path, size: int = 8, device: torch.device | None = None) -> None:
        self.root = root
        self._device = device
        self._size = size
        self._loaded: OrderedDict[str, tuple[tuple[int, ...], LoadedCell]] = OrderedDict()
        self._lock = Lock()

    def load(self, cell: Cell) -> LoadedCell:
        """The cell, from memory, disk or the Hub. Raises InputError naming what is missing or damaged."""
        if cell.source and cell.name not in self._loaded:
            _fetch(cell, cell.source)  # before the lock: the other cells still answer meanwhile
        with self._lock:
            state = _state(cell)
            if cell.name not in self._loaded or self._loaded[cell.name][0] != state:
                loaded = self._read(cell)
                loaded.model.to(self._device or loaded.device)
                self._loaded[cell.name] = state, loaded
            self._loaded.move_to_end(cell.name)
            self._make_room()
            return self._loaded[cell.name][1]

    def _make_room(self) -> None:
        """Forget the cells on the trunks used least recently; the last one stays, whatever its size."""
        kept: dict[tuple[str, ...], int] = {}
        for name, (_, loaded) in reversed(list(self._loaded.items())):
            trunk, places = trunk_hash(loaded.card), PLACES.get(loaded.card.config.preset, 1)
            if kept and trunk not in kept and sum(kept.values()) + places > self._size:
                del self._loaded[name]
            else:
                kept[trunk] = places

    def _read(self, cell: Cell) -> LoadedCell:
        """The cell from disk. Cells on one trunk hold its encoders once: nearly all of a cell's size."""
        root = cell.source.root if cell.source else self.root
        card = _checked_card(root, cell)
        on_trunk = [o.model for _, o in self._loaded.values() if trunk_hash(o.card) == trunk_hash(card)]
        encoders_of = on_trunk[0] if on_trunk else None
        model = load_model(root, cell.folder, card, encoders_of)
        return LoadedCell(card=card, model=model, encoder=post_encoder(card.config, root))


def trunk_hash(card: Card) -> tuple[str, ...]:
    """The same for two cells only where the base, the trunk's bytes and the shape are the same."""
    digests = [digest for name, digest in card.files.items() if name in TRUNK_PLACES]
    return (card.config.preset, card.config.model, *digests)


def _state(cell: Cell) -> tuple[int, ...]:
    """What changes when the cell's JSON files are replaced or removed."""
    try:
        found = [(cell.folder / name).stat() for name in CARD_FILES]
    except OSError:
        return ()
    return tuple(value for stat in found for value in (stat.st_ino, stat.st_mtime_ns, stat.st_size))


def _fetch(cell: Cell, repo: hub.HubRepo) -> None:
    """Bring all that the cell needs from the Hub, or check what has been brought before."""
    card = read_card(cell)
    hub.fetch(repo, [*_paths(card.config, tuple(card.files)), *_base_paths(card.config)])


def _checked_card(root: Path, cell: Cell) -> Card:
    if not cell.folder.is_dir():
        raise InputError(f"there is no checkpoint {cell.name} in {root}")
    card = load_card(cell.folder)
    if card.config.cell != cell.name:
        raise InputError(f"{cell.folder} holds another checkpoint ({card.config.cell})")
    return card


def post_encoder(config: ModelConfig, root: Path) -> PostEncoder:
    """What turns posts into a configuration's examples; the tokenizer lies in the base folder."""
    tokenizer = root / base_place(config) / "tokenizer.json"
    reader = TextReader.load(tokenizer, config.sizes.max_subtokens)
    return PostEncoder(config, reader, normalisation_of(config.preset, config.model))

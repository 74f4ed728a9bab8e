"""Loaded cells: each read once, the most recent ones kept."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import torch

from mmdemo.cells import hub
from mmdemo.cells.card import Card
from mmdemo.cells.checkpoint import load_model
from mmdemo.cells.locate import Cell, base_paths, paths_of, read_card, state_of
from mmdemo.cells.pretrained_base import base_place
from mmdemo.datasets.schema import Dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.encode import PostEncoder
from mmdemo.models.model import MultimodalModel
from mmdemo.models.subtokens import TextReader
from mmdemo.types import InputError

#: Places that a preset's trunk takes among those that stay loaded; else 1. A full one holds up to 1.6 GB.
PLACES = {"full": 4}


@dataclass(frozen=True, kw_only=True)
class LoadedCell:
    """A cell ready to predict."""

    card: Card
    model: MultimodalModel
    encoder: PostEncoder

    @property
    def dataset(self) -> Dataset:
        """The cell's own record."""
        return self.card.config.dataset

    @property
    def device(self) -> torch.device:
        """Where the model lies, and its batches must."""
        return next(self.model.parameters()).device


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
            state = state_of(cell.folder)
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
        if not cell.folder.is_dir():
            raise InputError(f"there is no checkpoint {cell.name} in {root}")
        card = read_card(cell)
        on_trunk = [o.model for _, o in self._loaded.values() if trunk_hash(o.card) == trunk_hash(card)]
        encoders_of = on_trunk[0] if on_trunk else None
        model = load_model(root, cell.folder, card, encoders_of)
        return LoadedCell(card=card, model=model, encoder=post_encoder(card.config, root))


def trunk_hash(card: Card) -> tuple[str, ...]:
    """The same for two cells only where the base, the trunk's bytes and the shape are the same."""
    shape = "words" if card.config.text_sees_words else ""
    return (card.config.preset, card.config.model, shape, *card.trunks.values())


def _fetch(cell: Cell, repo: hub.HubRepo) -> None:
    """Bring all that the cell needs from the Hub, or check what has been brought before."""
    card = read_card(cell)
    base = base_paths(card.config, hub.listing(repo).__contains__)
    hub.fetch(repo, [*paths_of(card.name, tuple(card.files)), *base])


def post_encoder(config: ModelConfig, root: Path) -> PostEncoder:
    """What turns posts into a configuration's examples; the tokenizer lies in the base folder."""
    tokenizer = root / base_place(config) / "tokenizer.json"
    reader = TextReader.load(tokenizer, config.sizes.max_subtokens)
    return PostEncoder(config, reader, config.sides.normalisation)

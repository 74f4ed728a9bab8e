"""Score cells as they are stored, on validation and test under each photo condition, and keep their answers.

What a run does when its cell is whole, and `rescore` for cells that stand already: figures are of the bytes
that ship, also where a base or a trunk was stored in another number of bits since.
"""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import torch

from mmdemo.cells.card import WEIGHTS, Card, load_card
from mmdemo.cells.checkpoint import load_model
from mmdemo.cells.files import read_json, write_json
from mmdemo.cells.zoo import post_encoder
from mmdemo.models.config import ModelConfig
from mmdemo.models.encode import PostEncoder
from mmdemo.models.model import MultimodalModel
from mmdemo.types import InputError
from train.cells.conditions import code_at_start
from train.data.source import DataSource
from train.score.answers import save_answers
from train.score.evaluate import CONDITIONS, HeldOut, answers, condition_posts, score_conditions

#: The splits that a cell is scored on, and how the photos are changed on each.
SPLITS = {"valid": ("photo", "none"), "test": CONDITIONS}

#: What metrics.json says that follows from the answers, and is not true of others.
FROM_ANSWERS = ("calibration", "photo_effect", "row_effect", "triples", "elsewhere")

#: Cells that read the same states of the same trunk.
Alike = tuple[object, ...]


def held_out_posts(
    config: ModelConfig,
    source: DataSource,
    model: MultimodalModel,
    encoder: PostEncoder,
    root: Path,
    cache: Path,
    limit: int | None = None,
    tuned: str = "",
) -> dict[str, HeldOut]:
    """The posts of `SPLITS` under their conditions with the trunk's states (`condition_posts`)."""
    return {
        split: condition_posts(
            model,
            encoder,
            source.questions(config.dataset, split, limit),
            root,
            cache,
            conditions=conditions,
            tuned=tuned,
        )
        for split, conditions in SPLITS.items()
    }


def score_stored(
    config: ModelConfig, model: MultimodalModel, held_out: dict[str, HeldOut], keep: Path
) -> dict[str, Any]:
    """A loaded cell's scores by split and condition; its probabilities go into ``keep``, for calibration."""
    splits = {}
    for split, asked in held_out.items():
        found = answers(model, asked)
        save_answers(keep / f"{split}.npz", found)
        splits[split] = score_conditions(config, asked, found)
    return splits


def answers_folder(work: Path, cell: str) -> Path:
    """Where a run keeps a cell's probabilities for calibration, slices and intervals."""
    return work / "answers" / cell


def rescore(
    root: Path, patterns: Sequence[str], source_of: Callable[[Card], DataSource], work: Path
) -> Iterator[str]:
    """Score cells of ``root`` again and put the figures into their metrics.json; yield each cell's name.

    What followed from the former answers (`FROM_ANSWERS`) is taken out. Cells that read the same states of
    the same trunk have them computed once. One that ``work`` has answers of is done, and is left alone.

    Raises:
        InputError: no cell fits the patterns, or one or its data cannot be used.
    """
    groups: dict[Alike, list[Card]] = defaultdict(list)
    for file in sorted(root.glob("*/*/*/*/config.json")):
        card = load_card(file.parent)
        if any(fnmatch(card.config.cell, pattern) for pattern in patterns):
            groups[_alike(card)].append(card)
    if not groups:
        raise InputError(f"no cell in {root} fits {', '.join(patterns)}")
    for cards in groups.values():
        left = [card for card in cards if not (answers_folder(work, card.config.cell) / "test.npz").is_file()]
        if left:
            yield from _rescore_alike(root, left, source_of(left[0]), work)


def _alike(card: Card) -> Alike:
    trunks = sorted((name, digest) for name, digest in card.files.items() if name != WEIGHTS)
    config = card.config
    return config.preset, config.dataset.name, config.model, config.encoder_input, tuple(trunks)


def _rescore_alike(root: Path, cards: Sequence[Card], source: DataSource, work: Path) -> Iterator[str]:
    """Score cells whose encoders' states are the same."""
    first = cards[0].config
    encoders = load_model(root, root / first.cell, cards[0])
    encoder = post_encoder(first, root)
    tuned = cards[0].files.get("trunk.safetensors", "")
    held_out = held_out_posts(
        first, source, encoders, encoder, root, work / "regions", cards[0].training.get("limit"), tuned
    )
    code = code_at_start()
    scored = {"commit": code.commit, "tree": code.tree, "torch": torch.__version__}
    for card in cards:
        name = card.config.cell
        model = load_model(root, root / name, card, encoders)
        keep = answers_folder(work, name)
        part = keep.with_name(f".{keep.name}.part")  # a cell counts as done once its figures are written too
        splits = score_stored(card.config, model, held_out, part)
        file = root / name / "metrics.json"
        kept = {key: value for key, value in read_json(file).items() if key not in FROM_ANSWERS}
        write_json(file, kept | {"splits": splits, "scored": scored})
        shutil.rmtree(keep, ignore_errors=True)
        part.rename(keep)
        yield name

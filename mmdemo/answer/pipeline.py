"""The one place that chains the parts: a person's text and photo -> Post -> Prediction.

The command line and the app call only these functions; every `InputError` is a sentence to show.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch

from mmdemo.cells import gpu
from mmdemo.cells.calibration import Calibration
from mmdemo.cells.gpu import ZERO_GPU
from mmdemo.cells.zoo import Cell, LoadedCell, Zoo, checkpoints_root, list_cells, locate, read_card
from mmdemo.datasets.bio import output_labels
from mmdemo.explain import explainers
from mmdemo.explain.counterfactual import changes, imagined
from mmdemo.explain.explained_post import ask
from mmdemo.explain.explainers import VIEWS
from mmdemo.models.batch import Example, collate
from mmdemo.models.config import DATASETS, FUSIONS, MODELS, ModelConfig, fusions_of
from mmdemo.models.decode import decode_entities, decode_relations, entropy, looks_untrained, softmax
from mmdemo.models.model import ModelOutput
from mmdemo.models.photo_cache import SEEN
from mmdemo.photo.image import open_image
from mmdemo.posts.question import input_warnings, read_post
from mmdemo.types import (
    Counterfactual,
    Entity,
    Explanation,
    ImageSource,
    InputError,
    Post,
    Prediction,
    Relation,
    quoted,
)

__all__ = [
    "VIEWS",
    "ZERO_GPU",
    "Cell",
    "cells",
    "counterfactuals",
    "describe",
    "explain",
    "find_cell",
    "load",
    "open_image",
    "predict",
    "predict_many",
    "preload",
    "read_post",
]


log = logging.getLogger(__name__)
_making = Lock()


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


def cells(preset: str | None = None) -> tuple[Cell, ...]:
    """Every cell of a preset, ready or with the reason why not. Raises InputError for an unknown preset.

    None takes what a person can pick from: the lite zoo, and those full cells that have been trained.
    """
    root = checkpoints_root()
    if preset is not None:
        return list_cells(root, preset)
    trained = [c for c in list_cells(root, "full") if c.folder.is_dir()] if (root / "full").is_dir() else []
    return (*list_cells(root), *trained)


def find_cell(dataset: str, model: str, fusion: str, preset: str = "lite") -> Cell:
    """The named cell. Raises InputError for an unknown name."""
    if dataset in DATASETS and model in MODELS and fusion in fusions_of(model):
        config = ModelConfig(dataset=dataset, model=model, fusion=fusion, preset=preset)
        return locate(checkpoints_root(), config)
    raise InputError(
        f"there is no checkpoint for dataset {quoted(dataset)}, model {quoted(model)} and fusion "
        f"{quoted(fusion)}; known are {', '.join(DATASETS)}; {', '.join(MODELS)}; {', '.join(FUSIONS)}"
    )


def describe(cell: Cell) -> dict[str, Any]:
    """What a cell's card shows: what truly runs, configuration, training, figures. Raises InputError.

    Reads the JSON files alone: a picker must not wait for weights.
    """
    card = read_card(cell)
    return {
        "runs": card.config.runs,
        "config": {
            "dataset": cell.dataset,
            "model": cell.model,
            "fusion": cell.fusion,
            "preset": cell.preset,
        },
        "source": str(cell.source) if cell.source else None,  # the Hub, where its files come from there
        "training": card.training,
        "metrics": card.metrics,
    }


@gpu.on_gpu
def predict(post: Post, cell: Cell) -> Prediction:
    """Entities or relations of one post by one cell.

    Raises:
        InputError: the checkpoint is missing or damaged, the photo cannot be read, or a relation is asked
            for without a marked pair.
    """
    return predict_many([post], cell)[0]


def predict_many(posts: Sequence[Post], cell: Cell) -> list[Prediction]:
    """`predict` for posts that one forward pass takes together; posts of like length waste the least.

    A post's answer does not depend on the others but for the last digits of its scores.

    Raises:
        InputError: as `predict`, for any one of the posts.
    """
    loaded = load(cell)
    examples = encode(posts, loaded)
    with torch.inference_mode():
        output = loaded.model(collate(examples).to(loaded.device))
    return answers_of(posts, cell, loaded, examples, output)


def encode(posts: Sequence[Post], loaded: LoadedCell) -> list[Example]:
    """The posts as a cell's model takes them, photos as their regions. Raises InputError as `predict`."""
    if loaded.card.config.task == "re" and any(post.pair is None for post in posts):
        raise InputError("mark the head as [E1]…[/E1] and the tail as [E2]…[/E2]")
    examples = []
    for post in posts:
        photo = None if post.image is None else open_image(post.image)
        question = replace(post, entities=None, tags=None, relation=None)  # may be another dataset's
        examples.append(loaded.encoder.encode(question, photo))
    return SEEN.fill(examples, loaded.model.image_encoder, loaded.device)


def answers_of(
    posts: Sequence[Post], cell: Cell, loaded: LoadedCell, examples: Sequence[Example], output: ModelOutput
) -> list[Prediction]:
    """What a model's output says of each post. Raises InputError where its scores are not finite."""
    logits = output.logits.float().cpu().numpy()
    answers = []
    for row, (post, example) in enumerate(zip(posts, examples, strict=True)):
        first_W = np.array(example.text.first)
        own = logits[row] if loaded.card.config.task == "re" else logits[row, : len(first_W)]
        trace = {
            name: _unpadded(name, value[row].float().cpu().numpy(), len(example.text.ids))
            for name, value in output.trace.items()
            if post.image is not None  # beside others' photos its values would say nothing
        }
        answers.append(_answer(post, cell, loaded, own, first_W, example.text.cut, trace))
    return answers


def _unpadded(name: str, value: np.ndarray, length: int) -> np.ndarray:
    """A post's own part of a batch's trace; the name's letters (``gamma_BLD``) say which axis is padded."""
    axes = name.rpartition("_")[2].removeprefix("B")
    return value[tuple(slice(length) if axis == "L" else slice(None) for axis in axes)]


@gpu.on_gpu
def explain(
    post: Post,
    cell: Cell,
    *,
    target: int | None = None,
    views: Sequence[str] | None = None,
    others: Sequence[ImageSource] = (),
) -> Explanation:
    """Why a cell answers a post as it does: pictures' numbers, for every view that the cell can give.

    Args:
        target: which answer. Entities: the index of a word, meaning its entity, or its likeliest tag where
            it is in none. A relation: its place among ``Prediction.relations``. None takes the surest.
        views: names from `VIEWS`; None takes all that are quick.
        others: photos to set the post's own against (`image-contribution`).

    Raises:
        InputError: as in `predict`, or for a target or view that there is not.
    """
    prediction = predict(post, cell)
    loaded = load(cell)
    temperature = Calibration.of(loaded.card.metrics).temperature
    subject = ask(loaded.model, loaded.encoder, prediction, target, temperature=temperature, others=others)
    return explainers.explain(subject, views)


@gpu.on_gpu
def counterfactuals(
    post: Post,
    cell: Cell,
    *,
    others: Sequence[ImageSource] = (),
    painted: np.ndarray | None = None,
    masked: Collection[int] = (),
    replaced: Mapping[int, str] | None = None,
) -> tuple[Counterfactual, ...]:
    """The answers to a post imagined otherwise, each as what differs from the answer to the post itself.

    The arguments are `mmdemo.explain.counterfactual.imagined`'s; "without the photo" comes first, unasked.

    Raises:
        InputError: as in `predict`, or for what cannot be imagined.
    """
    cases = imagined(post, others=others, painted=painted, masked=masked, replaced=replaced)
    before, *answers = predict_many([post, *(case for _, case in cases)], cell)
    return tuple(
        Counterfactual(name=name, prediction=answer, changes=changes(before, answer))
        for (name, _), answer in zip(cases, answers, strict=True)
    )


def _answer(
    post: Post,
    cell: Cell,
    loaded: LoadedCell,
    logits: np.ndarray,
    first_W: np.ndarray,
    cut: tuple[int, ...],
    trace: dict[str, np.ndarray],
) -> Prediction:
    if not np.isfinite(logits).all():
        raise InputError(f"the checkpoint {cell.name} gave no finite scores; its files may be damaged")
    labels = output_labels(cell.dataset)
    calibration = Calibration.of(loaded.card.metrics)
    probabilities = calibration.probabilities(logits)
    warnings = input_warnings(post, cut)
    seen = first_W >= 0  # the head's scores of other words mean nothing
    scored = logits if loaded.card.config.task == "re" else logits[seen]
    if scored.size and looks_untrained(softmax(scored)):
        warnings.append("The best score is near chance: this checkpoint looks untrained.")
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    if loaded.card.config.task == "re":
        relations = decode_relations(probabilities, labels)
    else:
        read = int(np.flatnonzero(seen)[-1]) + 1 if seen.any() else 0
        probabilities = np.where(seen[:, None], probabilities, np.nan)[:read]
        entities = calibration.entities(decode_entities(probabilities, post.tokens, labels))
    return Prediction(
        post=post,
        checkpoint=cell.name,
        image_used=post.image is not None,
        entities=entities,
        relations=relations,
        warnings=tuple(warnings),
        trace=trace,
        entropy=entropy(probabilities),
        unread=tuple(np.flatnonzero(~seen).tolist()),
    )

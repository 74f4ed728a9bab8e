"""The stage that trains a row: its trunk together with all of its fusions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from mmdemo.models.batch import Batch, Example
from mmdemo.models.config import ModelConfig
from mmdemo.models.decode import softmax
from mmdemo.models.model import build_model
from mmdemo.types import InputError, Post, Question
from train.data.batches import bucketed_batches, count_batches, ordered_batches
from train.data.photo_words import one_described
from train.data.questions import gold_of
from train.fit.cached_states import Regions, region_maps, with_regions
from train.fit.loop import Task, fit
from train.fit.recipe import Recipe
from train.fit.rows.loss import row_loss, twice
from train.fit.rows.model import RowModel
from train.fit.stages import Material, backbone_salt, shared_part
from train.fit.starts import best_of, cell_on, fresh_model, is_trunk_alone, start_from, untrained_model
from train.fit.state import save_state
from train.fit.streams import DESCRIPTIONS, PARTS, WEIGHTS, drawn, stream
from train.score.metrics import Scores, headline
from train.score.predict import as_answer, score

Validate = Callable[[RowModel], Scores]


def fresh_row(
    config: ModelConfig,
    fusions: Sequence[str],
    recipe: Recipe,
    root: Path,
    start: Path | None = None,
    aligned: Mapping[str, Tensor] | None = None,
    beside: RowModel | None = None,
) -> RowModel:
    """A row to be trained: each cell's parts start as they would alone, whatever stands beside it.

    ``aligned`` are an image encoder's tensors that are trained already (`train.bases.align`). ``beside`` is
    another dataset's row, which has its start and lends its encoders. From a trunk of several datasets each
    cell that stands on it goes on with its own parts too (`train.fit.starts.cell_on`).
    """
    configs = [replace(config, fusion=fusion, dropout=recipe.dropout) for fusion in fusions]
    if beside is None:
        first = (fresh_model if start is None else untrained_model)(configs[0], recipe, root)
        first.load_state_dict(dict(aligned or {}), strict=False)
        cells = {fusions[0]: first}
    else:
        first, cells = next(iter(beside.by_fusion().values())), {}
    for own in configs[len(cells) :]:
        cells[own.fusion] = build_model(own, first, lambda part: drawn(recipe.seed, WEIGHTS, part))
    if start is None:
        return RowModel(cells)
    alone = is_trunk_alone(start)
    if beside is None:  # one pair of encoders: a trunk is added once
        for own in configs[:1] if alone else configs:
            start_from(cells[own.fusion], own, start)
    for own in configs if alone else ():
        if (folder := cell_on(start, own)) is not None:
            start_from(cells[own.fusion], own, folder)
    return RowModel(cells)


def train_row(
    material: Material,
    row: RowModel,
    recipe: Recipe,
    folder: Path,
    root: Path,
    cache: Path,
    accelerator: Accelerator,
) -> "RowData":
    """Train encoders and cells at once; the best epoch's weights, by the cells' mean, stay in ``folder``.

    ``row`` is left with them. Gives back its posts, and with them what scores it on validation.

    Raises:
        InputError: as `RowData`.
    """
    data = RowData(material, row, recipe, root, cache, accelerator)
    config = material.config
    task = Task(
        name=f"{config.dataset.name}/{config.model}",
        batches=data.batches,
        steps=data.steps,
        validate=data.validate,
        loss=row_loss,
        headline=row_headline,
    )
    train_to_best(row, task, recipe, folder, accelerator)
    return data


def train_to_best(row: nn.Module, task: Task, recipe: Recipe, folder: Path, accelerator: Accelerator) -> None:
    """Train what a task says, or take what ``folder`` has of it; the model is left at its best epoch."""
    row.to(accelerator.device)
    if not (folder / "best.safetensors").exists():
        scores = fit(row, task, recipe, folder / "epochs", accelerator)
        row.requires_grad_(True)  # layers that this run froze may come from the start: keep them
        if accelerator.is_main_process:
            save_state(folder / "best.safetensors", {"model": row}, None, {"scores": scores})
        accelerator.wait_for_everyone()
    row.load_state_dict(best_of(folder), strict=False)


class RowData:
    """A dataset's posts as a row learns from them and is scored on them.

    An epoch takes one of `Recipe.parts` equal parts of the training posts, drawn anew for each pass.

    Raises:
        InputError: the recipe asks for several members: a row is one model.
    """

    def __init__(
        self,
        material: Material,
        row: RowModel,
        recipe: Recipe,
        root: Path,
        cache: Path,
        accelerator: Accelerator,
    ) -> None:
        if recipe.members > 1:
            raise InputError(
                f"members is {recipe.members}; a row trains its trunk once, with all its fusions"
            )
        self.material, self.recipe = shared_part(material, recipe), recipe
        self.maps = _Maps(self.material, row, root, cache)
        self.plain = taught_examples(self.material)
        self.posts = _posts(self.material.train)
        self.steps = count_batches(self._part(self.plain, 0), recipe.batch_size, recipe.mix)
        questions = self.material.valid
        valid = self.material.examples(questions, training=False)
        valid = with_regions(valid, _posts(questions), self.maps.of(questions, 0))
        self.validate = row_validation(self.material, recipe, valid, accelerator)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """An epoch's batches, in the order that the seed draws."""
        recipe, seed = self.recipe, self.recipe.seed
        view = 1 + epoch % recipe.views if recipe.views else 0
        regions = self.maps.of(self.material.train, view)
        posts, plain = self._part(self.posts, epoch), self._part(self.plain, epoch)
        told = one_described(plain, posts, self.material.encoder, stream(seed, DESCRIPTIONS, epoch))
        found = bucketed_batches(
            with_regions(told, posts, regions),
            recipe.batch_size,
            seed=seed,
            epoch=epoch,
            drops=recipe.drops,
            mix=recipe.mix,
        )
        return map(twice, found) if recipe.r_drop else found

    def _part(self, values: Sequence[Any], epoch: int) -> Sequence[Any]:
        parts = self.recipe.parts
        if parts == 1:
            return values
        order = stream(self.recipe.seed, PARTS, epoch // parts).permutation(len(values))
        size, start = len(values) // parts, epoch % parts
        return [values[i] for i in order[start * size : (start + 1) * size]]


def taught_examples(material: Material) -> list[Example]:
    """The questions of training, encoded, with gold and what a teacher answers."""
    examples = material.examples(material.train, training=True)
    if material.taught is None:
        return examples
    return [replace(e, taught=answer) for e, answer in zip(examples, material.taught, strict=True)]


class _Maps:
    """Photos' regions by view, read once: the image encoder of a row does not change while it trains."""

    def __init__(self, material: Material, row: RowModel, root: Path, cache: Path) -> None:
        self.material, self.cache = material, cache
        self.model = next(iter(row.by_fusion().values()))
        self.salt = backbone_salt(root, material.config)
        self.found: dict[tuple[int, int], Regions] = {}

    def of(self, questions: Sequence[Question], view: int) -> Regions:
        key = (id(questions), view)
        if key not in self.found:
            self.found[key] = region_maps(
                self.model, self.material.encoder, _posts(questions), view, self.cache, self.salt
            )
        return self.found[key]


def _posts(questions: Sequence[Question]) -> list[Post]:
    return [asked.post for asked in questions]


def row_validation(
    material: Material, recipe: Recipe, valid: Sequence[Example], accelerator: Accelerator
) -> Validate:
    """A row's scores on the validation posts, by fusion, and the mean of their headlines."""
    config = material.config
    gold = [gold_of(asked, config.dataset) for asked in material.valid]

    def validate(row: RowModel) -> Scores:
        found = row_probabilities(row, valid, batch_size=recipe.eval_batch_size, device=accelerator.device)
        scores = {fusion: score(config.dataset, gold, rows) for fusion, rows in found.items()}
        headlines = {fusion: headline(own) for fusion, own in scores.items()}
        readers = [f for f, cell in row.by_fusion().items() if cell.fusion.reads != "photo"]
        mean = fmean(headlines[fusion] for fusion in readers or headlines)
        return {"mean": mean, "headlines": headlines, "fusions": scores}

    return validate


def row_headline(scores: Scores) -> float:
    """The figure that chooses a row's epoch: the mean of its cells' that read the text."""
    return scores["mean"]


def row_probabilities(
    row: RowModel, examples: Sequence[Example], *, batch_size: int, device: torch.device
) -> dict[str, list[np.ndarray]]:
    """Each cell's answers to each example, as `train.score.predict.probabilities`, of one encoder pass."""
    row.eval()
    found: dict[str, list[np.ndarray]] = {name: [np.empty(0)] * len(examples) for name in row.by_fusion()}
    with torch.inference_mode():
        for index, batch in ordered_batches(examples, batch_size):
            for name, output in row(batch.to(device)).items():
                answers = softmax(output.logits.float().cpu().numpy())
                for i, answer in zip(index, answers, strict=True):
                    found[name][i] = as_answer(answer, examples[i])
    return found

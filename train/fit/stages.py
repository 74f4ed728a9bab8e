"""The stages of training one cell: a trunk, a cell on top of it, or the whole model at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from accelerate import Accelerator
from torch import Tensor

from mmdemo.cells.checkpoint import load_trunk, save_trunk
from mmdemo.cells.pretrained_base import LAYERS_APART, TRUNK_PARTS, base_place, load_base
from mmdemo.models.batch import Example
from mmdemo.models.config import ModelConfig, fusions_of
from mmdemo.models.encode import PostEncoder
from mmdemo.models.fusion.baselines.native import Native
from mmdemo.models.model import MultimodalModel, build_model
from mmdemo.photo.opening import load_photo
from mmdemo.types import Question
from train.data.batches import bucketed_batches, count_batches
from train.data.photo_words import first_described, one_described
from train.data.questions import gold_of, pair_of
from train.fit.cached_states import region_maps, with_regions
from train.fit.loop import Task, fit
from train.fit.recipe import Recipe
from train.fit.soup import greedy_soup
from train.fit.starts import best_of, fresh_model
from train.fit.state import save_state
from train.fit.streams import DESCRIPTIONS, SHARE, stream
from train.score.metrics import Scores, headline
from train.score.predict import probabilities, score


@dataclass(frozen=True, kw_only=True)
class Material:
    """Questions of training and validation, and what encodes them.

    ``watch`` hears each validation's scores. ``taught`` are a teacher's answers to the questions of training.
    """

    train: list[Question]
    valid: list[Question]
    encoder: PostEncoder
    taught: Sequence[np.ndarray] | None = None
    watch: Callable[[Scores], None] | None = None

    @property
    def config(self) -> ModelConfig:
        return self.encoder.config

    def examples(
        self, questions: Sequence[Question], *, training: bool, photos: bool = False
    ) -> list[Example]:
        """Encoded questions; with their pixels only where ``photos`` says so (memory).

        Of several descriptions of a photo the first stands; `one_described` draws another.
        """
        return [
            self.encoder.encode(
                first_described(asked.post, self.encoder),
                load_photo(asked.post)[0] if photos else None,
                pair_of(asked),
                keep_gold=training,
            )
            for asked in questions
        ]


def train_trunk(
    material: Material,
    recipe: Recipe,
    folder: Path,
    root: Path,
    cache: Path,
    accelerator: Accelerator,
    start: Path | None = None,
) -> None:
    """Tune the text encoder with its head; the chosen weights stay in ``folder``.

    A text encoder sees no photos; a joint one sees their cached regions, and one that reads a photo's words
    with the text sees those, less what `Recipe.drops` takes away. Several members (`Recipe.members`) start
    alike and differ in their seed of order and dropout.
    """
    material = shared_part(material, recipe)
    train = material.examples(material.train, training=True)
    valid = material.examples(material.valid, training=False)
    if material.config.joint:
        train, valid = (
            _with_base_regions(material, examples, questions, root, cache)
            for examples, questions in ((train, material.train), (valid, material.valid))
        )
    if not material.config.text_sees_words:
        train, valid = ([e.without_words() for e in examples] for examples in (train, valid))
    members = []
    for number in range(recipe.members):
        member = replace(recipe, seed=recipe.seed + number)
        model = fresh_model(_of_both_sides(material.config), recipe, root, start)
        if material.config.words_in_text and not material.config.joint:
            model.fusion = Native()  # what the words add, they add inside the stack; no fusion is learnt yet
        name = f"trunk {number + 1} of {recipe.members}" if recipe.members > 1 else "trunk"
        task = _task(material, member, _told(material, member, train), valid, accelerator, name)
        scores = fit(model, task, member, folder / f"member-{number}", accelerator)
        members.append((headline(scores), best_of(folder / f"member-{number}")))
    _, scores = greedy_soup(model, members, task.validate)
    model.text_encoder.requires_grad_(True)  # layers that this run froze may come from the start: keep them
    if accelerator.is_main_process:
        save_state(folder / "best.safetensors", {"model": model}, None, {"scores": scores})
    accelerator.wait_for_everyone()


def shared_part(material: Material, recipe: Recipe) -> Material:
    """The material with the part of the training posts that `Recipe.share` says, drawn by the seed."""
    if recipe.share == 1:
        return material
    chosen = stream(recipe.seed, SHARE).permutation(len(material.train))
    kept = chosen[: max(1, round(recipe.share * len(chosen)))]
    taught = None if material.taught is None else [material.taught[i] for i in kept]
    return replace(material, train=[material.train[i] for i in kept], taught=taught)


def _told(material: Material, recipe: Recipe, train: Sequence[Example]) -> Callable[[int], Sequence[Example]]:
    """An epoch's training examples: with one of the descriptions of each photo, where the text sees words."""
    posts = [asked.post for asked in material.train]
    if not material.config.text_sees_words:
        return lambda _: train
    return lambda epoch: one_described(
        train, posts, material.encoder, stream(recipe.seed, DESCRIPTIONS, epoch)
    )


def _of_both_sides(config: ModelConfig) -> ModelConfig:
    """What a trunk is trained by: it serves all fusions, and so it must learn both sides."""
    return config if config.reads == "both" else replace(config, fusion=fusions_of(config.model)[0])


def _with_base_regions(
    material: Material, examples: Sequence[Example], questions: Sequence[Question], root: Path, cache: Path
) -> list[Example]:
    posts = [asked.post for asked in questions]
    model = build_model(material.config)
    load_base(root, model, material.config.preset)
    salt = backbone_salt(root, material.config)
    return with_regions(examples, posts, region_maps(model, material.encoder, posts, 0, cache, salt))


def backbone_salt(root: Path, config: ModelConfig) -> str:
    """What identifies a base's backbone in the cache of maps: its source, not the reduction that follows."""
    if config.preset == "tiny":
        return "tiny"
    base = root / base_place(config) / "base.json"
    return base.read_text(encoding="utf-8").partition('"files"')[0] if base.is_file() else config.preset


def store_trunk(
    config: ModelConfig,
    tensors: Mapping[str, Tensor],
    root: Path,
    file: Path,
    bits: int,
    moments: Mapping[str, Tensor] | None = None,
    below: Path | None = None,
) -> None:
    """Write trained encoders' tensors (others among them are ignored) as their difference to the base.

    Layers that are stored whole are rounded by ``moments`` (`train.fit.moments`), where there are some. With
    a trunk ``below`` they are the difference to that, too.
    """
    model = build_model(config)
    load_base(root, model, config.preset)
    if below is not None:
        load_trunk(below, model)
    plain = {n: p.detach().clone() for n, p in model.named_parameters() if n.startswith(TRUNK_PARTS)}
    model.load_state_dict(dict(tensors), strict=False)
    save_trunk(file, model, plain, bits, grouped=config.preset in LAYERS_APART, moments=moments, below=below)


def train_whole(
    material: Material,
    recipe: Recipe,
    folder: Path,
    root: Path,
    accelerator: Accelerator,
    start: Path | None = None,
) -> MultimodalModel:
    """Train encoders, fusion and head together on photos that are augmented anew each epoch."""
    from train.fit.live import LivePhotos

    model = fresh_model(material.config, recipe, root, start)
    examples = material.examples(material.train, training=True)
    train = LivePhotos(examples, [asked.post for asked in material.train], material.encoder, seed=recipe.seed)
    valid = material.examples(material.valid, training=False, photos=True)
    task = _task(material, recipe, train.epoch, valid, accelerator, "whole")
    fit(model, task, recipe, folder, accelerator)
    return model


def validation(
    material: Material, recipe: Recipe, valid: Sequence[Example], accelerator: Accelerator
) -> Callable[[MultimodalModel], Scores]:
    """A model's scores on the validation posts."""
    config = material.config
    gold = [gold_of(asked, config.dataset) for asked in material.valid]

    def validate(model: MultimodalModel) -> Scores:
        found = probabilities(model, valid, batch_size=recipe.eval_batch_size, device=accelerator.device)
        scores = score(config.dataset, gold, found)
        if material.watch is not None:
            material.watch(scores)
        return scores

    return validate


def _task(
    material: Material,
    recipe: Recipe,
    train: Callable[[int], Sequence[Example]],
    valid: Sequence[Example],
    accelerator: Accelerator,
    name: str,
) -> Task:
    config = material.config
    return Task(
        name=f"{config.dataset.name}/{config.model}/{config.fusion} {name}",
        batches=lambda epoch: bucketed_batches(
            train(epoch),
            recipe.batch_size,
            seed=recipe.seed,
            epoch=epoch,
            drops=recipe.drops,
            mix=recipe.mix,
        ),
        steps=count_batches(train(0), recipe.batch_size, recipe.mix),
        validate=validation(material, recipe, valid, accelerator),
    )

"""The stages of training one cell: a trunk, a cell on top of it, or the whole model at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from torch import Tensor

from mmdemo.checkpoint import (
    TRUNK_PARTS,
    base_folder,
    load_base,
    load_card,
    load_model,
    load_trunk,
    root_of,
    save_trunk,
)
from mmdemo.config import ModelConfig
from mmdemo.data.batch import Example
from mmdemo.data.encode import PostEncoder
from mmdemo.data.formats import gold_tags
from mmdemo.data.image import load_photo
from mmdemo.models.model import MultimodalModel, build_model
from mmdemo.types import InputError, Post
from train.batches import bucketed_batches
from train.config import Recipe
from train.features import region_maps, with_regions, with_states
from train.loop import Task, fit
from train.metrics import Scores, headline
from train.predict import probabilities, score
from train.soup import greedy_soup
from train.state import save_state


@dataclass(frozen=True, kw_only=True)
class Material:
    """Posts of training and validation, and what encodes them."""

    train: list[Post]
    valid: list[Post]
    encoder: PostEncoder

    @property
    def config(self) -> ModelConfig:
        return self.encoder.config

    def examples(self, posts: Sequence[Post], *, training: bool, photos: bool = False) -> list[Example]:
        """Encoded posts; with their pixels only where ``photos`` says so (memory)."""
        return [
            self.encoder.encode(post, load_photo(post)[0] if photos else None, keep_gold=training)
            for post in posts
        ]


def gold_of(config: ModelConfig, posts: Sequence[Post]) -> list[list[str]] | list[str]:
    """Gold tags (NER) or relations (RE) of labelled posts."""
    if config.task == "re":
        return [str(post.relation) for post in posts]
    return [gold_tags(post) for post in posts]


def train_trunk(
    material: Material,
    recipe: Recipe,
    folder: Path,
    root: Path,
    accelerator: Accelerator,
    start: Path | None = None,
) -> None:
    """Tune the text encoder with its head, without photos; the chosen weights stay in ``folder``.

    Several members (`Recipe.members`) start alike and differ in their seed of order and dropout.
    """
    train = material.examples(material.train, training=True)
    valid = material.examples(material.valid, training=False)
    members = []
    for number in range(recipe.members):
        member = replace(recipe, seed=recipe.seed + number)
        model = _fresh_model(material.config, recipe, root, start)
        name = f"trunk {number + 1} of {recipe.members}" if recipe.members > 1 else "trunk"
        task = _task(material, member, lambda _: train, valid, accelerator, name)
        scores = fit(model, task, member, folder / f"member-{number}", accelerator)
        members.append((headline(scores), best_of(folder / f"member-{number}")))
    _, scores = greedy_soup(model, members, task.validate)
    if accelerator.is_main_process:
        save_state(folder / "best.safetensors", {"model": model}, None, {"scores": scores})
    accelerator.wait_for_everyone()


def store_trunk(
    config: ModelConfig, tensors: Mapping[str, Tensor], root: Path, file: Path, bits: int
) -> None:
    """Write trained encoders' tensors (others among them are ignored) as their difference to the base."""
    model = build_model(config)
    load_base(root, model, config.preset)
    plain = {n: p.detach().clone() for n, p in model.named_parameters() if n.startswith(TRUNK_PARTS)}
    model.load_state_dict(dict(tensors), strict=False)
    save_trunk(file, model, plain, bits)


def train_cell(
    material: Material,
    recipe: Recipe,
    folder: Path,
    root: Path,
    trunk: Path,
    trunk_run: Path,
    cache: Path,
    accelerator: Accelerator,
) -> MultimodalModel:
    """Train projections, fusion and head on the stored trunk's cached states; start from the trunk's head."""
    model = _fresh_model(material.config, recipe, root)
    head = {k: v for k, v in best_of(trunk_run).items() if not k.startswith(TRUNK_PARTS)}
    model.load_state_dict(head, strict=False)
    load_trunk(trunk, model)
    model.to(accelerator.device)
    views = _training_views(model, material, recipe, root, cache)
    valid = cached_examples(model, material, material.valid, recipe, 0, root, cache)
    task = _task(material, recipe, lambda epoch: views[epoch % len(views)], valid, accelerator, "cell")
    fit(model, task, recipe, folder, accelerator)
    return model


def _training_views(
    model: MultimodalModel, material: Material, recipe: Recipe, root: Path, cache: Path
) -> list[list[Example]]:
    if not recipe.views:
        raise InputError("views is 0; a cell on cached states needs at least 1")
    torch.manual_seed(recipe.seed)
    return [
        cached_examples(model, material, material.train, recipe, view, root, cache)
        for view in range(1, recipe.views + 1)
    ]


def cached_examples(
    model: MultimodalModel,
    material: Material,
    posts: Sequence[Post],
    recipe: Recipe,
    view: int,
    root: Path,
    cache: Path,
    tuned: str = "",
) -> list[Example]:
    """Examples that carry the frozen encoders' outputs, so that training never runs them again.

    ``tuned`` names the weights of an image encoder that is not the base's.
    """
    base = base_folder(root, material.config.preset) / "base.json"
    salt = (base.read_text() if base.is_file() else material.config.preset) + tuned
    device = next(model.text_encoder.parameters()).device
    examples = material.examples(posts, training=view > 0)
    examples = with_states(model, examples, view=view, batch_size=recipe.eval_batch_size, device=device)
    model.image_encoder.cpu()
    return with_regions(examples, posts, region_maps(model, material.encoder, posts, view, cache, salt))


def train_whole(
    material: Material,
    recipe: Recipe,
    folder: Path,
    root: Path,
    accelerator: Accelerator,
    start: Path | None = None,
) -> MultimodalModel:
    """Train encoders, fusion and head together on photos that are augmented anew each epoch."""
    from train.live import LivePhotos

    model = _fresh_model(material.config, recipe, root, start)
    examples = material.examples(material.train, training=True)
    train = LivePhotos(examples, material.train, material.encoder, seed=recipe.seed)
    valid = material.examples(material.valid, training=False, photos=True)
    task = _task(material, recipe, train.epoch, valid, accelerator, "whole")
    fit(model, task, recipe, folder, accelerator)
    return model


def _fresh_model(
    config: ModelConfig, recipe: Recipe, root: Path, start: Path | None = None
) -> MultimodalModel:
    torch.manual_seed(recipe.seed)
    model = build_model(replace(config, dropout=recipe.dropout))
    load_base(root, model, config.preset)
    if start is not None:
        start_from(model, config, start)
    return model


def start_from(model: MultimodalModel, config: ModelConfig, folder: Path) -> None:
    """Copy a checkpoint's parameters into ``model``: all but the head where the datasets differ.

    ``folder`` is a cell's, or one that holds a trunk alone.

    Raises:
        InputError: the checkpoint cannot be used, or is of another preset or model.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist; training starts from the folder of a cell or a trunk")
    if not (folder / "config.json").exists():
        load_trunk(folder / "trunk.safetensors", model)
        return
    card = load_card(folder)
    if (card.config.preset, card.config.model) != (config.preset, config.model):
        raise InputError(f"{folder} holds {card.config.cell}; training can only start from its own model")
    other = load_model(root_of(folder), folder, card).state_dict()
    if card.config.dataset != config.dataset:
        other = {name: value for name, value in other.items() if not name.startswith("head.")}
    own = model.state_dict()
    fitting = {name: value for name, value in other.items() if name in own and own[name].shape == value.shape}
    model.load_state_dict(fitting, strict=False)


def best_of(folder: Path) -> dict[str, Tensor]:
    """The tensors of a run's best epoch, by parameter name."""
    stored = load_file(folder / "best.safetensors")
    return {name.removeprefix("model/"): value for name, value in stored.items()}


def _task(
    material: Material,
    recipe: Recipe,
    train: Callable[[int], Sequence[Example]],
    valid: Sequence[Example],
    accelerator: Accelerator,
    name: str,
) -> Task:
    config = material.config
    gold = gold_of(config, material.valid)

    def validate(model: MultimodalModel) -> Scores:
        found = probabilities(model, valid, batch_size=recipe.eval_batch_size, device=accelerator.device)
        return score(config.dataset, gold, found)

    return Task(
        name=f"{config.dataset}/{config.model}/{config.fusion} {name}",
        batches=lambda epoch: bucketed_batches(
            train(epoch),
            recipe.batch_size,
            seed=recipe.seed,
            epoch=epoch,
            image_dropout=recipe.image_dropout,
        ),
        steps=-(-len(material.train) // recipe.batch_size),
        validate=validate,
    )

"""A trunk's cells: its encoders' states computed once, then every fusion and head trained on them.

The states of frozen encoders are the same for all fusions, and so are the batches: a zoo's cells differ in
what stands on top.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from accelerate import Accelerator

from mmdemo.cells.checkpoint import load_trunk
from mmdemo.cells.pretrained_base import TRUNK_PARTS
from mmdemo.models.batch import Batch, Example
from mmdemo.models.config import ModelConfig
from mmdemo.models.encode import PostEncoder
from mmdemo.models.model import MultimodalModel
from mmdemo.types import InputError, Question
from train.data.batches import NOTHING, bucketed_batches, count_batches
from train.data.photo_words import first_described, one_described
from train.data.questions import pair_of
from train.fit.cached_states import encoder_states, region_maps, with_regions
from train.fit.loop import Task, fit
from train.fit.recipe import Recipe
from train.fit.stages import Material, backbone_salt, validation
from train.fit.starts import best_of, untrained_model
from train.fit.streams import DESCRIPTIONS, PHOTO_DROPS, named_dropout, stream


@dataclass(frozen=True, kw_only=True)
class CellData:
    """Cached states of a trunk: random views of the training posts, and the validation posts."""

    material: Material
    views: list[list[Example]]
    valid: list[Example]
    _epochs: dict[tuple[int, Recipe], list[Batch]] = field(default_factory=dict)

    def batches(self, epoch: int, recipe: Recipe) -> list[Batch]:
        """An epoch's batches, made once for all fusions.

        A text encoder that looks at the photo or its words has seen or missed them already; elsewhere they
        are dropped here.
        """
        key = (epoch, recipe)
        if key not in self._epochs:
            drops = NOTHING if self.material.config.mixed else recipe.drops
            view = self.views[epoch % len(self.views)]
            found = bucketed_batches(
                view,
                recipe.batch_size,
                seed=recipe.seed,
                epoch=epoch,
                drops=drops,
                mix=recipe.mix,
            )
            self._epochs[key] = list(found)
        return self._epochs[key]


def load_trunk_model(
    config: ModelConfig, recipe: Recipe, root: Path, trunks: Sequence[Path], trunk_run: Path | None
) -> MultimodalModel:
    """A fresh cell's model on its stored trunk; the head starts as the trunk's own run left it, if given."""
    model = untrained_model(config, recipe, root)
    if trunk_run is not None:
        others = (*TRUNK_PARTS, "fusion.")  # the run's fusion may be another than this cell's
        fitting = {n: v for n, v in best_of(trunk_run).items() if not n.startswith(others)}
        model.load_state_dict(fitting, strict=False)
    for trunk in trunks:
        load_trunk(trunk, model)
    return model


def cell_data(
    model: MultimodalModel, material: Material, recipe: Recipe, root: Path, cache: Path
) -> CellData:
    """Compute a trunk's states for training (`Recipe.views` random ones) and validation.

    Raises:
        InputError: the recipe asks for no view.
    """
    if not recipe.views:
        raise InputError("views is 0; a cell on cached states needs at least 1")
    views = [
        cached_examples(model, material, material.train, recipe, view, root, cache)
        for view in range(1, recipe.views + 1)
    ]
    return CellData(
        material=material,
        views=views,
        valid=cached_examples(model, material, material.valid, recipe, 0, root, cache),
    )


def train_cell(
    model: MultimodalModel, data: CellData, recipe: Recipe, folder: Path, accelerator: Accelerator, name: str
) -> MultimodalModel:
    """Train projections, fusion and head on cached states; ``model`` is left at its best epoch."""
    model.to(accelerator.device)
    task = Task(
        name=name,
        batches=lambda epoch: iter(data.batches(epoch, recipe)),
        steps=count_batches(data.views[0], recipe.batch_size, recipe.mix),
        validate=validation(data.material, recipe, data.valid, accelerator),
    )
    fit(model, task, recipe, folder, accelerator)
    return model


def cached_examples(
    model: MultimodalModel,
    material: Material,
    questions: Sequence[Question],
    recipe: Recipe,
    view: int,
    root: Path,
    cache: Path,
) -> list[Example]:
    """Examples that carry the frozen encoders' outputs, so that training never runs them again.

    View 0 is the plain one. In training views of a text encoder that looks at the photo or its words, some
    are dropped before it runs. Each training view has one of the descriptions of each photo.
    """
    raw = raw_examples(model, material.encoder, questions, view, root, cache)
    if view:
        posts = [asked.post for asked in questions]
        raw = one_described(raw, posts, material.encoder, stream(recipe.seed, DESCRIPTIONS, "view", view))
    if view and material.config.mixed:
        raw = recipe.drops.drawn(raw, stream(recipe.seed, PHOTO_DROPS, "view", view))
    with named_dropout(model, recipe.seed, "view", view):
        return encoder_states(model, raw, view=view, batch_size=recipe.eval_batch_size)


def raw_examples(
    model: MultimodalModel,
    encoder: PostEncoder,
    questions: Sequence[Question],
    view: int,
    root: Path,
    cache: Path,
    tuned: str = "",
) -> list[Example]:
    """Encoded questions with the image encoder's regions and no token states yet.

    ``tuned`` names the weights of a backbone that is not the base's.
    """
    salt = backbone_salt(root, encoder.config) + tuned
    examples = [
        encoder.encode(first_described(q.post, encoder), None, pair_of(q), keep_gold=view > 0)
        for q in questions
    ]
    posts = [asked.post for asked in questions]
    return with_regions(examples, posts, region_maps(model, encoder, posts, view, cache, salt))

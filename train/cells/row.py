"""Train a row's trunk with all of its fusions at once, and leave a cell of each (`train.fit.rows.model`)."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from os.path import normpath
from pathlib import Path
from typing import Any

from torch import Tensor

from mmdemo.cells.card import joint_trunk
from mmdemo.cells.checkpoint import cell_folder, load_trunk, save_cell
from mmdemo.cells.files import file_hash, replacing
from mmdemo.cells.pretrained_base import LAYERS_APART, load_base
from mmdemo.cells.zoo import post_encoder
from mmdemo.models.config import ModelConfig, fusions_of
from mmdemo.models.encoders.text import BertText
from mmdemo.models.fusion.table import FUSIONS, buildable
from mmdemo.models.model import build_model
from mmdemo.types import InputError
from train.bases.align import ALIGNMENT, align
from train.cells.conditions import code_at_start, conditions_of
from train.cells.run import (
    TRUNK_BITS,
    WHOLE_TRUNK_BITS,
    check_posts,
    ensure_base,
    material_of,
    posts_to_score,
    score_cell,
    trunk_config,
)
from train.cells.settings import Settings, row_folder, training_record
from train.fit.loop import choose_accelerator
from train.fit.marks import read_marks_as_signs
from train.fit.moments import input_moments
from train.fit.rows.model import RowModel
from train.fit.rows.stage import Validate, fresh_row, row_headline, train_row
from train.fit.stages import store_trunk
from train.fit.starts import best_of, is_shared_trunk, part_of, untrained_model
from train.score.evaluate import HeldOut

#: Where the cells of a row find their trunk; that of one fusion alone is its own, beside another row's.
PLACE, OWN_PLACE = "../trunk.safetensors", "trunk.safetensors"

#: Bits that a trunk may be stored with, fewest first, and how much validation may lose by them: of whole
#: layers a few tenths of a point are luck of rounding.
BITS, LOSS = (TRUNK_BITS, WHOLE_TRUNK_BITS, 6, 8), 0.001
WHOLE_BITS, WHOLE_LOSS = BITS[1:], 0.002


def row_fusions(model: str) -> tuple[str, ...]:
    """What a row trains where nobody says: the zoo's fusions, and each side alone."""
    alone = tuple(name for name in buildable(model) if FUSIONS[name].reads != "both")
    return (*fusions_of(model), *alone)


def run_row(settings: Settings, fusions: Sequence[str]) -> Iterator[Path]:
    """Train, save and score a row; yield each cell's folder when it is whole.

    It resumes after a kill from its last whole epoch. Test is scored once, after everything is chosen on
    validation.

    Raises:
        InputError: a fusion stands twice, is unknown or not one of this model.
    """
    code_at_start()
    check_row(settings, fusions)
    given, settings = settings, replace(settings, config=trunk_config(settings.config))
    accelerator = choose_accelerator(settings.device)
    with accelerator.main_process_first():
        ensure_base(settings)
        below = trunk_to_stand_on(settings)  # before hours of training: it may refuse
    recipe, out = settings.recipe("row"), settings.out
    stage = row_folder(settings, fusions)
    aligned = _aligned(settings)
    material = material_of(settings, recipe)
    row = fresh_row(given.config, fusions, recipe, out, settings.start, aligned)
    if recipe.frozen_input and isinstance(row.text_encoder, BertText):
        read_marks_as_signs(row.text_encoder, material.encoder.reader)
    data = train_row(material, row, recipe, stage, out, settings.cache, accelerator)
    best = {**aligned, **best_of(stage)}
    if accelerator.is_main_process:
        place = PLACE if len(fusions) > 1 else OWN_PLACE
        first = cell_folder(out, replace(given.config, fusion=fusions[0]))
        trunk = Path(normpath(first / place))
        bits = store_best(settings.config, best, out, trunk, row, data.validate, data.batches(0), below)
        places = (place,) if below is None else (joint_trunk(settings.config.model), place)
        conditions = conditions_of(settings, recipe.seed, material.train, accelerator)
        conditions = replace(conditions, trained_with=tuple(fusions))
        recipes = {"row": asdict(recipe)} | ({"align": ALIGNMENT} if aligned else {})
        parts = {fusion: part_of(best, fusion) for fusion in fusions}
        yield from save_row(given, parts, places, training_record(settings, recipes, conditions), bits)
    accelerator.wait_for_everyone()


def trunk_to_stand_on(settings: Settings) -> Path | None:
    """The trunk of several datasets, copied to ``out``, that a row's own is stored as a difference to.

    So it is where a preset's trunks hold their layers whole and the row starts from such a trunk: a dataset
    more then takes the room of what it changed. None for other rows.

    Raises:
        InputError: ``out`` holds another such trunk.
    """
    config, start = settings.config, settings.start
    if config.preset not in LAYERS_APART or start is None or not is_shared_trunk(start, config):
        return None
    shared = start / "trunk.safetensors"
    place = Path(normpath(cell_folder(settings.out, config) / joint_trunk(config.model)))
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as (copy,):
            shutil.copyfile(shared, copy)
    elif file_hash(place) != file_hash(shared):
        raise InputError(
            f"{place} is another trunk than {shared}, from which this row starts; choose another --out"
        )
    return place


def check_row(settings: Settings, fusions: Sequence[str]) -> None:
    """Make sure that the fusions and the posts can be used.

    Raises:
        InputError: a fusion stands twice, is unknown or not one of this model; the posts cannot be read.
    """
    if len(set(fusions)) < len(fusions) or not fusions:
        raise InputError(f"--fusions {','.join(fusions)}: name each fusion once")
    for fusion in fusions:
        replace(settings.config, fusion=fusion)
    check_posts(settings)


def save_row(
    settings: Settings,
    parts: dict[str, dict[str, Tensor]],
    places: tuple[str, ...],
    training: dict[str, Any],
    bits: int,
) -> Iterator[Path]:
    """Save and score the cells of a row, whose own tensors are ``parts`` by fusion; yield their folders.

    ``places`` are where they find their trunks; the last one, their own, is stored with ``bits``.
    """
    held_out: dict[object, dict[str, HeldOut]] = {}
    for fusion, part in parts.items():
        own = replace(settings, config=replace(settings.config, fusion=fusion))
        folder = cell_folder(settings.out, own.config)
        model = untrained_model(own.config, settings.recipe("row"), settings.out)
        model.load_state_dict(part, strict=False)
        load_trunk(Path(normpath(folder / places[-1])), model)
        stated = training | {"trunk_bits": bits}
        save_cell(folder, model, own.config, trunks=places, training=stated, metrics={})
        if own.config.encoder_input not in held_out:
            encoder = post_encoder(own.config, settings.out)
            held_out[own.config.encoder_input] = posts_to_score(own, model, encoder)
        score_cell(own, folder, stated, held_out[own.config.encoder_input])
        yield folder


def _aligned(settings: Settings) -> dict[str, Tensor]:
    """The image side of a row whose tower is aligned with captions; nothing for the others."""
    if not settings.config.row.aligned:
        return {}
    folder = settings.work / "training" / settings.config.cell.rsplit("/", 1)[0] / "align"
    seed = settings.recipe("row").seed
    return align(settings.source, folder, settings.out, seed, settings.cache)


def store_best(
    config: ModelConfig,
    best: dict[str, Tensor],
    root: Path,
    file: Path,
    row: RowModel,
    validate: Validate,
    batches: Iterable[Any],
    below: Path | None = None,
) -> int:
    """Store the trunk with the fewest bits that validation does not tell from more; which.

    ``batches`` of training say what goes into layers that are stored whole (`train.fit.moments`). A trunk
    that stands on another (``below``) may take as few as a difference does.
    """
    whole = row_headline(validate(row))
    apart = config.preset in LAYERS_APART
    moments = input_moments(row, batches) if apart else None
    tried, loss = WHOLE_BITS if apart and below is None else BITS, WHOLE_LOSS if apart else LOSS
    for bits in tried:
        store_trunk(config, best, root, file, bits, moments, below)
        if bits == tried[-1]:
            break
        stored = build_model(config)
        load_base(root, stored, config.preset)
        load_trunk(file, stored)
        row.text_encoder.load_state_dict(stored.text_encoder.state_dict())
        row.image_encoder.load_state_dict(stored.image_encoder.state_dict())
        if row_headline(validate(row)) >= whole - loss:
            break
    return bits

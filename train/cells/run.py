"""Train one cell from data to a checkpoint folder with its card and scores."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mmdemo.cells.card import load_card, text_trunk
from mmdemo.cells.checkpoint import cell_folder, load_model, save_cell
from mmdemo.cells.files import write_json
from mmdemo.cells.locate import SHIPPED
from mmdemo.cells.pretrained_base import LAYERS, LAYERS_APART, base_place, copy_base, is_whole_or_copy
from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.schema import SPLITS
from mmdemo.models.config import FILM_VARIANTS, FUSIONS, ModelConfig, fusions_of
from mmdemo.models.encode import PostEncoder
from mmdemo.models.model import MultimodalModel
from mmdemo.types import InputError
from train.bases.align import ALIGNMENT, align
from train.bases.base import build_base
from train.bases.full_base import ensure_full_base
from train.bases.mpnet_base import build_mpnet_base
from train.cells.conditions import code_at_start, conditions_of
from train.cells.fusions import CellData, cell_data, load_trunk_model, train_cell
from train.cells.settings import Settings, first_seed, provenance, stage_folder, training_record
from train.cells.teacher import teach
from train.data.questions import about_some_posts
from train.fit.loop import choose_accelerator
from train.fit.recipe import Recipe
from train.fit.stages import Material, store_trunk, train_trunk, train_whole
from train.fit.starts import best_of
from train.score.evaluate import HeldOut, evaluate
from train.score.stored import answers_folder, held_out_posts, score_stored

#: A trunk at 4 bits scored as at 16 on Twitter2017's validation split (85.2, 85.0 entity F1) in a quarter of
#: the space (5.4 MB).
TRUNK_BITS = 4
#: A trunk that holds its layers whole, in groups: MPNet's lost 1.4 entity F1 on the same split at 4 bits, and
#: nothing at 5.
WHOLE_TRUNK_BITS = 5
OWN_TRUNK_BITS = 8  # trained with the photos too: convolutions are fewer and more sensitive
FULL_TRUNK_BITS = 16  # who has room for these models has room for this


def run(settings: Settings) -> Path:
    """Train, save, evaluate on validation and test; return the checkpoint's (or the trunk's) folder.

    Each stage resumes after a kill from its last whole epoch, and is skipped when it is done for the same
    configuration, recipe and data. Test is scored once, after everything is chosen on validation.
    """
    code_at_start()
    check_posts(settings)
    if settings.whole:
        if settings.trunk_only:
            raise InputError(
                "--trunk-only: a cell that is trained at once has no trunk of its own to stop after"
            )
        return run_whole(settings)
    trunk = run_trunk(settings)
    return trunk.folder if settings.trunk_only else next(run_cells(settings, trunk, [settings.config.fusion]))


@dataclass(frozen=True, kw_only=True)
class Trunk:
    """A trained trunk: its folder, the places of its files as a cell's folder sees them, its training run."""

    folder: Path
    places: tuple[str, ...]
    run: Path


def run_trunk(settings: Settings, text_run: Path | None = None) -> Trunk:
    """Train and store the trunk that all of a (dataset, model)'s cells stand on.

    One that reads another model's text trunk stands on that: the zoo has trained it already and gives its run
    as ``text_run``; without, it is trained here, from ``settings.start`` if there is one.
    """
    settings = replace(settings, config=trunk_config(settings.config))
    config = settings.config
    ensure_base(settings)
    accelerator = choose_accelerator(settings.device)
    folder = cell_folder(settings.out, config).parent
    stage = stage_folder(settings, "trunk")
    if place := text_trunk(config.model):
        text_run = text_run or run_trunk(_text_side(settings)).run
        tensors = align(settings.source, stage, settings.out, settings.recipe("trunk").seed, settings.cache)
        store_trunk(config, tensors, settings.out, folder / "trunk.safetensors", OWN_TRUNK_BITS)
        return Trunk(folder=folder, places=(place, "../trunk.safetensors"), run=text_run)
    recipe = settings.recipe("trunk")
    if not (stage / "best.safetensors").exists():
        train_trunk(
            material_of(settings, recipe),
            recipe,
            stage,
            settings.out,
            settings.cache,
            accelerator,
            settings.start,
        )
    if accelerator.is_main_process:
        bits = WHOLE_TRUNK_BITS if config.preset in LAYERS_APART else TRUNK_BITS
        store_trunk(config, best_of(stage), settings.out, folder / "trunk.safetensors", bits)
    accelerator.wait_for_everyone()
    return Trunk(folder=folder, places=("../trunk.safetensors",), run=stage)


def trunk_config(config: ModelConfig) -> ModelConfig:
    """The configuration that a trunk is trained by, whichever fusion its cells have.

    Its kind's baseline: a joint encoder has mixed the photo in itself, and two encoders see no photo here.
    """
    baseline = next(name for name in fusions_of(config.model) if FUSIONS[name].baseline)
    return replace(config, fusion=baseline, film_variant=FILM_VARIANTS[0])


def _text_side(settings: Settings) -> Settings:
    """Those of the model whose text trunk this one's stands on."""
    text = settings.config.row.text_of
    return replace(settings, config=replace(settings.config, model=text, fusion=fusions_of(text)[0]))


def _recipes_of_stages(settings: Settings) -> dict[str, dict[str, Any]]:
    """The settings of each stage of a cell on a trunk; one on another's text trunk has no trunk stage."""
    trunk, cell = settings.recipe("trunk"), {"cell": asdict(settings.recipe("cell"))}
    if not settings.config.row.text_of:
        return {"trunk": asdict(trunk)} | cell
    text = _text_side(settings)
    stated = {f"trunk of {text.config.model}": asdict(text.recipe("trunk"))}
    return stated | {"align": ALIGNMENT | {"seed": trunk.seed}} | cell


def run_cells(settings: Settings, trunk: Trunk, fusions: Sequence[str]) -> Iterator[Path]:
    """Train, save and score each fusion's cell on the trunk; yield its folder when it is whole.

    The trunk's states are computed once for all fusions that take the same (`ModelConfig.encoder_input`).
    """
    config, recipe = settings.config, settings.recipe("cell")
    accelerator = choose_accelerator(settings.device)
    material = material_of(settings, recipe)
    files = [trunk.folder / "fusion" / place for place in trunk.places]
    trunks = [file.resolve() for file in files]
    start = trunk.run if (trunk.run / "best.safetensors").exists() else None
    states: dict[object, tuple[CellData, dict[str, HeldOut]]] = {}
    for fusion in fusions:
        own = replace(settings, config=replace(config, fusion=fusion))
        if own.config.encoder_input not in states:
            model = load_trunk_model(own.config, recipe, settings.out, trunks, start)
            found = cell_data(model.to(accelerator.device), material, recipe, settings.out, settings.cache)
            states[own.config.encoder_input] = found, posts_to_score(own, model.cpu(), material.encoder)
        data, held_out = states[own.config.encoder_input]
        stage = stage_folder(own, "cell")
        model = load_trunk_model(own.config, recipe, settings.out, trunks, start)
        train_cell(model, data, recipe, stage, accelerator, own.config.cell)
        folder = cell_folder(settings.out, own.config)
        if accelerator.is_main_process:
            recipes = _recipes_of_stages(own)
            conditions = conditions_of(own, first_seed(recipes), material.train, accelerator)
            training = training_record(own, recipes, conditions)
            save_cell(folder, model.cpu(), own.config, trunks=trunk.places, training=training, metrics={})
            score_cell(own, folder, training, held_out)
        accelerator.wait_for_everyone()
        yield folder


def posts_to_score(settings: Settings, model: MultimodalModel, encoder: PostEncoder) -> dict[str, HeldOut]:
    """A run's held-out posts with the states of the trunk in ``model``."""
    config, source, limit = settings.config, settings.source, settings.limit
    return held_out_posts(config, source, model, encoder, settings.out, settings.cache, limit)


def score_cell(
    settings: Settings, folder: Path, training: dict[str, Any], held_out: dict[str, HeldOut]
) -> None:
    """Score the stored cell as it will be loaded; keep its probabilities for calibration and slices."""
    config = settings.config
    model = load_model(settings.out, folder, load_card(folder))
    splits = score_stored(config, model, held_out, answers_folder(settings.work, config.cell))
    write_json(folder / "metrics.json", {"cell": config.cell, **provenance(training), "splits": splits})


def run_whole(settings: Settings) -> Path:
    """Train encoders, fusion and head of one cell together."""
    config, out = settings.config, settings.out
    accelerator = choose_accelerator(settings.device)
    with accelerator.main_process_first():
        ensure_base(settings)
    folder, recipe = cell_folder(out, config), settings.recipe("whole")
    stage = stage_folder(settings, "whole")
    material = material_of(settings, recipe)
    model = train_whole(material, recipe, stage, out, accelerator, settings.start)
    if accelerator.is_main_process:
        place = "trunk.safetensors"
        bits = FULL_TRUNK_BITS if config.preset == "full" else OWN_TRUNK_BITS
        store_trunk(config, model.cpu().state_dict(), out, folder / place, bits)
        conditions = conditions_of(settings, recipe.seed, material.train, accelerator)
        training = training_record(settings, {"whole": asdict(recipe)}, conditions)
        save_cell(folder, model, config, trunks=(place,), training=training, metrics={})
        options = {"cache": settings.cache, "limit": settings.limit, "device": accelerator.device}
        keep = answers_folder(settings.work, config.cell)
        splits = {
            split: evaluate(folder, settings.source, split, keep=keep / f"{split}.npz", **options)
            for split in ("valid", "test")
        }
        metrics = {"cell": config.cell, **provenance(training), "splits": splits}
        write_json(folder / "metrics.json", metrics)
    accelerator.wait_for_everyone()
    return folder


def material_of(settings: Settings, recipe: Recipe) -> Material:
    """The questions of training and of the validation that a stage is judged by, and what encodes them."""
    config, source = settings.config, settings.source
    valid = source.questions(config.dataset, "valid", settings.limit)
    material = Material(
        train=[*source.questions(config.dataset, "train", settings.limit), *settings.extra],
        valid=about_some_posts(valid, recipe.valid_posts, recipe.seed),
        encoder=post_encoder(config, settings.out),
    )
    if settings.teacher is None:
        return material
    device = choose_accelerator(settings.device).device
    return teach(material, settings.teacher, source, settings.cache, limit=settings.limit, device=device)


def check_posts(settings: Settings) -> None:
    """Read all that will be read, before anything is written: bad data shall leave no folders behind.

    The photos' words too, where the run's models read them.

    Raises:
        InputError: a file is missing or malformed, or a source of photos' words cannot be had.
    """
    for split in SPLITS:
        settings.source.told(settings.config.dataset, split, settings.limit)


def ensure_base(settings: Settings) -> None:
    """Make sure that ``out`` holds the pretrained encoders: copied from the shipped ones, or built."""
    root = settings.out
    if settings.config.preset == "full":
        ensure_full_base(root, settings.config, settings.origin)
        return
    place = base_place(settings.config)
    folder, shipped = root / place, SHIPPED / place
    if settings.config.preset in LAYERS_APART and settings.start is None:
        if not (folder / LAYERS).is_file():  # none ships
            build_mpnet_base(root, settings.origin.weights_root)
    elif (folder / "base.json").exists() and is_whole_or_copy(folder, shipped):
        return
    elif (shipped / "base.json").exists():
        copy_base(shipped, folder)
    elif settings.config.preset in LAYERS_APART:
        build_mpnet_base(root, settings.origin.weights_root)
    else:
        build_base(root, settings.source)

"""Train one cell from data to a checkpoint folder with its card and scores."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mmdemo.checkpoint import base_folder, cell_folder, read_json, save_cell, write_json
from mmdemo.config import ModelConfig
from mmdemo.data.formats import FILES
from mmdemo.types import InputError
from mmdemo.zoo import SHIPPED, post_encoder
from train.base import build_base
from train.config import Recipe
from train.data import DataSource
from train.evaluate import evaluate
from train.loop import choose_accelerator
from train.recipes import RECIPES
from train.stages import Material, best_of, store_trunk, train_cell, train_trunk, train_whole

#: A trunk at 4 bits scored as at 16 on Twitter2017's validation split (85.2, 85.0 entity F1) in a quarter of
#: the space (5.4 MB).
TRUNK_BITS = 4
OWN_TRUNK_BITS = 8  # trained with the photos too: convolutions are fewer and more sensitive

#: Configuration that the trunk does not depend on.
CELL_ONLY = ("fusion", "film_variant")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one ``train run`` does.

    ``changes`` override recipe fields, by stage; ``start`` is a checkpoint to take weights from.
    """

    config: ModelConfig
    source: DataSource
    out: Path
    work: Path
    device: str = "auto"
    end_to_end: bool = False
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    limit: int | None = None
    start: Path | None = None
    trunk_only: bool = False

    def recipe(self, stage: str) -> Recipe:
        """The stage's recipe with this run's changes."""
        preset = "lite" if self.config.preset == "tiny" else self.config.preset
        recipe = replace(RECIPES[preset, self.config.task, stage], **self.changes.get("", {}))
        return replace(recipe, **self.changes.get(stage, {}))


def run(settings: Settings) -> Path:
    """Train, save, evaluate on validation and test; return the checkpoint's (or the trunk's) folder.

    Each stage resumes after a kill from its last whole epoch, and is skipped when it is done for the same
    configuration, recipe and data. Test is scored once, after everything is chosen on validation.
    """
    config, out = settings.config, settings.out
    ensure_base(out, config.preset)
    accelerator = choose_accelerator(settings.device)
    material = Material(
        train=settings.source.posts(config.dataset, "train")[: settings.limit],
        valid=settings.source.posts(config.dataset, "valid")[: settings.limit],
        encoder=post_encoder(config, out),
    )
    folder = cell_folder(out, config)
    cache = settings.work / "regions"
    if settings.end_to_end:
        stage = _stage_folder(settings, "whole")
        model = train_whole(material, settings.recipe("whole"), stage, out, accelerator, settings.start)
        place, recipes = "trunk.safetensors", {"whole": settings.recipe("whole")}
        if accelerator.is_main_process:
            store_trunk(config, model.cpu().state_dict(), out, folder / place, OWN_TRUNK_BITS)
    else:
        trunk_run = _stage_folder(settings, "trunk")
        trunk = folder.parent / "trunk.safetensors"
        train_trunk(material, settings.recipe("trunk"), trunk_run, out, accelerator, settings.start)
        if accelerator.is_main_process:
            store_trunk(config, best_of(trunk_run), out, trunk, TRUNK_BITS)
        accelerator.wait_for_everyone()
        if settings.trunk_only:
            return folder.parent
        stage = _stage_folder(settings, "cell")
        model = train_cell(
            material, settings.recipe("cell"), stage, out, trunk, trunk_run, cache, accelerator
        )
        place, recipes = "../trunk.safetensors", {s: settings.recipe(s) for s in ("trunk", "cell")}
    if accelerator.is_main_process:
        training = _training_record(settings, recipes)
        model.cpu()
        save_cell(folder, model, config, trunk=place, training=training, metrics={})
        splits = {
            s: evaluate(folder, settings.source, s, cache=cache, limit=settings.limit)
            for s in ("valid", "test")
        }
        metrics = {"cell": config.cell, **_provenance(training), "splits": splits}
        write_json(folder / "metrics.json", metrics)
    accelerator.wait_for_everyone()
    return folder


def ensure_base(root: Path, preset: str) -> None:
    """Make sure that ``root`` holds the pretrained encoders: copied from the shipped ones, or built."""
    folder = base_folder(root, "lite" if preset == "tiny" else preset)
    if (folder / "base.json").exists():
        return
    shipped = base_folder(SHIPPED, "lite")
    if (shipped / "base.json").exists():
        shutil.copytree(shipped, folder, dirs_exist_ok=True)
    else:
        build_base(root)


def _stage_folder(settings: Settings, stage: str) -> Path:
    """Where a stage keeps its state and log. Other settings than those kept there are an error, not a mix."""
    config = settings.config
    name = config.cell if stage != "trunk" else config.cell.rsplit("/", 1)[0]
    folder = settings.work / "training" / name / stage
    facts = {
        "config": {k: v for k, v in asdict(config).items() if stage != "trunk" or k not in CELL_ONLY},
        "recipe": asdict(settings.recipe(stage)),
        "data": data_hash(settings.source, config.dataset),
        "photos": settings.source.photo_note if stage != "trunk" else "",
        "limit": settings.limit,
        "start": str(settings.start) if settings.start else "",
    }
    file = folder / "stage.json"
    if file.exists() and read_json(file) != json.loads(json.dumps(facts)):
        raise InputError(
            f"{folder} holds a run with other settings; remove it or choose another --work folder"
        )
    write_json(file, facts)
    return folder


def data_hash(source: DataSource, dataset: str) -> str:
    """SHA-256 over the dataset's files, its pairs and the split scheme."""
    digest = hashlib.sha256(source.scheme.encode())
    for (name, _), file in sorted(FILES.items()):
        if name == dataset:
            digest.update(_bytes(source.folder / file))
    if source.pairs_file:
        digest.update(_bytes(source.pairs_file))
    return digest.hexdigest()


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error


def _training_record(settings: Settings, recipes: dict[str, Recipe]) -> dict[str, Any]:
    return {
        "command": "python -m train " + " ".join(sys.argv[1:]),
        "commit": _commit(),
        "data": settings.source.photo_note,
        "data_sha256": data_hash(settings.source, settings.config.dataset),
        "split_scheme": settings.source.scheme,
        "limit": settings.limit,
        "recipes": {stage: asdict(recipe) for stage, recipe in recipes.items()},
    }


def _provenance(training: dict[str, Any]) -> dict[str, Any]:
    seed = next(iter(training["recipes"].values()))["seed"]
    return {"seed": seed, **{k: training[k] for k in ("data", "command", "commit", "split_scheme")}}


def _commit() -> str:
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except OSError:
        return "unknown"
    return found.stdout.strip() or "unknown"

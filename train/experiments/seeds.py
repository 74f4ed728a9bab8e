"""The same cells from other seeds: how far a figure moves when nothing but chance changes.

The trunk is kept: what differs between seeds is the fusion's and the head's first weights, dropout, order.
The spread is therefore of a fusion on one trunk, which is what the columns of the table compare.
"""

import shutil
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmdemo.cells.checkpoint import cell_folder
from mmdemo.cells.files import read_json, write_json
from mmdemo.cells.pretrained_base import IMAGE, base_file, base_folder
from mmdemo.types import InputError
from train.cells.run import Trunk, run_cells
from train.cells.settings import Settings
from train.cells.zoo import trunk_of
from train.score.metrics import headline

MAIN_FUSIONS = ("film", "attention", "cross-attention", "bimodal")
SHOWN = (("valid", "photo"), *(("test", condition) for condition in ("photo", "blank", "shuffled", "none")))


def run_seeds(settings: Settings, fusions: Sequence[str], seeds: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Train each fusion's cell anew on its trunk from each seed; yield (cell, seed) as its scores are stored.

    Scores go under "seeds" into the metrics.json of the cell in ``settings.out``, its own seed's first; the
    weights stay in the work folder.

    Raises:
        InputError: a cell is not there yet: it is trained by ``train zoo``.
    """
    folders = {f: cell_folder(settings.out, replace(settings.config, fusion=f)) for f in fusions}
    for folder in folders.values():
        if not (folder / "metrics.json").is_file():
            raise InputError(f"{folder} is not trained yet: python -m train zoo")
    trunk = trunk_of(settings)
    for seed in seeds:
        place = settings.work / "seeds" / str(seed)
        own_trunk = _copied(settings, trunk, place)
        own = replace(settings, out=place, work=place, changes={**settings.changes, "cell": {"seed": seed}})
        cells = run_cells(own, own_trunk, list(fusions))
        for fusion, folder in zip(fusions, cells, strict=True):
            _note(folders[fusion], seed, read_json(folder / "metrics.json"))
            yield folders[fusion].name, seed


def _copied(settings: Settings, trunk: Trunk, place: Path) -> Trunk:
    """The trunk and the base in ``place``, where another seed's cells cannot touch the shipped ones."""
    base = base_folder(
        settings.out.resolve(), "lite" if settings.config.preset == "tiny" else settings.config.preset
    )
    files = [(trunk.folder / "fusion" / name).resolve() for name in trunk.places]
    held = {file for file in (*base.iterdir(), base_file(base, IMAGE)) if file.is_file()}
    for file in (*held, *files):
        target = place / file.relative_to(settings.out.resolve())
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    regions = place / "regions"
    if not regions.exists():
        (settings.work / "regions").mkdir(parents=True, exist_ok=True)
        regions.symlink_to((settings.work / "regions").resolve())  # photo features do not depend on seeds
    return replace(trunk, folder=place / trunk.folder.relative_to(settings.out))


def _note(folder: Path, seed: int, found: dict[str, Any]) -> None:
    metrics = read_json(folder / "metrics.json")
    kept = metrics.get("seeds") or [_figures(metrics, int(metrics["seed"]))]
    kept = [k for k in kept if k["seed"] != seed] + [_figures(found, seed)]
    write_json(folder / "metrics.json", metrics | {"seeds": kept})


def _figures(metrics: dict[str, Any], seed: int) -> dict[str, Any]:
    """The field's figure of each condition in `SHOWN` that was scored: posts without photos have two."""
    stated: dict[str, Any] = {"seed": seed}
    for split, condition in SHOWN:
        if condition in metrics["splits"][split]:
            stated.setdefault(split, {})[condition] = headline(metrics["splits"][split][condition])
    return stated


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation."""
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0

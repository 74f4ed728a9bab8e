"""The commands that look before training: ``analyse`` the data, ``tune`` the settings."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mmdemo.models.config import FUSIONS, MODELS, ModelConfig
from mmdemo.terminal import say
from train.cells.recipes import read_changes, read_recipes
from train.commands.options import (
    Change,
    Data,
    DatasetName,
    Device,
    Images,
    Init,
    Limit,
    Pairs,
    Split,
    WeightsRoot,
    chosen_dataset,
)
from train.data.source import DataSource


def analyse(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder that gets analysis.html.")],
    images: Images = None,
    pairs: Pairs = None,
    scheme: Split = "official",
    work: Annotated[Path, typer.Option(help="Where what the photos show is kept for next time.")] = Path(
        "runs"
    ),
    limit: Limit = None,
) -> None:
    """Draw what is in the data as one page: lengths, labels, photos, words, content, duplicates and leaks.

    Example: python -m train analyse --data ../shared/data --out runs/analysis
    """
    from train.analyse.report import analyse as draw

    source = DataSource(folder=data, images=images, pairs=pairs, scheme=scheme)
    say(str(draw(source, out, cache=work / "analysis", limit=limit, command=_command())))


def tune(
    dataset: DatasetName,
    data: Data,
    model: Annotated[str, typer.Option(help=", ".join(MODELS))] = "roberta-resnet50",
    fusion: Annotated[str, typer.Option(help=", ".join(FUSIONS))] = "film",
    preset: Annotated[str, typer.Option(help="lite, full or tiny.")] = "lite",
    stage: Annotated[
        str, typer.Option(help="What is tuned: trunk, cell (on the recipe's trunk) or whole.")
    ] = "cell",
    sampler: Annotated[str, typer.Option(help="grid, random or tpe.")] = "tpe",
    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--search",
            help="setting=a,b,c, setting=low:high or setting=low:high:log. Repeatable. Settings are those of "
            "--set, lr (the fusion's rate; the head's moves along in the recipe's ratio) and image_size. "
            "Without it: the report's grid, or ranges of a cell.",
        ),
    ] = None,
    change: Change = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Trials in the study in all; default: the grid's size, or 20.")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="Database URL that workers share; default: WORK/tune.sqlite3.")
    ] = None,
    study: Annotated[str | None, typer.Option(help="The study's name; an existing one goes on.")] = None,
    prune: Annotated[bool, typer.Option(help="Stop trials that lag behind the median.")] = True,
    images: Images = None,
    pairs: Pairs = None,
    scheme: Split = "official",
    out: Annotated[Path, typer.Option(help="Root of the base weights and the trunk.")] = Path("runs"),
    work: Annotated[Path, typer.Option(help="Logs, cached features, and WORK/tune/STUDY.")] = Path("runs"),
    device: Device = "auto",
    start: Annotated[Path | None, typer.Option("--from", help="Checkpoint that trials start from.")] = None,
    weights_root: WeightsRoot = None,
    init: Init = "published",
    limit: Limit = None,
) -> None:
    """Search a stage's settings with Optuna, judged on validation alone; test is never read.

    Example: python -m train tune --dataset NAME --data ../shared/data --sampler tpe --trials 20
    --search lr=1e-5:1e-2:log --search epochs=2:8
    """
    from train.bases.full_base import Origin
    from train.cells.settings import Settings
    from train.experiments.search import RANGES, REPORT_GRID, grid_size, read_search
    from train.experiments.tune import Search
    from train.experiments.tune import tune as search
    from train.experiments.tune_report import write_report

    space = read_search(ranges or (REPORT_GRID if sampler == "grid" else RANGES), stage)
    chosen, folder = chosen_dataset(dataset, data)
    name = study or "-".join([chosen.name, model, fusion, preset, stage, sampler])
    wanted = Search(
        settings=Settings(
            config=ModelConfig(dataset=chosen, model=model, fusion=fusion, preset=preset),
            source=DataSource(folder=folder, images=images, pairs=pairs, scheme=scheme),
            out=out,
            work=work,
            device=device,
            changes=read_changes(change or [])[0],
            limit=limit,
            start=start,
            origin=Origin(weights_root=weights_root, init=init),
            book=read_recipes("full" if preset == "full" else "lite"),
        ),
        stage=stage,
        space=space,
        sampler=sampler,
        storage=storage or f"sqlite:///{work / 'tune.sqlite3'}",
        name=name,
        trials=trials or (grid_size(space) if sampler == "grid" else 20),
        prune=prune,
    )
    say(*write_report(search(wanted), wanted, work / "tune" / name, _command()).split("\n"))


def _command() -> str:
    return "python -m train " + " ".join(sys.argv[1:])

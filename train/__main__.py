"""Command line of training: ``python -m train --help``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mmdemo.models.config import FILM_VARIANTS, FUSIONS, MODELS, ModelConfig
from mmdemo.terminal import log_safely, say, say_json
from mmdemo.types import InputError
from train.commands.base import base, sizes
from train.commands.exploring import analyse, tune
from train.commands.options import (
    Change,
    Data,
    Device,
    EndToEnd,
    Images,
    Init,
    Limit,
    Out,
    Pairs,
    Seed,
    Split,
    WeightsRoot,
    Work,
    read_changes,
)
from train.commands.zoo import calibrate, photo_effect, seeds, simulate_review, zoo
from train.data.source import DataSource
from train.publish.push import push

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Check data, train cells of the zoo, and score them. Each command's --help has an example.",
)


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
    from train.data import prepare as preparing

    raise typer.Exit(preparing.run(data, images, pairs, as_json))


@app.command()
def run(
    dataset: Annotated[str, typer.Option(help="twitter2015, twitter2017 or mnre.")],
    data: Data,
    model: Annotated[str, typer.Option(help=", ".join(MODELS))] = "roberta-resnet50",
    fusion: Annotated[str, typer.Option(help=", ".join(FUSIONS))] = "film",
    preset: Annotated[str, typer.Option(help="lite (CPU), full (GPU) or tiny (tests).")] = "lite",
    film_variant: Annotated[str, typer.Option(help=", ".join(FILM_VARIANTS))] = "report",
    clean_text: Annotated[
        bool, typer.Option(help="The report's text cleaning (SPEC §2); validation is better without.")
    ] = False,
    images: Images = None,
    pairs: Pairs = None,
    scheme: Split = "official",
    out: Out = Path("runs"),
    work: Work = Path("runs"),
    device: Device = "auto",
    seed: Seed = 1337,
    end_to_end: EndToEnd = False,
    change: Change = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="Checkpoint to start from, of this or another dataset.")
    ] = None,
    extra: Annotated[
        Path | None, typer.Option(help="Reviewed posts (JSON lines) to train on too; see docs/reviews.md.")
    ] = None,
    drop_leaks: Annotated[
        bool, typer.Option(help="Leave out extra posts that stand in validation or test.")
    ] = False,
    trunk_only: Annotated[bool, typer.Option(help="Stop after the trunk, to start other runs from.")] = False,
    weights_root: WeightsRoot = None,
    init: Init = "published",
    limit: Limit = None,
) -> None:
    """Train one cell, resuming if it was cut off, and score it on validation and test.

    Example: python -m train run --dataset twitter2017 --model roberta-resnet50 --fusion film
    --preset lite --data ../shared/data --set trunk.epochs=5
    """
    from train.bases.full_base import Origin
    from train.cells.run import run as train
    from train.cells.settings import Settings
    from train.data import reviewed_posts as reviewed

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
    source = DataSource(folder=data, images=images, pairs=pairs, scheme=scheme)
    posts = reviewed.read_extra(extra, dataset) if extra else ()
    posts = reviewed.without_leaks(posts, source, dataset, drop=drop_leaks)
    folder = train(
        Settings(
            config=config,
            source=source,
            extra=posts,
            out=out,
            work=work,
            device=device,
            end_to_end=end_to_end,
            changes=changes,
            limit=limit,
            start=start,
            trunk_only=trunk_only,
            origin=Origin(weights_root=weights_root, init=init),
        )
    )
    if extra and start and (start / "metrics.json").exists():
        say(*reviewed.compare(start, folder).split("\n"))
    say(str(folder))


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Option(help="A cell's folder, preset/dataset/model/fusion.")],
    data: Data,
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    images: Images = None,
    pairs: Pairs = None,
    work: Annotated[Path, typer.Option(help="Where cached photo features lie.")] = Path("runs"),
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON.")] = False,
) -> None:
    """Score a checkpoint: token-level and entity-level, or relations with and without None; per class too.

    Example: python -m train evaluate --checkpoint checkpoints/lite/twitter2017/roberta-resnet50/film
    --data ../shared/data --split test --json
    """
    from mmdemo.cells.checkpoint import load_card
    from train.fit.loop import choose_accelerator
    from train.score.evaluate import evaluate as score
    from train.score.report import render

    scheme = load_card(checkpoint).training.get("split_scheme", "official")
    source = DataSource(folder=data, images=images, pairs=pairs, scheme=scheme)
    accelerator = choose_accelerator(device)
    scores = score(checkpoint, source, split, cache=work / "regions", device=accelerator.device)
    scores["photos"] = source.photo_note
    say_json(scores) if as_json else say(*render(scores).split("\n"))


@app.command()
def results(
    root: Annotated[Path, typer.Option(help="Checkpoints to read.")] = Path("checkpoints"),
    readme: Annotated[Path, typer.Option(help="File whose table is replaced.")] = Path("README.md"),
) -> None:
    """Write README's tables from the checkpoints' metrics.json.

    Example: python -m train results
    """
    from train.publish.results import write_results

    say(str(write_results(root, readme)))


app.command()(base)
app.command()(sizes)
app.command()(push)
app.command()(zoo)
app.command()(calibrate)
app.command("photo_effect")(photo_effect)
app.command()(seeds)
app.command("simulate_review")(simulate_review)
app.command()(analyse)
app.command()(tune)


def main() -> None:
    """Run the command line; a person's mistake is one sentence and exit code 2."""
    log_safely()
    try:
        app()
    except InputError as error:
        sys.exit(_fail(error))


def _fail(error: InputError) -> int:
    """Say the sentence on standard error; the exit code of bad input."""
    say(f"error: {error}", error=True)
    return 2


if __name__ == "__main__":
    main()

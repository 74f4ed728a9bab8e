"""Commands that train: ``prepare`` the data, list ``recipes``, ``run`` one cell, train a ``row`` of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmdemo.datasets.discovery import find_dataset
from mmdemo.datasets.schema import Dataset
from mmdemo.models.config import FUSIONS, MODELS
from mmdemo.terminal import say
from train.cells.recipes import RecipeBook, config_of, list_recipes, read_changes, read_recipes, sources_of
from train.commands.options import (
    EXAMPLE,
    Change,
    Data,
    DatasetName,
    Images,
    MaybeData,
    MaybeSplit,
    Out,
    Pairs,
    WeightsRoot,
    Work,
    chosen_dataset,
)
from train.data.source import DataSource

if TYPE_CHECKING:
    from train.cells.settings import Settings

StartFrom = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Checkpoint or trunk to start from, of this or another dataset; or base, the pretrained "
        "encoders. Left out, a dataset of your own starts from a shipped trunk.",
    ),
]
Extra = Annotated[
    Path | None,
    typer.Option(
        help="Reviewed posts to train on too: JSON lines, or the name of a frozen export (docs/reviews.md)."
    ),
]


@dataclass(frozen=True, kw_only=True)
class Places:
    """The folders and files that a command line names."""

    images: Path | None
    pairs: Path | None
    out: Path
    work: Path
    weights_root: Path | None


def settings_of(
    chosen: tuple[Dataset, Path],
    book: RecipeBook,
    options: Mapping[str, str | None],
    change: list[str],
    places: Places,
    start_from: str | None,
    extra: Path | None,
) -> Settings:
    """What a command line says of a training run; ``options`` come before the recipe, ``change`` before all.

    Raises:
        InputError: a value that there is not, or a file that cannot be read.
    """
    from train.bases.full_base import Origin
    from train.cells.settings import Settings
    from train.cells.start import BASE, chosen_start, described
    from train.data import reviewed_posts

    dataset, folder = chosen
    stages, picked = read_changes(change)
    pick = {**book.run, **{key: value for key, value in options.items() if value}, **picked}
    scheme = pick.get("scheme", "official")
    source = DataSource(
        folder=folder, images=places.images, pairs=places.pairs, scheme=scheme, photo_sources=sources_of(pick)
    )
    asked = reviewed_posts.read_extra(extra, dataset) if extra else ()
    asked = reviewed_posts.without_leaks(asked, source, dataset, drop=pick.get("drop_leaks", False))
    config = config_of(dataset, pick)
    start = chosen_start(start_from, config)
    if start and not start_from:
        say(f"starting from the shipped trunk {described(start)}; --from {BASE} starts from the plain base")
    return Settings(
        config=config,
        source=source,
        extra=asked,
        out=places.out,
        work=places.work,
        device=pick.get("device", "auto"),
        end_to_end=pick.get("end_to_end", False),
        changes=stages,
        limit=pick.get("limit"),
        start=start,
        trunk_only=pick.get("trunk_only", False),
        origin=Origin(weights_root=places.weights_root, init=pick.get("init", "published")),
        book=book,
    )


def prepare(
    data: Data,
    images: Images = None,
    pairs: Pairs = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="A recipe that reads photos' words: they are read now, as its run would."),
    ] = None,
    change: Change = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a data folder: what is there, what is missing or broken, and for whom it matters.

    Of a recipe with photo_words=true the photos are read ahead, by several processes; stopped, it goes on.

    Examples: python -m train prepare --data ../shared/data; with --recipe words, or --recipe words
    --set photo_sources=described,ocr
    """
    from train.data.prepare_report import run as check

    picked = read_changes(change or [])[1]
    pick = {**(read_recipes(recipe).run if recipe else {}), **picked}
    raise typer.Exit(check(data, images, pairs, as_json, sources_of(pick)))


def recipes(
    name: Annotated[str | None, typer.Argument(help="Print this one, to read or to copy.")] = None,
) -> None:
    """List the recipes that training can follow, or print one: it is a file, and a copy of it is one too.

    Example: python -m train recipes lite > mine.toml; python -m train run --recipe mine.toml --dataset DIR
    """
    if name is not None:
        say(*read_recipes(name).text.splitlines())
        return
    for book in list_recipes():
        say(f"{book.name}: {book.about}", f"  {book.command}", f"  expect {book.expect}")


def run(
    dataset: DatasetName = None,
    data: MaybeData = None,
    recipe: Annotated[
        str, typer.Option(help="A recipe's name, or a file: python -m train recipes.")
    ] = "lite",
    model: Annotated[str | None, typer.Option(help=f"{', '.join(MODELS)}; else the recipe's.")] = None,
    fusion: Annotated[str | None, typer.Option(help=f"{', '.join(FUSIONS)}; else the recipe's.")] = None,
    change: Change = None,
    scheme: MaybeSplit = None,
    images: Images = None,
    pairs: Pairs = None,
    out: Out = Path("runs"),
    work: Work = Path("runs"),
    start_from: StartFrom = None,
    extra: Extra = None,
    weights_root: WeightsRoot = None,
) -> None:
    from train.cells.run import run as train
    from train.data import reviewed_posts

    settings = settings_of(
        chosen_dataset(dataset, data),
        read_recipes(recipe),
        {"model": model, "fusion": fusion, "scheme": scheme},
        change or [],
        Places(images=images, pairs=pairs, out=out, work=work, weights_root=weights_root),
        start_from,
        extra,
    )
    made = train(settings)
    if extra and settings.start and all((f / "metrics.json").exists() for f in (settings.start, made)):
        say(*reviewed_posts.compare(settings.start, made).split("\n"))
    say(str(made))


run.__doc__ = f"""Train one cell, resuming if it was cut off, and score it on validation and test.

    Examples: python -m train run --dataset {EXAMPLE} --data ../shared/data --fusion film
    --set trunk.epochs=5; python -m train run --dataset my/folder --recipe small
    """


def row(
    dataset: DatasetName = None,
    data: MaybeData = None,
    recipe: Annotated[
        str, typer.Option(help="A recipe with a stage row, by name or file: python -m train recipes.")
    ] = "words",
    model: Annotated[str | None, typer.Option(help=f"{', '.join(MODELS)}; else the recipe's.")] = None,
    fusions: Annotated[
        str | None, typer.Option(help="Fusions, by comma; else the zoo's of the model, and each side alone.")
    ] = None,
    change: Change = None,
    scheme: MaybeSplit = None,
    images: Images = None,
    pairs: Pairs = None,
    out: Out = Path("runs"),
    work: Work = Path("runs"),
    start_from: StartFrom = None,
    extra: Extra = None,
    weights_root: WeightsRoot = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            help="A stored cell of the dataset's labels whose probabilities stand beside gold; of several "
            "datasets give one for each that has one."
        ),
    ] = None,
    taught: Annotated[
        str | None,
        typer.Option(help="Datasets, by comma, whose training posts the teacher labels for this run."),
    ] = None,
) -> None:
    from train.cells.joint import run_rows
    from train.cells.row import row_fusions, run_row
    from train.cells.teacher import teachers_of

    runs = [
        settings_of(
            chosen_dataset(name, data),
            read_recipes(recipe),
            {"model": model, "scheme": scheme},
            change or [],
            Places(images=images, pairs=pairs, out=out, work=work, weights_root=weights_root),
            start_from,
            extra,
        )
        for name in (dataset.split(",") if dataset else [None])
    ]
    if teacher or taught:
        others = [find_dataset(name) for name in (taught.split(",") if taught else ())]
        teachers = teachers_of([run.config.dataset for run in runs], teacher or (), others)
        runs = [replace(run, teacher=own) for run, own in zip(runs, teachers, strict=True)]
    named = [name.strip() for name in fusions.split(",")] if fusions else row_fusions(runs[0].config.model)
    for folder in run_rows(runs, named) if len(runs) > 1 else run_row(runs[0], named):
        say(str(folder))


row.__doc__ = f"""Train a trunk with all of its fusions at once, resuming if cut off, and score each cell.

    Several datasets by comma train one trunk together, each with fusions and heads of its own.

    Examples: python -m train row --dataset {EXAMPLE} --data ../shared/data --model roberta-resnet50; with
    --teacher checkpoints/base/{EXAMPLE}/roberta-resnet50/concat --taught NAME it learns from that cell too
    """

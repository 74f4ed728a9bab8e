"""Command-line options that several training commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mmdemo.types import InputError
from train.fit.recipe import Recipe

FIELDS = ", ".join(vars(Recipe()))

Data = Annotated[Path, typer.Option(help="Folder with twitter2015/, twitter2017/ and mnre/.")]
Images = Annotated[
    Path | None,
    typer.Option(
        help="Folder of original photos, {image_id}.jpg. clip-bert in lite needs captions of them: "
        "docs/training.md."
    ),
]
Pairs = Annotated[Path | None, typer.Option(help="CSV that pairs posts with stand-in photos.")]
Out = Annotated[Path, typer.Option(help="Root that gets preset/dataset/model/fusion.")]
Work = Annotated[Path, typer.Option(help="Logs, resume states and cached photo features.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Seed = Annotated[int, typer.Option(help="Order, dropout, augmentation and first weights.")]
Change = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help=f"Override a recipe: [trunk.|cell.|whole.]field=value. Repeatable. Fields: {FIELDS}."
    ),
]
EndToEnd = Annotated[
    bool,
    typer.Option(
        help="Text encoder, fusion and head at once, no shared trunk; in lite the image encoder and word "
        "embeddings stay frozen."
    ),
]
WeightsRoot = Annotated[
    Path | None,
    typer.Option(help="Preset full: a folder of local copies of the published weights; docs/training.md."),
]
Init = Annotated[
    str, typer.Option("--init", help="Preset full: published weights, or random ones to try things.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Only each split's first N posts, to try things.")]
Split = Annotated[
    str,
    typer.Option(
        "--scheme",
        help="official splits, or the report's 70:15:15 of all posts shuffled, which on MNRE puts the "
        "sentences of 52 % of the test rows into train.",
    ),
]


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

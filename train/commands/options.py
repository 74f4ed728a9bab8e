"""Command-line options that several training commands share."""

from pathlib import Path
from typing import Annotated

import typer

from mmdemo.datasets.discovery import bundled, default_for, find_dataset
from mmdemo.datasets.schema import Dataset
from mmdemo.datasets.toml_file import FILE
from mmdemo.types import InputError
from train.cells.recipes import RUN
from train.fit.recipe import Recipe

FIELDS = ", ".join(vars(Recipe()))

#: Names for help texts.
NAMES = ", ".join(bundled())
EXAMPLE = default_for("entities").name

DatasetName = Annotated[str | None, typer.Option("--dataset", help=f"{NAMES}, or a folder with a {FILE}.")]
Data = Annotated[Path, typer.Option(help=f"Folder with {'/, '.join(bundled())}/, or with a {FILE}.")]
MaybeData = Annotated[
    Path | None, typer.Option("--data", help=f"As above; left out, the folder of --dataset's {FILE}.")
]
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
        "--set",
        help=f"Override the recipe: [trunk.|cell.|whole.|row.]field=value, fields {FIELDS}; or what the run "
        f"picks: {', '.join(RUN)}. Repeatable.",
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
_SCHEME = typer.Option(
    "--scheme",
    help="official splits, or the report's 70:15:15 of all posts shuffled, where a text with several "
    "rows may stand in train and test.",
)
Split = Annotated[str, _SCHEME]
MaybeSplit = Annotated[str | None, _SCHEME]


def chosen_dataset(name: str | None, data: Path | None) -> tuple[Dataset, Path]:
    """The dataset of ``--dataset`` and the folder of ``--data``; either may tell the other.

    Raises:
        InputError: neither does, or there is no such dataset.
    """
    if name is None and data is not None and (data / FILE).is_file():
        name = str(data)
    if name is None:
        raise InputError(f"--dataset is missing: {NAMES}, or a folder with a {FILE}")
    dataset = find_dataset(name)
    if data is None:
        path = Path(name)
        if dataset.name == name or not path.exists():
            raise InputError(f"--data is missing: the folder with the files of {name}")
        data = path if path.is_dir() else path.parent
    return dataset, data

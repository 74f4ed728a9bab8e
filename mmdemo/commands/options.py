"""Options that several commands share, and what they mean. Help names datasets from their records."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmdemo.datasets.discovery import bundled, default_for
from mmdemo.datasets.schema import TASKS, Task
from mmdemo.formats.shared.photo_words import refuse, stated_words
from mmdemo.types import InputError, PhotoWords

if TYPE_CHECKING:  # a command that is not run should not import models
    from mmdemo.cells.locate import Cell

#: The first rows of the tables of models and fusions; to read those takes seconds that --help should not.
MODEL = "roberta-resnet50"
FUSION = "film"


def datasets_help() -> str:
    """Which datasets a command takes: by task, and a person's own."""
    by_task = [
        f"{', '.join(name for name, dataset in bundled().items() if task in dataset.tasks)} ({task})"
        for task in TASKS
    ]
    return f"{'; '.join(by_task)}; another one that has checkpoints; or a folder with a dataset.toml."


def example(command: str, task: Task, *more: str) -> str:
    """A line to try: the command with a bundled dataset's own first example of a task."""
    dataset = default_for(task)
    words = ["--dataset", dataset.name, *more]
    if dataset.examples:
        words += ["--text", dataset.examples[0].text]
    return f"Example: python -m mmdemo {command} {shlex.join(words)}"


def told(text: str, *examples: str) -> str:
    """A command's help: what its function says, then examples."""
    return "\n\n".join([text.strip(), *examples])


def cell_of(dataset: str | None, model: str, fusion: str, preset: str, cell: str | None = None) -> "Cell":
    """The cell that a person means, by its name or by its parts.

    Raises:
        InputError: neither a name nor a dataset is given, or there is no such cell.
    """
    from mmdemo.cells import catalogue
    from mmdemo.cells.name import CellName

    if cell is not None:
        if dataset is not None:
            raise InputError("--cell names the dataset already: leave --dataset out")
        name = CellName.parse(cell)
        return catalogue.find_cell(name.dataset, name.model, name.fusion, name.preset)
    if dataset is None:
        raise InputError(
            "say which dataset's labels to find: --dataset NAME, or --cell preset/dataset/model/fusion"
        )
    return catalogue.find_cell(dataset, model, fusion, preset)


def described(texts: list[str] | None) -> tuple[PhotoWords, ...]:
    """What a person says of the photo. Raises InputError where it is too long, or no text."""
    return stated_words({"description": texts}, "the command", refuse)


DatasetName = Annotated[str, typer.Option(help=datasets_help())]
DatasetOrCell = Annotated[str | None, typer.Option(help=datasets_help())]
CellText = Annotated[
    str | None,
    typer.Option("--cell", help="The checkpoint's whole name, in place of the four parts; `zoo` lists all."),
]
Text = Annotated[
    str, typer.Option(help="The post; to ask for a relation, mark its pair: [E1]…[/E1] and [E2]…[/E2].")
]
Model = Annotated[str, typer.Option(help="Which encoders.")]
Fusion = Annotated[str, typer.Option(help="How text and photo are fused; `zoo` lists all.")]
Preset = Annotated[str, typer.Option(help="lite (shipped), full or tiny (tests).")]
Photo = Annotated[Path | None, typer.Option(help="The photo: JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF or HEIC.")]
Description = Annotated[
    list[str] | None,
    typer.Option(
        help="What the photo shows, in words: a description or its alt text; may be repeated. "
        "The answer repeats it, and says whether the checkpoint read it."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

"""What every cell of the zoo is: whether it can be used, how large it is, what it scores. No weights."""

import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdemo.answer import pipeline
from mmdemo.answer.pipeline import Cell
from mmdemo.cells import hub
from mmdemo.cells.checkpoint import load_card
from mmdemo.cells.zoo import CARD_FILES
from mmdemo.types import InputError


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One cell: ``status`` is "ready" or "not ready" (``problem`` says why); ``size`` in bytes.

    ``size`` counts what the cell reads beside the base encoders that all cells share: its own files and
    its trunks, which it may share with the model's other fusions. 0 where there are no files.
    """

    cell: Cell
    status: str
    problem: str | None
    size: int
    metrics: dict[str, Any]


def entries(preset: str = "lite") -> tuple[Entry, ...]:
    """All cells of a preset. Raises InputError for an unknown preset."""
    return tuple(_entry(cell) for cell in pipeline.cells(preset))


def _entry(cell: Cell) -> Entry:
    metrics: dict[str, Any] = {}
    problem = cell.problem
    if problem is None:
        try:
            metrics = pipeline.describe(cell)["metrics"]
        except InputError as error:
            problem = str(error)
    return Entry(
        cell=cell,
        status="ready" if problem is None else "not ready",
        problem=problem,
        size=_size(cell),
        metrics=metrics,
    )


def _size(cell: Cell) -> int:
    """Bytes of the cell's own files and of all trunks that it reads; 0 where it cannot be read."""
    try:
        names = (*CARD_FILES, *load_card(cell.folder).files)
    except InputError:
        return 0
    if cell.source:  # some may not have been fetched yet
        held = hub.listing(cell.source)
        paths = {posixpath.normpath(f"{cell.name}/{name}") for name in names}
        return sum(held[path].size for path in paths if path in held)
    return sum((cell.folder / name).stat().st_size for name in names if (cell.folder / name).is_file())


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry as JSON values; ``folder`` is relative to the working directory where it lies below it."""
    folder = entry.cell.folder.absolute()
    here = Path.cwd()
    return {
        "dataset": entry.cell.dataset,
        "model": entry.cell.model,
        "fusion": entry.cell.fusion,
        "preset": entry.cell.preset,
        "status": entry.status,
        "problem": entry.problem,
        "size": entry.size,
        "metrics": entry.metrics,
        "folder": (folder.relative_to(here) if folder.is_relative_to(here) else folder).as_posix(),
    }

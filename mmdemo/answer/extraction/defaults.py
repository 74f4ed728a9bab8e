"""Which cells answer where nobody chose: the best ready ones by their validation figures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell, read_card
from mmdemo.cells.name import CellName
from mmdemo.datasets.discovery import default_for
from mmdemo.datasets.schema import TASKS, Task
from mmdemo.measures import judged
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.types import InputError

#: What validation, of a thousand posts or so, cannot tell apart: a tenth of a point.
AS_GOOD = 0.001


@dataclass(frozen=True, kw_only=True)
class CellPair:
    """Who finds the entities and who tells the relations; one cell twice where it does both."""

    entities: Cell
    relations: Cell | None


def cell_of(name: CellName) -> Cell:
    """The cell of a name that a person gave. Raises InputError for an unknown one."""
    return catalogue.find_cell(name.dataset, name.model, name.fusion, name.preset)


def cell_pair(
    entities: str | None = None,
    relations: str | None = None,
    preset: str | None = "lite",
    find: Callable[[CellName], Cell] = cell_of,
) -> CellPair:
    """The cells of two names; for one that is not given, the best that there is.

    A named entity cell whose dataset has both tasks tells the relations too. ``preset`` as in `best_cell`.

    Raises:
        InputError: a name is unknown or of the other task, or no cell of a task is ready.
    """
    first = best_cell("entities", preset) if entities is None else _named(entities, "entities", find)
    if relations is not None:
        return CellPair(entities=first, relations=_named(relations, "relations", find))
    if first.dataset.has_relations:
        return CellPair(entities=first, relations=first)
    return CellPair(entities=first, relations=best_cell("relations", preset))


def best_cell(task: Task, preset: str | None = "lite") -> Cell:
    """The ready cell of the task's default dataset that judged best on validation; else the first ready one.

    Without a preset, of the first of `mmdemo.cells.catalogue.default_presets` that has any. Where its
    fusion has nothing to show for a reason, one that has and is as good (`AS_GOOD`) answers in its place.

    Raises:
        InputError: none is ready.
    """
    dataset = default_for(task)
    presets = catalogue.default_presets() if preset is None else (preset,)
    found = (
        [c for c in catalogue.cells(name) if c.problem is None and c.dataset.name == dataset.name]
        for name in presets
    )
    able = next(filter(None, found), [])
    if not able:
        raise InputError(
            f"no checkpoint of {dataset.title} is ready in the preset {' or '.join(presets)}; `zoo` lists all"
        )
    figures = {cell: _on_validation(read_card(cell).metrics) for cell in able}
    best = max(figures.values())
    equals = [cell for cell in able if figures[cell] >= best - AS_GOOD]
    return max(equals, key=lambda cell: (bool(FUSIONS[cell.fusion].trace), figures[cell]))


def _on_validation(metrics: Mapping[str, Any]) -> float:
    held: Any = metrics
    for key in ("splits", "valid", "photo"):
        held = held.get(key) if isinstance(held, Mapping) else None
    return (judged(held) or 0.0) if isinstance(held, Mapping) else 0.0


def _named(name: str, task: Task, find: Callable[[CellName], Cell]) -> Cell:
    cell = find(CellName.parse(name))
    if task not in cell.dataset.tasks:
        other = next(one for one in TASKS if one != task)
        raise InputError(f"{cell.name} answers {other}, not {task}")
    return cell

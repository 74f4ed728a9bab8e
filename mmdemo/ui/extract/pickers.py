"""Who finds the entities and who tells the relations: two pickers, and the line that says it in words."""

from typing import Any

import gradio as gr

from mmdemo.answer.extraction.defaults import CellPair, best_cell, cell_pair
from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell
from mmdemo.cells.name import CellName
from mmdemo.datasets.schema import TASKS, Task
from mmdemo.types import InputError
from mmdemo.ui.extract.drawing.page import by_html
from mmdemo.ui.predict.pickers import ready_cell
from mmdemo.ui.shell.titles import fusion_title, sized_title

NAMES: dict[Task, str] = {"entities": "Entities by", "relations": "Relations by"}


def ready_named(name: CellName) -> Cell:
    """The cell of a name. Raises InputError where there is none, or it cannot run."""
    return ready_cell(name.preset, name.dataset, name.model, name.fusion)


def chosen_cells(entities: str | None, relations: str | None) -> CellPair:
    """The picked cells; the best where nothing is picked. Raises InputError as `cell_pair`."""
    for name in (entities, relations):
        if name is not None and not isinstance(name, str):
            raise InputError("a checkpoint's name in the request is not text")
    return cell_pair(entities or None, relations or None, None, ready_named)


def title_of(cell: Cell) -> str:
    """ "Tweets 2017 · RoBERTa + ResNet50 (base) · FiLM"."""
    return " · ".join([cell.dataset.title, sized_title(cell), fusion_title(cell.fusion)])


def by_line(entities: str | None, relations: str | None) -> str:
    """The line above the answer: by whom entities and relations are found, with their seeds."""
    try:
        cells = chosen_cells(entities, relations)
    except InputError as error:
        return by_html([], str(error))
    both: dict[Task, Cell | None] = {"entities": cells.entities, "relations": cells.relations}
    told = [(task, title_of(cell), _seed(cell)) for task, cell in both.items() if cell is not None]
    return by_html(told)


def follow(entities: str | None, relations: str | None) -> Any:
    """After another entity cell was picked: one that tells relations too tells them itself."""
    try:
        cell = chosen_cells(entities, relations).entities
    except InputError:
        return gr.skip()
    return cell.name if cell.dataset.has_relations else gr.skip()


def build_pickers() -> dict[Task, gr.Dropdown]:
    """A picker for each task, with every cell of it that can run; the best is picked."""
    cells = [cell for cell in catalogue.cells() if not cell.problem]
    made = {}
    with gr.Row():
        for task in TASKS:
            choices = [(title_of(c), c.name) for c in cells if task in c.dataset.tasks]
            made[task] = gr.Dropdown(
                choices,
                value=_first(task),
                label=NAMES[task],
                elem_id=f"extract-{task}",
                min_width=260,
            )
    return made


def _first(task: Task) -> str | None:
    try:
        return best_cell(task, None).name
    except InputError:
        return next((c.name for c in catalogue.cells() if not c.problem and task in c.dataset.tasks), None)


def _seed(cell: Cell) -> object:
    card = catalogue.describe(cell)
    metrics, training = card.get("metrics") or {}, card.get("training") or {}
    return metrics.get("seed", training.get("seed"))

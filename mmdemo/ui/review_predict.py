"""Predictions as suggestions for reviewers: of a whole queue, and of the app's own example posts."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from mmdemo import pipeline
from mmdemo.config import DATASETS, Task
from mmdemo.pipeline import Cell
from mmdemo.review.names import MAX_NAME
from mmdemo.review.records import Labelled, Suggestion
from mmdemo.review.store import Store
from mmdemo.review.suggest import Assess, annotate, suggestion_of
from mmdemo.types import InputError, Post
from mmdemo.ui import examples


def siblings(cell: Cell) -> list[Cell]:
    """The other fusions of a cell's dataset and model that can run."""
    same = (cell.preset, cell.dataset, cell.model)
    ready = [c for c in pipeline.cells(cell.preset) if not c.problem and c.name != cell.name]
    return [c for c in ready if (c.preset, c.dataset, c.model) == same]


def assessor(cell: Cell, *, compare: bool, blind: bool) -> Assess:
    """What `annotate` asks about each batch of posts.

    Args:
        compare: ask the other fusions too, for the order by disagreement.
        blind: ask without the photo too, for the order by what the photo changes.
    """
    others = siblings(cell) if compare else []

    def assess(posts: Sequence[Post]) -> list[Suggestion]:
        own = pipeline.predict_many(posts, cell)
        rest = [pipeline.predict_many(posts, other) for other in others]
        dark = pipeline.predict_many([replace(p, image=None) for p in posts], cell) if blind else None
        return [
            suggestion_of(found, [answers[i] for answers in rest], dark[i] if dark else None)
            for i, found in enumerate(own)
        ]

    return assess


def predict_queue(
    store: Store,
    queue: str,
    cell: Cell,
    *,
    compare: bool = False,
    blind: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> int:
    """Suggest answers to a queue's undecided posts; how many. A run that was broken off can be repeated."""

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(done, total)

    return annotate(store, queue, cell.name, assessor(cell, compare=compare, blind=blind), progress=tell)


# --- examples --------------------------------------------------------------------------------------


def ready_cell(task: Task) -> Cell:
    """The first cell of a task that can run. Raises InputError where there is none."""
    for cell in pipeline.cells():
        if not cell.problem and DATASETS[cell.dataset].task == task:
            return cell
    raise InputError("no checkpoint is ready to predict the examples")


def example_queue(store: Store, task: Task, reviewer: str) -> str:
    """A queue of the reviewer's own with the predicted examples; its name. It may exist already."""
    cell = ready_cell(task)
    kind = "entities" if task == "ner" else "relations"
    name = f"examples of {reviewer}"[: MAX_NAME - len(kind) - 3] + f" · {kind}"
    items = []
    for example, path in examples.available():
        read = pipeline.read_post(example.texts[task], cell.dataset, path)
        post = replace(read, text=" ".join(read.tokens), image=path, id=example.title)
        items.append(Labelled(post=post, answer=None))
    store.make_queue(name, cell.dataset)
    store.add(name, items)
    predict_queue(store, name, cell)
    return name

"""The zoo's cells as suggestions for reviewers: what a cell says of a queue's posts, and how sure that is."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from mmdemo import pipeline
from mmdemo.config import DATASETS
from mmdemo.data.image import load_photo
from mmdemo.gpu import on_gpu
from mmdemo.pipeline import Cell
from mmdemo.review.records import Suggestion
from mmdemo.review.store import Store
from mmdemo.review.suggest import Assess, annotate, suggestion_of
from mmdemo.types import Post

Turn = Callable[[], AbstractContextManager[None]]


def siblings(cell: Cell) -> list[Cell]:
    """The other fusions of a cell's dataset and model that can run."""
    row = (cell.preset, cell.dataset, cell.model)
    ready = [c for c in pipeline.cells(cell.preset) if not c.problem and c.name != cell.name]
    return [c for c in ready if (c.preset, c.dataset, c.model) == row]


def assessor(
    cell: Cell, *, others: Sequence[Cell] = (), blind: bool = False, turn: Turn = nullcontext
) -> Assess:
    """What `mmdemo.review.suggest.annotate` asks about each batch of posts.

    A photo that cannot be read counts as none, as in a dataset (`load_photo`).

    Args:
        others: cells whose disagreement with ``cell`` is measured, for the order by it.
        blind: ask without the photo too, for the order by what the photo changes.
        turn: a context in which models may run; photos are opened before it.
    """

    def assess(posts: Sequence[Post]) -> list[Suggestion | None]:
        opened = [replace(post, image=load_photo(post)[0]) for post in posts]
        with turn():
            return suggestions(opened, cell, others, blind)

    return assess


@on_gpu
def suggestions(
    posts: Sequence[Post], cell: Cell, others: Sequence[Cell], blind: bool
) -> list[Suggestion | None]:
    """A cell's suggestion for each post, with what the order of a queue goes by; see `assessor`.

    None for a post without the marked pair that a relation is asked of: one post must not keep a queue from
    all others.
    """
    paired = DATASETS[cell.dataset].task == "re"
    asked = [p for p in posts if p.pair is not None or not paired]
    made = iter(_suggestions(asked, cell, others, blind) if asked else ())
    return [next(made) if p.pair is not None or not paired else None for p in posts]


def _suggestions(posts: Sequence[Post], cell: Cell, others: Sequence[Cell], blind: bool) -> list[Suggestion]:
    own = pipeline.predict_many(posts, cell)
    rest = [pipeline.predict_many(posts, other) for other in others]
    dark = pipeline.predict_many([replace(p, image=None) for p in posts], cell) if blind else None
    return [
        suggestion_of(found, [answers[i] for answers in rest], dark[i] if dark else None)
        for i, found in enumerate(own)
    ]


def predict_queue(
    store: Store,
    queue: str,
    cell: Cell,
    *,
    others: Sequence[Cell] = (),
    blind: bool = False,
    batch: int = 16,
    progress: Callable[[int, int], None] | None = None,
    turn: Turn = nullcontext,
) -> int:
    """Suggest answers to a queue's undecided posts; how many. A run that was broken off can be repeated."""
    assess = assessor(cell, others=others, blind=blind, turn=turn)
    return annotate(store, queue, cell.name, assess, batch=batch, progress=progress)

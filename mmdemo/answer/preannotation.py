"""The zoo's cells as suggestions for reviewers: what a cell says of a queue's posts, and how sure that is."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from mmdemo.answer.predict import predict_many
from mmdemo.cells import catalogue
from mmdemo.cells.gpu import on_gpu
from mmdemo.cells.locate import Cell, same_labels
from mmdemo.datasets.schema import Dataset
from mmdemo.photo.opening import load_photo
from mmdemo.review.records import Suggestion
from mmdemo.review.store.reviews import Store
from mmdemo.review.suggest import Assess, annotate, suggestion_of
from mmdemo.types import InputError, Question, quoted

Turn = Callable[[], AbstractContextManager[None]]


def siblings(cell: Cell) -> list[Cell]:
    """The other fusions of a cell's dataset and model that can run."""
    row = (cell.preset, cell.dataset.name, cell.model)
    ready = [c for c in catalogue.cells(cell.preset) if not c.problem and c.name != cell.name]
    return [c for c in ready if (c.preset, c.dataset.name, c.model) == row]


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

    def assess(questions: Sequence[Question]) -> list[Suggestion | None]:
        opened = [replace(q, post=replace(q.post, image=load_photo(q.post)[0])) for q in questions]
        with turn():
            return suggestions(opened, cell, others, blind)

    return assess


@on_gpu
def suggestions(
    questions: Sequence[Question], cell: Cell, others: Sequence[Cell], blind: bool
) -> list[Suggestion | None]:
    """A cell's suggestion for each question, with what the order of a queue goes by; see `assessor`.

    A cell is asked only for what it was trained to find; None where that is nothing, as for a post without
    a pair that a relation could be asked of: one post must not keep a queue from all others.
    """
    fitting = [_fitting(question, cell.dataset) for question in questions]
    asked = [q for q in fitting if q is not None]
    made = iter(_suggestions(asked, cell, others, blind) if asked else ())
    return [None if question is None else next(made) for question in fitting]


def _fitting(question: Question, dataset: Dataset) -> Question | None:
    """The part of a question that a dataset's cells answer; None where there is none."""
    ask = replace(
        question.ask,
        entities=question.ask.entities and dataset.has_entities,
        relations=question.ask.relations if dataset.has_relations else (),
    )
    if not ask.entities and not ask.relations:
        return None
    return replace(question, ask=ask)


def _suggestions(
    questions: Sequence[Question], cell: Cell, others: Sequence[Cell], blind: bool
) -> list[Suggestion]:
    own = predict_many(questions, cell)
    rest = [predict_many(questions, other) for other in others]
    dark = None
    if blind:
        unseen = [replace(q, post=replace(q.post, image=None, photo_words=())) for q in questions]
        dark = predict_many(unseen, cell)
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
    """Suggest answers to a queue's undecided posts; how many. A run that was broken off can be repeated.

    Raises:
        InputError: the cell was trained for other labels than the queue's.
    """
    scheme = store.progress(queue).queue.scheme
    if not same_labels(cell.dataset, scheme):
        raise InputError(f"{cell.name} was trained for other labels than the queue {quoted(queue)} has")
    assess = assessor(cell, others=others, blind=blind, turn=turn)
    return annotate(store, queue, cell.name, assess, batch=batch, progress=progress)

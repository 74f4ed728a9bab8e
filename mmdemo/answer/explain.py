"""Why a cell answers a post as it does: the answer and its explanation from one pass over the post."""

from collections.abc import Sequence

from mmdemo.answer.predict import answers_of, assemble, batches_of, read_parts, scored
from mmdemo.cells import catalogue, gpu
from mmdemo.cells.calibration import Calibration
from mmdemo.cells.locate import Cell
from mmdemo.explain import explainers
from mmdemo.explain.explained_post import ExplainedPost, explained
from mmdemo.models.batch import collate
from mmdemo.models.seen import encoded, fused
from mmdemo.types import Explanation, ImageSource, InputError, Question


@gpu.on_gpu
def explain(
    question: Question,
    cell: Cell,
    *,
    target: int | None = None,
    views: Sequence[str] | None = None,
    others: Sequence[ImageSource] = (),
) -> Explanation:
    """Why a cell answers a post as it does: pictures' numbers, for every view that the cell can give.

    Of a question that asks for both, its entities are explained; of several pairs the first.

    Args:
        target: which answer. Entities: the index of a word, meaning its entity, or its likeliest tag where
            it is in none. A relation: its place among the pair's. None takes the surest.
        views: names from `mmdemo.explain.explainers.VIEWS`; None takes all.
        others: photos to set the post's own against (`image-contribution`).

    Raises:
        InputError: as in `mmdemo.answer.predict.predict`, or for a target or view that there is not.
    """
    return explainers.explain(prepare(question, cell, target=target, others=others), views)


def prepare(
    question: Question, cell: Cell, *, target: int | None = None, others: Sequence[ImageSource] = ()
) -> ExplainedPost:
    """The answer and the pass that it is from, for the explainers. Raises InputError as `explain`."""
    loaded = catalogue.load(cell)
    parts = read_parts([question], loaded)
    if not parts:
        raise InputError("the post has no pair whose relation could be explained")
    part = parts[0]
    batch = collate([part.example]).to(loaded.device)
    seen = fused(loaded.model, encoded(loaded.model, batch, to_explain=True))
    found = answers_of([part], cell, loaded, seen.output)
    for rest in batches_of(parts[1:]):
        found += scored(rest, cell, loaded)
    (prediction,) = assemble([question], cell, found)
    return explained(
        loaded.model,
        loaded.encoder,
        prediction,
        part.example,
        seen,
        target,
        pair=part.pair,
        temperature=Calibration.of(
            loaded.card.metrics, "entities" if part.pair is None else "relations"
        ).temperature,
        others=others,
    )

"""Let a model propose answers for a queue, in batches, and say how much each post is worth a look.

The model comes in as a function, so that this package needs none: `python -m mmdemo review predict` and
the app pass one made of the pipeline.
"""

from collections.abc import Callable, Sequence
from itertools import combinations

from mmdemo.review.records import Answer, Link, Suggestion
from mmdemo.review.store.reviews import Store
from mmdemo.types import Post, Prediction

#: Suggestions for some posts, one each, in order.
Assess = Callable[[Sequence[Post]], Sequence[Suggestion | None]]


def annotate(
    store: Store,
    queue: str,
    checkpoint: str,
    assess: Assess,
    *,
    batch: int = 16,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Fill the queue's undecided posts with suggestions by ``checkpoint``; how many were made.

    Each batch is saved before the next is begun: a run that was cut off goes on where it stopped, and a
    second run does nothing. ``progress(done, all)`` is called after each.
    """
    keys = store.unsuggested(queue, checkpoint)
    count = 0
    for start in range(0, len(keys), batch):
        reviews = store.reviews(keys[start : start + batch], "model")
        found = assess([review.post for review in reviews])
        pairs = [(review.key, made) for review, made in zip(reviews, found, strict=True) if made is not None]
        store.suggest(pairs)
        count += len(pairs)
        if progress is not None:
            progress(min(start + batch, len(keys)), len(keys))
    return count


def suggestion_of(
    prediction: Prediction,
    others: Sequence[Prediction] = (),
    without_photo: Prediction | None = None,
) -> Suggestion:
    """A suggestion from one cell's prediction.

    Args:
        others: the same post by other fusions; their mean pairwise distance to it and among each other is
            the disagreement.
        without_photo: the same cell without the photo; its distance is the flip. A post that has no photo
            flips by 0.
    """
    answer = answer_of(prediction)
    answers = [answer, *map(answer_of, others)]
    pairs = list(combinations(answers, 2))
    flip = None
    if without_photo is not None:
        flip = distance(answer, answer_of(without_photo)) if prediction.image_used else 0.0
    return Suggestion(
        answer=answer,
        checkpoint=prediction.checkpoint,
        relations=prediction.relations,
        entropy=prediction.entropy,
        disagreement=sum(distance(*pair) for pair in pairs) / len(pairs) if pairs else None,
        flip=flip,
    )


def answer_of(prediction: Prediction) -> Answer:
    """What a prediction says: its entities, or the likeliest relation of the marked pair."""
    links: tuple[Link, ...] = ()
    if prediction.relations and prediction.post.pair is not None:
        best, pair = prediction.relations[0], prediction.post.pair
        links = (Link(head=pair.head, tail=pair.tail, label=best.label, score=best.score),)
    return Answer(entities=prediction.entities, links=links)


def distance(one: Answer, other: Answer) -> float:
    """1 - F1 between two answers: 0 where they say the same (or both nothing), 1 where they share nothing."""
    first, second = one.items(), other.items()
    if not first and not second:
        return 0.0
    return 1 - 2 * len(first & second) / (len(first) + len(second))

"""Who decided the posts of an export, when, and on what a cell had proposed."""

from collections.abc import Sequence
from dataclasses import replace

from mmdemo.review.records import Answer, Review
from mmdemo.review.store.reviews import Store
from mmdemo.types import Decided, Question


def with_decisions(
    store: Store, queue: str, decided: Sequence[Review], items: Sequence[Question]
) -> list[Question]:
    """The posts with who decided them, the two blind reviews before what settled them, and with the scores
    of what a cell had proposed and people left as it was."""
    double = store.progress(queue).queue.double
    blind = {one.post.id: (one.one, one.other) for one in store.double_reviews(queue)} if double else {}
    reviews = {review.post.id: review for review in decided}
    found = []
    for item in items:
        review = reviews[item.post.id]
        proposed, told = review.suggestion, list[Decided]()
        for decision in (*blind.get(item.post.id, ()), review.decision):
            if decision is not None:
                one = Decided(
                    by=decision.reviewer,
                    verdict=decision.verdict,
                    at=decision.at,
                    checkpoint=proposed.checkpoint if proposed else None,
                    score=proposed.score if proposed else None,
                )
                told += [one] if one not in told else []
        answer = review.decision.answer if review.decision else Answer()
        post = item.post
        if post.entities is not None:
            post = replace(post, entities=answer.entities)
        if post.relations is not None:
            post = replace(post, relations=answer.links)
        found.append(replace(item, post=post, decided=tuple(told)))
    return found

"""Answers that a file has for posts which are there, and those of several people for one post."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, select, update

from mmdemo.review.answers import suggestion_row
from mmdemo.review.records import Answer, Decision, Suggestion
from mmdemo.review.store import post_state as fold
from mmdemo.review.store.changes import load, record, utc
from mmdemo.review.store.rows import derived_columns, dump
from mmdemo.review.store.tables import posts

#: The name of answers that a file states, where a suggestion names its checkpoint.
FILE = "file"

_TOLD = {
    "photo": "posts that were there without their photo have it now",
    "photo_words": "posts that were there without words of their photo have them now",
    "answer": "posts that were there without an answer have the file's now",
    "decided": "posts that were there undecided are decided as the file states",
    "other": "posts have other answers here than in the file; they stay as they are. To take the file's, "
    "import it as corrections (--corrections)",
}


class Known(Protocol):
    """A row of a file whose post is there."""

    @property
    def answer(self) -> Answer | None: ...


def answer_known(
    connection: Connection,
    again: Sequence[tuple[int, Known]],
    double: bool,
    use: str,
    reviewer: str,
    photos: Path,
    now: float,
    counts: Counter[str],
) -> None:
    """Give posts (by key) that have no answer the file's; ``counts`` what became of them.

    What a person decided or a model suggested stays.
    """
    for key, row in again if use != "ignore" else ():
        if row.answer is None:
            continue
        item = load(connection, key, photos)
        decision = fold.settled(item.seats, double)
        there = decision.answer if decision else item.suggestion.answer if item.suggestion else None
        untouched = fold.version(item.seats) == 0
        if there is None and untouched:
            _suggest(connection, key, row.answer, double)
            counts["answer"] += use == "suggest"
        elif there is not None and not there.same_as(row.answer):
            counts["other"] += 1
            continue
        if use == "accept" and untouched:
            at, seat = utc(now), fold.ADJUDICATED if double else fold.SHARED
            after = Decision(verdict="accepted", answer=row.answer, reviewer=reviewer, at=at)
            item = load(connection, key, photos)
            batch = batch_name(at)
            record(
                connection, item, kind="import", seat=seat, reviewer=reviewer, after=after, at=at, batch=batch
            )
            counts["decided"] += 1


def _suggest(connection: Connection, key: int, answer: Answer, double: bool) -> None:
    suggestion = Suggestion(answer=answer, checkpoint=FILE)
    columns = {
        "suggestion": dump(suggestion_row(suggestion)),
        "checkpoint": FILE,
        **derived_columns({}, double, suggestion),
    }
    connection.execute(update(posts).where(posts.c.id == key).values(columns))


def record_reviews(
    connection: Connection,
    queue_id: int,
    several: Mapping[str, Sequence[tuple[str, Answer]]],
    photos: Path,
    now: float,
) -> None:
    """Each person's answer at a seat of their own, as if they had reviewed the post here."""
    at = utc(now)
    query = select(posts.c.id, posts.c.ref).where(
        posts.c.queue_id == queue_id, posts.c.ref.in_(list(several))
    )
    for key, ref in connection.execute(query).all():
        for who, answer in several[ref]:
            item = load(connection, key, photos)
            after = Decision(verdict="accepted", answer=answer, reviewer=who, at=at)
            record(
                connection,
                item,
                kind="import",
                seat=who,
                reviewer=who,
                after=after,
                at=at,
                batch=batch_name(at),
            )


def batch_name(at: str) -> str:
    """The batch name of one import."""
    return hashlib.sha256(at.encode()).hexdigest()[:32]


def told_known(counts: Counter[str]) -> list[str]:
    """What became of posts that were there, in sentences."""
    return [f"{counts[key]} {text}" for key, text in _TOLD.items() if counts[key]]

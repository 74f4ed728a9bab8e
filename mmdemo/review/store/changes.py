"""Changes to one post inside a transaction: every one appends an event and updates what `posts` caches."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, delete, insert, update

from mmdemo.review.answers import read_answer, with_scores
from mmdemo.review.records import Answer, Conflict, Decision, Leased, Verdict
from mmdemo.review.store import post_state as fold
from mmdemo.review.store.queue import live_leases, select_known
from mmdemo.review.store.rows import Known, decision_row, derived_columns, dump, known
from mmdemo.review.store.tables import events, leases, posts
from mmdemo.types import InputError, quoted

log = logging.getLogger(__name__)


def utc(now: float) -> str:
    """ISO 8601 with microseconds; sorts as text."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds")


def load(connection: Connection, key: int, photos: Path, queue_id: int | None = None) -> Known:
    """One post, locked against other writers until the transaction ends.

    Raises:
        InputError: no such post, or it is another queue's.
    """
    query = select_known().where(posts.c.id == key).with_for_update(of=posts)
    row = connection.execute(query).one_or_none()
    if row is None or (queue_id is not None and row.queue_id != queue_id):
        raise InputError(f"there is no post {key} in this queue")
    return known(row, photos)


def load_for(connection: Connection, key: int, queue_id: int, reviewer: str, photos: Path) -> Known:
    """`load` for a decision of this reviewer; a post of another queue is logged: no page asks for one."""
    try:
        return load(connection, key, photos, queue_id)
    except InputError as error:
        log.warning("refused a decision of %r: %s", reviewer, error)
        raise


def checked(answer: object, item: Known, reviewer: str) -> Answer:
    """The answer against its post, with the suggestion's scores; a refused one is logged."""
    try:
        return with_scores(read_answer(answer, item.post, item.scheme), item.suggestion)
    except InputError as error:
        log.warning("refused an answer of %r on post %d: %.200s", reviewer, item.key, error)
        raise


def check_lease(connection: Connection, item: Known, reviewer: str) -> None:
    """Raises Leased where the post's places are all taken by others."""
    others = [x for x in live_leases(connection, [item.key]).get(item.key, ()) if x.reviewer != reviewer]
    # Two may look at a post of a double queue at once; a third finds its second seat taken.
    places = (
        2 - len({d.reviewer for d in fold.blind_decisions(item.seats)} - {reviewer}) if item.double else 1
    )
    if others and len(others) >= places:
        raise Leased(others[0])


def check_seat(item: Known, reviewer: str) -> None:
    """Raises InputError where a double queue's post needs no review by this person any more."""
    if not item.double:
        return
    if item.seats.get(fold.ADJUDICATED, fold.Seat()).decision is not None:
        raise InputError(f"post {quoted(item.post.id)} has been adjudicated")
    deciders = {d.reviewer for d in fold.blind_decisions(item.seats)}
    if len(deciders) >= 2 and reviewer not in deciders:
        raise InputError(f"post {quoted(item.post.id)} has its two reviews already")


def verdict_of(item: Known, answer: Answer) -> Verdict:
    suggestion = item.suggestion
    return "accepted" if suggestion and suggestion.answer.same_as(answer) else "corrected"


def proposed(item: Known, least: float | None, checkpoint: str | None) -> Answer:
    """The suggested answer, if it is still what the reviewer saw: a post's version counts decisions alone.

    Raises:
        InputError: there is none, it is another checkpoint's, or it does not score ``least``.
    """
    suggestion = item.suggestion
    if suggestion is None:
        raise InputError("it has no suggestion")
    if checkpoint is not None and suggestion.checkpoint != checkpoint:
        raise InputError(f"its suggestion is {suggestion.checkpoint}'s by now")
    if least is not None and (suggestion.score is None or suggestion.score < least):
        raise InputError("its suggestion does not score that much by now")
    return suggestion.answer


def record(
    connection: Connection,
    item: Known,
    *,
    kind: str,
    seat: str,
    reviewer: str,
    after: Decision | None,
    at: str,
    batch: str,
    seconds: float | None = None,
    target: int | None = None,
    parent: int | None = None,
) -> Known:
    """Append an event and bring the cached state up to date; the post as it is then."""
    old = item.seats.get(seat, fold.Seat())
    if kind in fold.DECIDING:
        parent = old.head
    suggestion = item.suggestion
    row = {
        "queue_id": item.queue_id,
        "post_id": item.key,
        "kind": kind,
        "seat": seat,
        "reviewer": reviewer,
        "at": at,
        "before": dump(decision_row(old.decision)) if old.decision else None,
        "after": dump(decision_row(after)) if after else None,
        "score": suggestion.score if suggestion else None,
        "checkpoint": suggestion.checkpoint if suggestion else None,
        "seconds": seconds,
        "batch": batch,
        "target": target,
        "parent": parent,
    }
    number = connection.execute(insert(events).values(row)).inserted_primary_key
    assert number is not None
    step = fold.Step(number=number[0], kind=kind, seat=seat, after=after, target=target, parent=parent)
    changed = replace(item, seats=fold.apply(item.seats, step))
    columns = derived_columns(changed.seats, item.double, suggestion)
    connection.execute(update(posts).where(posts.c.id == item.key).values(columns))
    return changed


def close(connection: Connection, key: int, reviewer: str) -> None:
    """End this reviewer's lease of a post."""
    connection.execute(delete(leases).where(leases.c.post_id == key, leases.c.reviewer == reviewer))


def decide(
    connection: Connection,
    item: Known,
    *,
    reviewer: str,
    answer: Answer,
    reject: bool,
    version: int,
    seconds: float | None,
    batch: str,
    now: float,
    kind: str = "decide",
) -> Known:
    """Save one decision, or raise Leased, Conflict or InputError without a change."""
    seat = item.seat_of(reviewer)
    verdict: Verdict = "rejected" if reject else verdict_of(item, answer)
    own = item.seats.get(seat, fold.Seat())
    if own.version != version:
        there = own.decision
        if there and (there.reviewer, there.verdict) == (reviewer, verdict) and there.answer.same_as(answer):
            return item  # sent twice, because the first acknowledgement was lost on its way
        raise Conflict(item.review_for(reviewer), answer, there)
    check_seat(item, reviewer)
    check_lease(connection, item, reviewer)
    after = Decision(verdict=verdict, answer=answer, reviewer=reviewer, at=utc(now))
    changed = record(
        connection,
        item,
        kind=kind,
        seat=seat,
        reviewer=reviewer,
        after=after,
        at=utc(now),
        batch=batch,
        seconds=seconds,
    )
    close(connection, item.key, reviewer)
    return changed

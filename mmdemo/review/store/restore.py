"""Decisions out of a backup, each recorded at the seat where it stood."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, select

from mmdemo.review.answers import read_answer, with_scores
from mmdemo.review.names import check_name
from mmdemo.review.records import Decision
from mmdemo.review.store import post_state as fold
from mmdemo.review.store.changes import load, record, utc
from mmdemo.review.store.tables import posts
from mmdemo.types import InputError, quoted


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A decision that held, its seat (`post_state`), and the kind and seconds of its event."""

    seat: str
    kind: str
    decision: Decision
    seconds: float | None


def restore(
    connection: Connection, queue_id: int, ref: str, held: Sequence[Standing], photos: Path, now: float
) -> None:
    """Record what held of the post with this id; nobody's lease, version or turn counts.

    Raises:
        InputError: no such post, or a seat or answer that it cannot have.
    """
    mine = (posts.c.queue_id == queue_id) & (posts.c.ref == ref)
    key = connection.execute(select(posts.c.id).where(mine)).scalar_one_or_none()
    if key is None:
        raise InputError(f"there is no post {quoted(ref)} in this queue")
    for one in held:
        item = load(connection, key, photos)
        if one.kind not in fold.DECIDING or (one.seat == fold.SHARED) is item.double:
            raise InputError(f"post {quoted(ref)} has a decision of an unknown kind or seat")
        if one.seat not in (fold.SHARED, fold.ADJUDICATED):
            check_name(one.seat, "reviewer")
        answer = with_scores(
            read_answer(one.decision.answer, item.post, item.scheme, item.asked), item.suggestion
        )
        record(
            connection,
            item,
            kind=one.kind,
            seat=one.seat,
            reviewer=check_name(one.decision.reviewer, "reviewer"),
            after=replace(one.decision, answer=answer),
            at=utc(now),
            batch=uuid.uuid4().hex,
            seconds=one.seconds,
        )

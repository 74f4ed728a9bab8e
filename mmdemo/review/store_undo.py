"""Undo and redo of a reviewer's own decisions, as far back as they go: both are events of their own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Row, exists, func, select

from mmdemo.review import fold
from mmdemo.review.records import Changed, Decision
from mmdemo.review.store_changes import load, record, utc
from mmdemo.review.store_rows import Known, stored_decision
from mmdemo.review.store_tables import events


def _undone() -> Any:
    """Whether a decision was taken back, or passed over by an undo, and has not come back since.

    It comes back by a redo. One that was passed over also does once what stood in its way is undone: the
    decision made on top of it (whose ``parent`` it is), or an adjudication that closed its post.
    """
    back, again = events.alias(), events.alias()
    freed = (again.c.parent == events.c.id) | (
        (again.c.seat == fold.ADJUDICATED) & (events.c.seat != fold.ADJUDICATED)
    )
    returned = exists().where(
        again.c.post_id == events.c.post_id,
        again.c.id > back.c.id,
        ((again.c.kind == "redo") & (again.c.target == events.c.id))
        | ((again.c.kind == "undo") & (back.c.kind == "kept") & freed),
    )
    return exists().where(
        back.c.target == events.c.id,
        back.c.kind.in_(("undo", "kept")),
        ~returned.correlate(events, back),
    )


def _own(queue_id: int, reviewer: str) -> list[Any]:
    """This reviewer's own decisions: an import is nobody's to undo."""
    kinds = ("decide", "adjudicate")
    return [events.c.queue_id == queue_id, events.c.reviewer == reviewer, events.c.kind.in_(kinds)]


def undo(
    connection: Connection, queue_id: int, reviewer: str, photos: Path, batch: str, now: float
) -> Changed:
    """Take the reviewer's latest standing decision (or bulk decision) back."""
    latest = select(events.c.batch).where(*_own(queue_id, reviewer), ~_undone())
    name = connection.execute(latest.order_by(events.c.id.desc()).limit(1)).scalar_one_or_none()
    if name is None:
        return Changed()
    chosen = select(events).where(*_own(queue_id, reviewer), events.c.batch == name, ~_undone())
    keys, kept = [], {}
    for row in _rows(connection, chosen):
        item = load(connection, row.post_id, photos)
        seat = item.seats.get(row.seat, fold.Seat())
        stands = seat.head == row.id and not _closed(item, row.seat)
        back = _decision(row.before, item) if stands else seat.decision
        record(
            connection,
            item,
            kind="undo" if stands else "kept",
            seat=row.seat,
            reviewer=reviewer,
            after=back,
            at=utc(now),
            batch=batch,
            target=row.id,
            parent=row.parent,
        )
        if stands:
            keys.append(item.key)
        else:
            kept[item.key] = "somebody else has decided on it since"
    return Changed(keys=tuple(keys), kept=kept)


def redo(
    connection: Connection, queue_id: int, reviewer: str, photos: Path, batch: str, now: float
) -> Changed:
    """Repeat what the reviewer undid last; nothing once they have decided anew since."""
    backs = events.alias()
    ours = [backs.c.queue_id == queue_id, backs.c.reviewer == reviewer]
    last = select(func.max(backs.c.id)).where(*ours, backs.c.kind.in_(("decide", "adjudicate")))
    newest = connection.execute(last).scalar_one() or 0
    undone_since = select(backs.c.target).where(*ours, backs.c.kind == "undo", backs.c.id > newest)
    candidates = select(events.c.batch).where(
        *_own(queue_id, reviewer), events.c.id.in_(undone_since), _undone()
    )
    name = connection.execute(candidates.order_by(events.c.id).limit(1)).scalar_one_or_none()
    if name is None:
        return Changed()
    chosen = select(events).where(
        *_own(queue_id, reviewer), events.c.batch == name, events.c.id.in_(undone_since), _undone()
    )
    keys, kept = [], {}
    for row in _rows(connection, chosen):
        item = load(connection, row.post_id, photos)
        if item.seats.get(row.seat, fold.Seat()).head != row.parent:
            kept[item.key] = "somebody else has decided on it since"
            continue
        record(
            connection,
            item,
            kind="redo",
            seat=row.seat,
            reviewer=reviewer,
            after=_decision(row.after, item),
            at=utc(now),
            batch=batch,
            target=row.id,
        )
        keys.append(item.key)
    return Changed(keys=tuple(keys), kept=kept)


def _rows(connection: Connection, chosen: Any) -> Sequence[Row[Any]]:
    """In the order of posts: two transactions that change the same ones then cannot wait for each other."""
    return connection.execute(chosen.order_by(events.c.post_id, events.c.id)).all()


def _decision(text: str | None, item: Known) -> Decision | None:
    return stored_decision(json.loads(text) if text else None, item.post.tokens)


def _closed(item: Known, seat: str) -> bool:
    """Whether an adjudication has closed the blind reviews of this post."""
    final = item.seats.get(fold.ADJUDICATED, fold.Seat())
    return seat not in (fold.SHARED, fold.ADJUDICATED) and final.decision is not None


class Step(Protocol):
    """`undo` or `redo`."""

    def __call__(
        self, connection: Connection, queue_id: int, reviewer: str, photos: Path, batch: str, now: float, /
    ) -> Changed: ...

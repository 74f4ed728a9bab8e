"""Undo and redo of a reviewer's own decisions, as far back as they go: both are events of their own."""

import json
import time
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from sqlalchemy import Connection, Row, Select, exists, func, select

from mmdemo.review.names import check_name, count_posts
from mmdemo.review.records import Another, Changed, Decision
from mmdemo.review.store import post_state as fold
from mmdemo.review.store.changes import check_seat, load, record, utc
from mmdemo.review.store.engine import Database
from mmdemo.review.store.queue import find
from mmdemo.review.store.rows import Known, stored_decision
from mmdemo.review.store.tables import events
from mmdemo.types import InputError

#: Events that are somebody's own to undo; a file's are not.
OWN = ("decide", "adjudicate")


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
    return [events.c.queue_id == queue_id, events.c.reviewer == reviewer, events.c.kind.in_(OWN)]


def take_back(
    connection: Connection,
    queue_id: int,
    reviewer: str,
    photos: Path,
    batch: str,
    now: float,
    expected: Collection[int] | None,
) -> Changed:
    """Take the reviewer's latest standing decision (or bulk decision) back."""
    standing = [*_own(queue_id, reviewer), ~_undone()]
    latest = select(events.c.batch).where(*standing).order_by(events.c.id.desc()).limit(1)
    name = connection.execute(latest).scalar_one_or_none()
    _check(connection, name, expected, "take back")
    rows = _rows(connection, select(events).where(*standing, events.c.batch == name))
    return _step(connection, "undo", rows, reviewer, photos, batch, utc(now))


def repeat(
    connection: Connection,
    queue_id: int,
    reviewer: str,
    photos: Path,
    batch: str,
    now: float,
    expected: Collection[int] | None,
) -> Changed:
    """Repeat what the reviewer undid last; nothing once they have decided anew since."""
    back, later = events.alias(), events.alias()
    ours = [back.c.queue_id == queue_id, back.c.reviewer == reviewer]
    anew = select(func.max(back.c.id)).where(*ours, back.c.kind.in_(OWN))
    newest = connection.execute(anew).scalar_one() or 0
    # Later events of the same decision: it was repeated, or a redo passed it over.
    settled = exists().where(later.c.target == back.c.target, later.c.id > back.c.id)
    waiting = [*ours, back.c.kind == "undo", back.c.id > newest, ~settled]
    last = select(events.c.batch).join(back, back.c.target == events.c.id).where(*waiting)
    name = connection.execute(last.order_by(back.c.id.desc()).limit(1)).scalar_one_or_none()
    _check(connection, name, expected, "repeat")
    undone = events.c.id.in_(select(back.c.target).where(*waiting))
    rows = _rows(connection, select(events).where(events.c.batch == name, undone))
    return _step(connection, "redo", rows, reviewer, photos, batch, utc(now))


def _check(connection: Connection, name: str | None, expected: Collection[int] | None, verb: str) -> None:
    """Raises Another where the batch is not of the expected posts; all of its posts count, kept ones too."""
    if expected is None:
        return
    there = select(events.c.post_id).where(events.c.batch == name, events.c.kind.in_(OWN))
    found = set(connection.execute(there).scalars()) if name else set()
    if not found:
        raise Another(f"there is no decision of yours to {verb} in this queue; nothing was changed")
    if found != set(expected):
        of = count_posts(len(found))
        raise Another(f"your latest decision to {verb} here is another one, of {of}; nothing was changed")


def _step(
    connection: Connection,
    kind: Literal["undo", "redo"],
    rows: Sequence[Row[Any]],
    reviewer: str,
    photos: Path,
    batch: str,
    at: str,
) -> Changed:
    """Undo or redo these decisions. What cannot be is recorded as kept: the next step goes on behind it."""
    keys, kept = [], {}
    for row in rows:
        item = load(connection, row.post_id, photos)
        why = _obstacle(item, row, kind)
        if why:
            kept[item.key] = why
            after = item.seats.get(row.seat, fold.Seat()).decision
        else:
            keys.append(item.key)
            after = _decision(row.before if kind == "undo" else row.after, item)
        record(
            connection,
            item,
            kind="kept" if why else kind,
            seat=row.seat,
            reviewer=reviewer,
            after=after,
            at=at,
            batch=batch,
            target=row.id,
            parent=row.parent,
        )
    return Changed(keys=tuple(keys), kept=kept)


def _obstacle(item: Known, row: Row[Any], kind: Literal["undo", "redo"]) -> str | None:
    """Why a decision cannot be undone or redone, or None."""
    head = item.seats.get(row.seat, fold.Seat()).head
    if head != (row.id if kind == "undo" else row.parent):
        return "somebody else has decided on it since"
    if row.seat == fold.ADJUDICATED:
        disputed = fold.status(item.seats, item.double) == "disputed"
        return None if disputed or kind == "undo" else "it is not in dispute any more"
    try:
        check_seat(item, row.reviewer)
    except InputError as error:
        return str(error)
    return None


def _rows(connection: Connection, chosen: Select[Any]) -> Sequence[Row[Any]]:
    """In the order of posts: two transactions that change the same ones then cannot wait for each other."""
    return connection.execute(chosen.order_by(events.c.post_id, events.c.id)).all()


def _decision(text: str | None, item: Known) -> Decision | None:
    return stored_decision(json.loads(text) if text else None, item.post.tokens)


class Step(Protocol):
    """`take_back` or `repeat`."""

    def __call__(
        self,
        connection: Connection,
        queue_id: int,
        reviewer: str,
        photos: Path,
        batch: str,
        now: float,
        expected: Collection[int] | None,
        /,
    ) -> Changed: ...


class Undoing:
    """Undo and redo, in `mmdemo.review.store.reviews.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def undo(self, queue: str, reviewer: str, expected: Collection[int] | None = None) -> Changed:
        """Take the reviewer's latest decision (or bulk acceptance) back; call again for the one before.

        A post on which somebody else has decided since is kept as it is.

        Args:
            expected: the keys of all posts of that decision, as the reviewer saw it made.

        Raises:
            Another: the latest decision is of other posts: made in another window, or by an import.
        """
        return self._run(take_back, queue, reviewer, expected)

    def redo(self, queue: str, reviewer: str, expected: Collection[int] | None = None) -> Changed:
        """Repeat what `undo` took back, in order; a new decision ends that. ``expected`` as in `undo`."""
        return self._run(repeat, queue, reviewer, expected)

    def _run(self, step: Step, queue: str, reviewer: str, expected: Collection[int] | None) -> Changed:
        reviewer = check_name(reviewer, "reviewer")
        queue_id, _ = find(self._database, queue)
        batch = uuid.uuid4().hex
        return self._database.write(
            lambda c: step(c, queue_id, reviewer, self._database.photos, batch, time.time(), expected)
        )

"""Queries: a page of a queue, the next post in its order, counts."""

import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, false, func, select

from mmdemo.review.records import Filter, Lease, Order, Page, Progress, Queue, Review, Status
from mmdemo.review.store.engine import Database
from mmdemo.review.store.rows import SHUFFLE_PRIME, known, shuffle_number, stored_scheme
from mmdemo.review.store.tables import events, leases, posts, queues, undecided
from mmdemo.types import InputError, quoted

#: Seconds of the longest lease.
LONGEST = 3600.0

#: Orders by a column of `posts`, the highest first.
SCORED = ("entropy", "disagreement", "flip")


def find_queue(connection: Connection, name: str) -> tuple[int, Queue]:
    """(row id, queue), however its letters are composed. Raises InputError for an unknown name."""
    chosen = select(queues).where(queues.c.name == unicodedata.normalize("NFC", name))
    row = connection.execute(chosen).one_or_none()
    if row is None:
        raise InputError(f"there is no queue {quoted(name)}")
    return row.id, _queue_of(row)


def find(database: Database, name: str) -> tuple[int, Queue]:
    """`find_queue` where no connection is open yet."""
    with database.read() as connection:
        return find_queue(connection, name)


def all_queues(connection: Connection) -> tuple[Queue, ...]:
    rows = connection.execute(select(queues).order_by(queues.c.id))
    return tuple(_queue_of(row) for row in rows)


def _queue_of(row: Row[Any]) -> Queue:
    return Queue(name=row.name, scheme=stored_scheme(row.record), double=row.double)


def select_known() -> Select[Any]:
    """Posts with their queue's columns, as `store_rows.known` reads them."""
    return select(posts, queues.c.name.label("queue"), queues.c.record, queues.c.double).join(
        queues, queues.c.id == posts.c.queue_id
    )


# ---------------------------------------------------------------- filter and order


def conditions(queue_id: int, wanted: Filter) -> list[ColumnElement[bool]]:
    """A filter as SQL."""
    found = [posts.c.queue_id == queue_id]
    if wanted.statuses:
        found.append(posts.c.status.in_(wanted.statuses))
    if wanted.label is not None:
        found.append(_marked(posts.c.labels, wanted.label))
    if wanted.least is not None:
        found.append(posts.c.score >= wanted.least)
    if wanted.most is not None:
        found.append(posts.c.score <= wanted.most)
    if wanted.reviewer is not None:
        found.append(_marked(posts.c.reviewers, wanted.reviewer))
    if wanted.text:
        text = posts.c.search.contains(wanted.text.casefold().replace("\0", ""), autoescape=True)
        found.append(text | (posts.c.ref == wanted.text))
    return found


def _marked(marks: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether the name is among `store_rows.marks`, letter by letter: SQLite's LIKE takes Ann for ann."""
    return func.replace(marks, f"|{name}|", "") != marks


def ordering(order: Order, seed: int) -> Sequence[ColumnElement[Any]]:
    """An order as SQL; posts that tie, or lack the score, follow in input order."""
    place = _place(order, seed)
    if order in SCORED:
        return (place.desc().nulls_last(), posts.c.id)
    return (place, posts.c.id)


def _place(order: Order, seed: int) -> ColumnElement[Any]:
    """What an order sorts by first."""
    if order == "random":
        factor = 1 + shuffle_number(f"seed {seed}") % (SHUFFLE_PRIME - 1)
        return (posts.c.shuffle * factor) % SHUFFLE_PRIME
    if order == "input":
        return posts.c.id
    if order not in SCORED:
        raise InputError(f"unknown order {quoted(order)}; known: entropy, disagreement, flip, random, input")
    return posts.c[order]


def _behind(place: ColumnElement[Any], value: Any, key: int, order: Order) -> ColumnElement[bool]:
    """Whether a post follows the one with this key, whose place is ``value``, in `ordering`."""
    tied = place.is_not_distinct_from(value) & (posts.c.id > key)
    if order not in SCORED:
        return tied | (place > value)
    return tied if value is None else tied | (place < value) | place.is_(None)


# ---------------------------------------------------------------- reading


def page(
    connection: Connection,
    queue_id: int,
    reviewer: str,
    photos: Path,
    *,
    order: Order,
    wanted: Filter,
    seed: int,
    offset: int,
    limit: int,
) -> Page:
    """``limit`` posts from ``offset`` on, as ``reviewer`` sees them."""
    where = conditions(queue_id, wanted)
    total = connection.execute(select(func.count()).select_from(posts).where(*where)).scalar_one()
    # Sort slim rows and fetch the bodies of the page alone.
    chosen = select(posts.c.id).where(*where).order_by(*ordering(order, seed)).limit(limit).offset(offset)
    keys = list(connection.execute(chosen).scalars())
    return Page(reviews=reviews(connection, keys, reviewer, photos), offset=offset, total=total)


def reviews(connection: Connection, keys: Sequence[int], reviewer: str, photos: Path) -> tuple[Review, ...]:
    """The posts with these keys, in that order."""
    rows = {row.id: known(row, photos) for row in connection.execute(select_known().where(_among(keys)))}
    held = live_leases(connection, keys)
    found = []
    for item in (rows[key] for key in keys if key in rows):
        others = [lease for lease in held.get(item.key, ()) if lease.reviewer != reviewer]
        own = [lease for lease in held.get(item.key, ()) if lease.reviewer == reviewer]
        # A blind colleague's lease is no obstacle, so it is not shown.
        lease = next(iter([*own, *others] if not item.double else own), None)
        found.append(item.review_for(reviewer, lease=lease))
    return tuple(found)


def _among(keys: Sequence[int]) -> ColumnElement[bool]:
    return posts.c.id.in_(keys)


def lease_clock(connection: Connection) -> float:
    """Seconds on the clock by which leases end: of the machine since its start, or of the database's server.

    No hand can turn the first, and all who share a SQLite file share it; servers on several machines share
    the second. By each process's own clock, one that is set would end or lengthen everybody's leases.
    """
    if connection.dialect.name == "sqlite":
        return time.monotonic()
    return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


def live(now: float) -> ColumnElement[bool]:
    """Whether a lease has not ended.

    None is longer than `LONGEST`: one that seems so is of before the machine's start, or before its server's
    clock was set.
    """
    return (leases.c.expires > now) & (leases.c.expires <= now + LONGEST)


def live_leases(connection: Connection, keys: Sequence[int]) -> dict[int, list[Lease]]:
    """Unexpired leases by post."""
    found: dict[int, list[Lease]] = {}
    query = select(leases).where(leases.c.post_id.in_(keys), live(lease_clock(connection)))
    for row in connection.execute(query):
        lease = Lease(key=row.post_id, reviewer=row.reviewer, expires=row.expires)
        found.setdefault(row.post_id, []).append(lease)
    return found


def free(
    connection: Connection,
    queue_id: int,
    reviewer: str,
    *,
    order: Order,
    wanted: Filter,
    seed: int,
    after: int | None,
    tried: Sequence[int],
    limit: int,
) -> list[int]:
    """Keys of the first ``limit`` filtered posts that ``reviewer`` could decide, without those in ``tried``.

    The order begins behind the post ``after`` (where the filter has it) and goes round once. The database
    sorts and cuts: ranking the whole queue in Python kept all other threads of the server waiting.
    """
    where, place = conditions(queue_id, wanted), _place(order, seed)
    # Saves trying what a colleague holds. Two may hold a post of a double queue, so there only trying tells.
    single = select(queues.c.double).where(queues.c.id == queue_id).scalar_subquery() == false()
    others = (leases.c.reviewer != reviewer) & live(lease_clock(connection))
    held = exists().where(leases.c.post_id == posts.c.id, others)
    query = select(posts.c.id).where(
        *where,
        undecided,
        ~_marked(posts.c.reviewers, reviewer),
        posts.c.id.not_in([*tried, *([] if after is None else [after])]),
        ~(single & held),
    )
    query = query.order_by(*ordering(order, seed)).limit(limit)
    if after is not None:
        at = connection.execute(select(place).where(*where, posts.c.id == after)).one_or_none()
        if at is not None:
            behind = list(connection.execute(query.where(_behind(place, at[0], after, order))).scalars())
            if behind:
                return behind
    return list(connection.execute(query).scalars())


def progress(connection: Connection, queue_id: int, queue: Queue) -> Progress:
    """Counts of one queue."""
    mine = posts.c.queue_id == queue_id
    counted = select(posts.c.status, func.count(), func.count(posts.c.suggestion)).where(mine)
    rows = list(connection.execute(counted.group_by(posts.c.status)))
    by_status: dict[Status, int] = {row[0]: row[1] for row in rows}
    decided = (
        select(events.c.reviewer, func.count())
        .where(events.c.queue_id == queue_id, events.c.kind.in_(("decide", "adjudicate")))
        .group_by(events.c.reviewer)
        .order_by(events.c.reviewer)
    )
    return Progress(
        queue=queue,
        posts=sum(by_status.values()),
        by_status=by_status,
        suggested=sum(row[2] for row in rows),
        by_reviewer={row[0]: row[1] for row in connection.execute(decided)},
    )


def events_of(connection: Connection, key: int) -> Iterator[Any]:
    """All events of one post, oldest first."""
    query = select(events).where(events.c.post_id == key).order_by(events.c.id)
    return iter(connection.execute(query).mappings())

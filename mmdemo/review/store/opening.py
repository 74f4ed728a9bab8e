"""Open a post: alone, by a lease that ends by itself."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, insert

from mmdemo.review.names import check_name, check_number
from mmdemo.review.records import UNDECIDED, Filter, Lease, Order, Review
from mmdemo.review.store import changes
from mmdemo.review.store import post_state as fold
from mmdemo.review.store import queue as store_queue
from mmdemo.review.store.engine import Database
from mmdemo.review.store.posts import Posts
from mmdemo.review.store.queue import LONGEST, find_queue, free, live
from mmdemo.review.store.rows import Known
from mmdemo.review.store.tables import leases
from mmdemo.types import InputError

#: Seconds for which a post belongs to the reviewer who opened it; an editor renews it while in use.
LEASE = 300.0

#: Posts that `next` tries to lease in one go, so that it never holds others up for long.
TRIED = 16


class Opening:
    """What comes before a decision, in `mmdemo.review.store.reviews.Store`."""

    def __init__(self, database: Database, posts: Posts) -> None:
        self._database = database
        self._posts = posts

    def open(self, key: int, reviewer: str, *, lease: bool = True) -> Review:
        """A post as ``reviewer`` sees it, leased to them (Leased where somebody else edits it)."""
        reviewer = check_name(reviewer, "reviewer")
        if lease:
            self.lease(key, reviewer)
        found = self._posts.reviews([check_number(key, "post's key")], reviewer)
        if not found:
            raise InputError(f"there is no post {key}")
        return found[0]

    def next(
        self,
        queue: str,
        reviewer: str,
        *,
        order: Order = "input",
        wanted: Filter | None = None,
        seed: int = 0,
        after: int | None = None,
    ) -> Review | None:
        """Lease and return the next post that ``reviewer`` can decide, or None when there is none.

        ``after`` is the key of the post on screen: the search begins behind it and goes round once, so
        that N passes an undecided post over. Two reviewers who ask at once get two posts.
        """
        reviewer = check_name(reviewer, "reviewer")
        after = None if after is None else check_number(after, "post's key")
        tried: list[int] = []
        while keys := self._free(
            queue, reviewer, order=order, wanted=wanted or Filter(), seed=seed, after=after, tried=tried
        ):
            key = self._database.write(partial(self._take, keys=keys, reviewer=reviewer))
            if key is not None:
                return self.open(key, reviewer, lease=False)
            tried += keys
        return None

    def _free(self, queue: str, reviewer: str, **asked: Any) -> list[int]:
        with self._database.read() as connection:
            queue_id, _ = find_queue(connection, queue)
            return free(connection, queue_id, reviewer, **asked, limit=TRIED)

    def _take(self, connection: Connection, keys: Sequence[int], reviewer: str) -> int | None:
        """Lease the first of these posts that is still free."""
        for key in keys:
            item = changes.load(connection, key, self._database.photos)
            if fold.status(item.seats, item.double) not in UNDECIDED:
                continue
            try:
                self._lease(connection, item, reviewer, LEASE)
            except InputError:
                continue
            return key
        return None

    def lease(self, key: int, reviewer: str, seconds: float = LEASE) -> Lease:
        """Reserve a post, or renew its reservation; Leased where somebody else has it."""
        reviewer, key = check_name(reviewer, "reviewer"), check_number(key, "post's key")

        def write(connection: Connection) -> Lease:
            item = changes.load(connection, key, self._database.photos)
            return self._lease(connection, item, reviewer, min(max(seconds, 1.0), LONGEST))

        return self._database.write(write)

    @staticmethod
    def _lease(connection: Connection, item: Known, reviewer: str, seconds: float) -> Lease:
        now = store_queue.lease_clock(connection)
        changes.check_lease(connection, item, reviewer)
        mine = (leases.c.post_id == item.key) & (leases.c.reviewer == reviewer)
        stale = (leases.c.post_id == item.key) & ~live(now)
        connection.execute(delete(leases).where(mine | stale))
        lease = Lease(key=item.key, reviewer=reviewer, expires=now + seconds)
        row = {"post_id": item.key, "reviewer": reviewer, "expires": lease.expires}
        connection.execute(insert(leases).values(row))
        return lease

    def release(self, key: int, reviewer: str) -> None:
        """Give a post back undecided."""
        mine = (leases.c.post_id == check_number(key, "post's key")) & (leases.c.reviewer == reviewer)
        self._database.write(lambda connection: connection.execute(delete(leases).where(mine)))

"""Decide one post or accept several, settle disputes, and read the log of all that."""

import time
import uuid
from collections.abc import Mapping

from sqlalchemy import Connection

from mmdemo.review.names import check_name, check_number, check_seconds
from mmdemo.review.records import (
    Changed,
    Conflict,
    Decision,
    Dispute,
    DoubleReview,
    Event,
    Review,
)
from mmdemo.review.store import changes
from mmdemo.review.store import post_state as fold
from mmdemo.review.store.engine import Database
from mmdemo.review.store.posts import MAX_PAGE
from mmdemo.review.store.queue import events_of, find, find_queue, select_known
from mmdemo.review.store.rows import Known, event_of, known
from mmdemo.review.store.tables import posts
from mmdemo.types import InputError, Post, quoted


class Decisions:
    """Decisions, disputes and the log, in `mmdemo.review.store.reviews.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ------------------------------------------------------------ decide

    def decide(
        self,
        queue: str,
        key: int,
        reviewer: str,
        answer: object,
        *,
        version: int,
        seconds: float | None = None,
        reject: bool = False,
        batch: str | None = None,
    ) -> Review:
        """Save a decision; what it returns is on the disk. It ends the reviewer's lease.

        Args:
            answer: what the post says, checked; kept but not used where ``reject`` says that it is unusable.
            version: `Review.version` of the post as it was opened.
            seconds: spent on it.
            batch: a name that decisions share which are to be undone together.

        Raises:
            Conflict: somebody decided since; nothing is saved, and both versions are in the error.
            Leased: somebody else is editing it.
            InputError: a forged or mistaken answer, another queue's post, a double review's third reviewer.
        """
        reviewer, key = check_name(reviewer, "reviewer"), check_number(key, "post's key")
        version, spent = check_number(version, "version"), check_seconds(seconds)
        photos = self._database.photos

        def write(connection: Connection) -> Known:
            # Within the transaction: one of its own, to look the queue up, would cost more than it holds up.
            queue_id, _ = find_queue(connection, queue)
            item = changes.load_for(connection, key, queue_id, reviewer, photos)
            return changes.decide(
                connection,
                item,
                reviewer=reviewer,
                answer=changes.checked(answer, item, reviewer),
                reject=bool(reject),
                version=version,
                seconds=spent,
                batch=batch or uuid.uuid4().hex,
                now=time.time(),
            )

        return self._database.write(write).review_for(reviewer)

    def accept(
        self,
        queue: str,
        reviewer: str,
        versions: Mapping[int, int],
        *,
        least: float | None = None,
        checkpoints: Mapping[int, str] | None = None,
    ) -> Changed:
        """Accept the suggestions of these posts (key to `Review.version`), undone as one.

        Args:
            least: leave posts alone whose suggestion scores less, or has no score.
            checkpoints: whose suggestion was shown, by key; leave posts alone that have another's by now.
        """
        reviewer = check_name(reviewer, "reviewer")
        queue_id, _ = find(self._database, queue)
        if len(versions) > MAX_PAGE:
            raise InputError(f"at most {MAX_PAGE} posts can be accepted at once")
        chosen = sorted(
            (check_number(key, "post's key"), check_number(version, "version"))
            for key, version in versions.items()
        )
        batch, photos = uuid.uuid4().hex, self._database.photos

        def write(connection: Connection) -> Changed:
            keys, kept = [], {}
            for key, version in chosen:
                try:
                    item = changes.load_for(connection, key, queue_id, reviewer, photos)
                    changes.decide(
                        connection,
                        item,
                        reviewer=reviewer,
                        answer=changes.proposed(item, least, (checkpoints or {}).get(key)),
                        reject=False,
                        version=version,
                        seconds=None,
                        batch=batch,
                        now=time.time(),
                    )
                    keys.append(key)
                except InputError as error:
                    kept[key] = str(error)
            return Changed(keys=tuple(keys), kept=kept)

        return self._database.write(write)

    # ------------------------------------------------------------ double review

    def disputes(self, queue: str) -> tuple[Dispute, ...]:
        """Posts whose two blind reviews differ, in input order."""
        queue_id, _ = find(self._database, queue)
        query = select_known().where(posts.c.queue_id == queue_id, posts.c.status == "disputed")
        with self._database.read() as connection:
            items = [
                known(row, self._database.photos) for row in connection.execute(query.order_by(posts.c.id))
            ]
        return tuple(
            Dispute(review=item.review_for(""), decisions=(one, two), version=fold.version(item.seats))
            for item in items
            for one, two in [fold.blind_decisions(item.seats)[:2]]
        )

    def adjudicate(
        self,
        queue: str,
        key: int,
        reviewer: str,
        answer: object,
        *,
        version: int,
        seconds: float | None = None,
        reject: bool = False,
    ) -> Review:
        """Settle a dispute; ``version`` is `Dispute.version`.

        Raises:
            Conflict: a side has changed since; the post is still in dispute (`disputes` has it as it is now).
            InputError: it is in dispute no more, or as in `decide`.
        """
        reviewer, key = check_name(reviewer, "reviewer"), check_number(key, "post's key")
        version, spent = check_number(version, "version"), check_seconds(seconds)
        queue_id, found = find(self._database, queue)
        photos = self._database.photos
        if not found.double:
            raise InputError(f"the queue {quoted(queue)} has no double review to adjudicate")

        def write(connection: Connection) -> Known:
            item, now = changes.load_for(connection, key, queue_id, reviewer, photos), time.time()
            checked = changes.checked(answer, item, reviewer)
            if fold.status(item.seats, double=True) != "disputed":
                raise InputError(f"post {quoted(item.post.id)} is not in dispute any more; nothing was saved")
            if fold.version(item.seats) != version:
                raise Conflict(item.review_for(""), checked, None, disputed=True)
            verdict = "rejected" if reject else changes.verdict_of(item, checked)
            after = Decision(verdict=verdict, answer=checked, reviewer=reviewer, at=changes.utc(now))
            changed = changes.record(
                connection,
                item,
                kind="adjudicate",
                seat=fold.ADJUDICATED,
                reviewer=reviewer,
                after=after,
                at=changes.utc(now),
                batch=uuid.uuid4().hex,
                seconds=spent,
            )
            changes.close(connection, key, reviewer)
            return changed

        return self._database.write(write).review_for(reviewer)

    def double_reviews(self, queue: str) -> tuple[DoubleReview, ...]:
        """Every post with two blind reviews, settled or not, for `mmdemo.review.agreement`."""
        queue_id, _ = find(self._database, queue)
        query = select_known().where(posts.c.queue_id == queue_id, posts.c.reviewers != "|")
        with self._database.read() as connection:
            items = [
                known(row, self._database.photos) for row in connection.execute(query.order_by(posts.c.id))
            ]
        both = [(item, fold.blind_decisions(item.seats)[:2]) for item in items]
        return tuple(
            DoubleReview(post=item.post, asked=item.asked, one=two[0], other=two[1], none=item.scheme.none)
            for item, two in both
            if len(two) == 2
        )

    # ------------------------------------------------------------ the log

    def history(self, key: int) -> tuple[Event, ...]:
        """All events of a post, oldest first. Not for the eyes of a blind reviewer."""
        with self._database.read() as connection:
            tokens = self._post(connection, key).tokens
            return tuple(event_of(row, tokens) for row in events_of(connection, key))

    def _post(self, connection: Connection, key: int) -> Post:
        row = connection.execute(select_known().where(posts.c.id == key)).one_or_none()
        if row is None:
            raise InputError(f"there is no post {key}")
        return known(row, self._database.photos).post

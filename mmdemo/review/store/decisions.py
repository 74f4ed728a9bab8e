"""One post at a time: lease it, decide it, take that back; and what several posts at once need."""

import logging
import time
import uuid
from collections.abc import Collection, Mapping

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
from mmdemo.review.store import undo as store_undo
from mmdemo.review.store.opening import Opening
from mmdemo.review.store.posts import MAX_PAGE
from mmdemo.review.store.queue import events_of, find_queue, select_known
from mmdemo.review.store.rows import Known, event_of, known
from mmdemo.review.store.tables import posts
from mmdemo.types import InputError, Post, quoted

log = logging.getLogger(__name__)


class Decisions(Opening):
    """The writing half of `mmdemo.review.store.reviews.Store`."""

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

        def write(connection: Connection) -> Known:
            # Within the transaction: one of its own, to look the queue up, would cost more than it holds up.
            queue_id, _ = find_queue(connection, queue)
            item = self._load(connection, key, queue_id, reviewer)
            return changes.decide(
                connection,
                item,
                reviewer=reviewer,
                answer=self._checked(answer, item, reviewer),
                reject=bool(reject),
                version=version,
                seconds=spent,
                batch=batch or uuid.uuid4().hex,
                now=time.time(),
            )

        return self._writer.run(write).review_for(reviewer)

    def _load(self, connection: Connection, key: int, queue_id: int, reviewer: str) -> Known:
        try:
            return changes.load(connection, key, self.photos, queue_id)
        except InputError as error:
            log.warning("refused a decision of %r: %s", reviewer, error)
            raise

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
        queue_id, _ = self._queue(queue)
        if len(versions) > MAX_PAGE:
            raise InputError(f"at most {MAX_PAGE} posts can be accepted at once")
        chosen = sorted(
            (check_number(key, "post's key"), check_number(version, "version"))
            for key, version in versions.items()
        )
        batch = uuid.uuid4().hex

        def write(connection: Connection) -> Changed:
            keys, kept = [], {}
            for key, version in chosen:
                try:
                    item = self._load(connection, key, queue_id, reviewer)
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

        return self._writer.run(write)

    def undo(self, queue: str, reviewer: str, expected: Collection[int] | None = None) -> Changed:
        """Take the reviewer's latest decision (or bulk acceptance) back; call again for the one before.

        A post on which somebody else has decided since is kept as it is.

        Args:
            expected: the keys of all posts of that decision, as the reviewer saw it made.

        Raises:
            Another: the latest decision is of other posts: made in another window, or by an import.
        """
        return self._step(store_undo.undo, queue, reviewer, expected)

    def redo(self, queue: str, reviewer: str, expected: Collection[int] | None = None) -> Changed:
        """Repeat what `undo` took back, in order; a new decision ends that. ``expected`` as in `undo`."""
        return self._step(store_undo.redo, queue, reviewer, expected)

    def _step(
        self, step: store_undo.Step, queue: str, reviewer: str, expected: Collection[int] | None
    ) -> Changed:
        reviewer = check_name(reviewer, "reviewer")
        queue_id, _ = self._queue(queue)
        batch = uuid.uuid4().hex
        return self._writer.run(
            lambda c: step(c, queue_id, reviewer, self.photos, batch, time.time(), expected)
        )

    # ------------------------------------------------------------ double review

    def disputes(self, queue: str) -> tuple[Dispute, ...]:
        """Posts whose two blind reviews differ, in input order."""
        queue_id, _ = self._queue(queue)
        query = select_known().where(posts.c.queue_id == queue_id, posts.c.status == "disputed")
        with self.engine.connect() as connection:
            items = [known(row, self.photos) for row in connection.execute(query.order_by(posts.c.id))]
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
        queue_id, found = self._queue(queue)
        if not found.double:
            raise InputError(f"the queue {quoted(queue)} has no double review to adjudicate")

        def write(connection: Connection) -> Known:
            item, now = self._load(connection, key, queue_id, reviewer), time.time()
            checked = self._checked(answer, item, reviewer)
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

        return self._writer.run(write).review_for(reviewer)

    def double_reviews(self, queue: str) -> tuple[DoubleReview, ...]:
        """Every post with two blind reviews, settled or not, for `mmdemo.review.agreement`."""
        queue_id, _ = self._queue(queue)
        query = select_known().where(posts.c.queue_id == queue_id, posts.c.reviewers != "|")
        with self.engine.connect() as connection:
            items = [known(row, self.photos) for row in connection.execute(query.order_by(posts.c.id))]
        both = [(item, fold.blind_decisions(item.seats)[:2]) for item in items]
        return tuple(
            DoubleReview(post=item.post, asked=item.asked, one=two[0], other=two[1], none=item.scheme.none)
            for item, two in both
            if len(two) == 2
        )

    # ------------------------------------------------------------ the log

    def history(self, key: int) -> tuple[Event, ...]:
        """All events of a post, oldest first. Not for the eyes of a blind reviewer."""
        with self.engine.connect() as connection:
            tokens = self._post(connection, key).tokens
            return tuple(event_of(row, tokens) for row in events_of(connection, key))

    def _post(self, connection: Connection, key: int) -> Post:
        row = connection.execute(select_known().where(posts.c.id == key)).one_or_none()
        if row is None:
            raise InputError(f"there is no post {key}")
        return known(row, self.photos).post

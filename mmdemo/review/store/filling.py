"""What fills a queue: posts from files or a backup, and models' suggestions."""

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, select

from mmdemo.review.answers import read_answer, with_scores
from mmdemo.review.names import check_name
from mmdemo.review.records import DECIDED, Decision, Imported, Suggestion
from mmdemo.review.store import intake
from mmdemo.review.store import post_state as fold
from mmdemo.review.store.arriving.inserting import Row
from mmdemo.review.store.changes import load, record, utc
from mmdemo.review.store.engine import Database
from mmdemo.review.store.queue import find
from mmdemo.review.store.tables import posts
from mmdemo.types import InputError, Question, quoted


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A decision that held, its seat (`post_state`), and the kind and seconds of its event."""

    seat: str
    kind: str
    decision: Decision
    seconds: float | None


def hold_again(
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
        answer = with_scores(read_answer(one.decision.answer, item.post, item.scheme), item.suggestion)
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


class Filling:
    """What comes in, in `mmdemo.review.store.reviews.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        queue: str,
        items: Iterable[Question | Row],
        *,
        use: intake.Use = "suggest",
        reviewer: str = "import",
    ) -> Imported:
        """Add posts, or rows of them that `checked` gave for this queue's labels.

        Those that the queue has stay as they are, so an import can be repeated.

        Of those, posts without any answer get what the file states. Where it has the answers of several
        people, each is a review in a queue of two blind ones.

        One whose id the queue has with other words is another post: it gets a new id, and a warning says so.

        Args:
            use: answers that the files state become suggestions, are ignored, or count as decided.

        Raises:
            InputError: a post has an unknown label, a span outside it, … (posts of earlier batches stay).
        """
        queue_id, found = find(self._database, queue)
        return intake.add(
            self._database.writer,
            queue_id,
            found.scheme,
            found.double,
            items,
            use=use,
            reviewer=check_name(reviewer, "reviewer"),
            photos=self._database.photos,
            now=time.time(),
        )

    def restore(self, queue: str, ref: str, held: Sequence[Standing]) -> None:
        """Record the decisions that a backup has of the post with this id, each at its seat."""
        queue_id, _ = find(self._database, queue)
        self._database.write(lambda c: hold_again(c, queue_id, ref, held, self._database.photos, time.time()))

    def unsuggested(self, queue: str, checkpoint: str) -> list[int]:
        """Keys of the undecided posts, in input order, that have no suggestion by this checkpoint yet."""
        queue_id, _ = find(self._database, queue)
        query = select(posts.c.id).where(
            posts.c.queue_id == queue_id,
            posts.c.status.not_in(DECIDED),
            posts.c.checkpoint.is_distinct_from(checkpoint),
        )
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(posts.c.id)).scalars())

    def suggest(self, found: Sequence[tuple[int, Suggestion]]) -> None:
        """Store suggestions for posts by key; they replace those shown before, which stay in their log."""
        self._database.write(lambda c: intake.suggest(c, found, self._database.photos, time.time()))

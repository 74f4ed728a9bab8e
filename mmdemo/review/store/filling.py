"""What fills a queue: posts from files or a backup, and models' suggestions."""

import time
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from mmdemo.review.names import check_name
from mmdemo.review.records import DECIDED, Imported, Suggestion
from mmdemo.review.store import intake
from mmdemo.review.store.engine import Database
from mmdemo.review.store.queue import find
from mmdemo.review.store.restore import Standing, restore
from mmdemo.review.store.tables import posts
from mmdemo.types import Question


class Filling:
    """What comes in, in `mmdemo.review.store.reviews.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        queue: str,
        items: Iterable[Question],
        *,
        use: intake.Use = "suggest",
        reviewer: str = "import",
    ) -> Imported:
        """Add posts; those that the queue has stay as they are, so an import can be repeated.

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
        self._database.write(lambda c: restore(c, queue_id, ref, held, self._database.photos, time.time()))

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

"""Queues and their posts: make, fill, page through, count."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, insert, select

from mmdemo.datasets.records import record_of
from mmdemo.datasets.schema import TASKS, Dataset
from mmdemo.review.names import check_name
from mmdemo.review.records import (
    DECIDED,
    Filter,
    Imported,
    Order,
    Page,
    Progress,
    Queue,
    Review,
    Suggestion,
)
from mmdemo.review.store import intake as store_intake
from mmdemo.review.store import queue as store_queue
from mmdemo.review.store.engine import Writer, open_engine
from mmdemo.review.store.restore import Standing, restore
from mmdemo.review.store.rows import dump, known, stored_scheme
from mmdemo.review.store.tables import posts, queues
from mmdemo.types import InputError, Question, quoted

#: Most posts of one page or one bulk decision.
MAX_PAGE = 500


class Posts:
    """The reading half of `mmdemo.review.store.reviews.Store`, and what brings posts in."""

    def __init__(self, url: str, photos: Path) -> None:
        self.photos = photos
        self.engine = open_engine(url)
        self._writer = Writer(self.engine)

    def close(self) -> None:
        """Give the database's connections back."""
        self.engine.dispose()

    # ------------------------------------------------------------ queues and posts

    def queues(self) -> tuple[Queue, ...]:
        """All queues, oldest first."""
        with self.engine.connect() as connection:
            return store_queue.all_queues(connection)

    def make_queue(self, name: str, scheme: Dataset, *, double: bool = False) -> Queue:
        """Make a queue, or find the one of this name; InputError where it has other labels or settings."""
        queue = Queue(name=check_name(name, "queue"), scheme=scheme, double=double)

        def write(connection: Connection) -> Queue:
            found = connection.execute(select(queues).where(queues.c.name == queue.name)).one_or_none()
            if found is None:
                row = {"name": queue.name, "dataset": scheme.name, "double": double}
                connection.execute(insert(queues).values(**row, record=dump(record_of(scheme))))
                return queue
            there = stored_scheme(found.record)
            if (found.dataset, found.double) != (scheme.name, double):
                raise InputError(
                    f"the queue {quoted(queue.name)} exists with another dataset or kind of review"
                )
            if any(there.outputs(task) != scheme.outputs(task) for task in TASKS):
                raise InputError(
                    f"the queue {quoted(queue.name)} exists with other labels of {scheme.name}; "
                    "name a new queue"
                )
            return Queue(name=queue.name, scheme=there, double=double)

        return self._writer.run(write)

    def add(
        self,
        queue: str,
        items: Iterable[Question],
        *,
        use: store_intake.Use = "suggest",
        reviewer: str = "import",
    ) -> Imported:
        """Add posts; those that the queue has stay as they are, so an import can be repeated.

        One whose id the queue has with other words is another post: it gets a new id, and a warning says so.

        Args:
            use: answers that the files state become suggestions, are ignored, or count as decided.

        Raises:
            InputError: a post has an unknown label, a span outside it, … (posts of earlier batches stay).
        """
        queue_id, found = self._queue(queue)
        return store_intake.add(
            self._writer,
            queue_id,
            found.scheme,
            found.double,
            items,
            use=use,
            reviewer=check_name(reviewer, "reviewer"),
            photos=self.photos,
            now=time.time(),
        )

    def restore(self, queue: str, ref: str, held: Sequence[Standing]) -> None:
        """Record the decisions that a backup has of the post with this id, each at its seat."""
        queue_id, _ = self._queue(queue)
        self._writer.run(lambda c: restore(c, queue_id, ref, held, self.photos, time.time()))

    def unsuggested(self, queue: str, checkpoint: str) -> list[int]:
        """Keys of the undecided posts, in input order, that have no suggestion by this checkpoint yet."""
        queue_id, _ = self._queue(queue)
        query = select(posts.c.id).where(
            posts.c.queue_id == queue_id,
            posts.c.status.not_in(DECIDED),
            posts.c.checkpoint.is_distinct_from(checkpoint),
        )
        with self.engine.connect() as connection:
            return list(connection.execute(query.order_by(posts.c.id)).scalars())

    def suggest(self, found: Sequence[tuple[int, Suggestion]]) -> None:
        """Store suggestions for posts by key; they replace those shown before, which stay in their log."""
        self._writer.run(lambda c: store_intake.suggest(c, found, self.photos, time.time()))

    def page(
        self,
        queue: str,
        reviewer: str,
        *,
        order: Order = "input",
        wanted: Filter | None = None,
        seed: int = 0,
        offset: int = 0,
        limit: int = 50,
    ) -> Page:
        """Some posts of a queue in an order (``seed`` is the random one's), as ``reviewer`` sees them."""
        with self.engine.connect() as connection:
            queue_id, _ = store_queue.find_queue(connection, queue)
            return store_queue.page(
                connection,
                queue_id,
                check_name(reviewer, "reviewer"),
                self.photos,
                order=order,
                wanted=wanted or Filter(),
                seed=seed,
                offset=max(0, offset),
                limit=max(1, min(limit, MAX_PAGE)),
            )

    def reviews(self, keys: Sequence[int], reviewer: str) -> tuple[Review, ...]:
        """The posts with these keys, in this order; unknown keys are left out."""
        with self.engine.connect() as connection:
            return store_queue.reviews(connection, keys, reviewer, self.photos)

    def decided(self, queue: str) -> Iterator[Review]:
        """All posts with a settled decision, in input order; rejected ones too.

        Each is as it stands when it is read: whoever decides or undoes meanwhile hides no other post.
        """
        last = 0
        while batch := self._decided(queue, last):
            yield from batch
            last = batch[-1].key

    def _decided(self, queue: str, last: int) -> list[Review]:
        """The next decided posts behind the key ``last``, read by one statement: all of one moment."""
        with self.engine.connect() as connection:
            queue_id, _ = store_queue.find_queue(connection, queue)
            mine = (posts.c.queue_id == queue_id) & posts.c.status.in_(DECIDED) & (posts.c.id > last)
            query = store_queue.select_known().where(mine).order_by(posts.c.id).limit(MAX_PAGE)
            return [known(row, self.photos).review_for("export") for row in connection.execute(query)]

    def progress(self, queue: str) -> Progress:
        """Counts: posts by status, decisions by reviewer."""
        with self.engine.connect() as connection:
            return store_queue.progress(connection, *store_queue.find_queue(connection, queue))

    # ------------------------------------------------------------ within

    def _queue(self, name: str) -> tuple[int, Queue]:
        with self.engine.connect() as connection:
            return store_queue.find_queue(connection, name)

"""Queues and their posts: make, page through, count."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, insert, select

from mmdemo.datasets.records import record_of
from mmdemo.datasets.schema import TASKS, Dataset
from mmdemo.review.names import check_name
from mmdemo.review.records import DECIDED, Filter, Order, Page, Progress, Queue, Review
from mmdemo.review.store import queue as store_queue
from mmdemo.review.store.engine import Database
from mmdemo.review.store.rows import dump, known, stored_scheme
from mmdemo.review.store.tables import posts, queues
from mmdemo.types import InputError, quoted

#: Most posts of one page or one bulk decision.
MAX_PAGE = 500


class Posts:
    """Queues and their posts, in `mmdemo.review.store.reviews.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queues(self) -> tuple[Queue, ...]:
        """All queues, oldest first."""
        with self._database.read() as connection:
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

        return self._database.write(write)

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
        with self._database.read() as connection:
            queue_id, _ = store_queue.find_queue(connection, queue)
            return store_queue.page(
                connection,
                queue_id,
                check_name(reviewer, "reviewer"),
                self._database.photos,
                order=order,
                wanted=wanted or Filter(),
                seed=seed,
                offset=max(0, offset),
                limit=max(1, min(limit, MAX_PAGE)),
            )

    def reviews(self, keys: Sequence[int], reviewer: str) -> tuple[Review, ...]:
        """The posts with these keys, in this order; unknown keys are left out."""
        with self._database.read() as connection:
            return store_queue.reviews(connection, keys, reviewer, self._database.photos)

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
        with self._database.read() as connection:
            queue_id, _ = store_queue.find_queue(connection, queue)
            mine = (posts.c.queue_id == queue_id) & posts.c.status.in_(DECIDED) & (posts.c.id > last)
            query = store_queue.select_known().where(mine).order_by(posts.c.id).limit(MAX_PAGE)
            return [
                known(row, self._database.photos).review_for("export") for row in connection.execute(query)
            ]

    def progress(self, queue: str) -> Progress:
        """Counts: posts by status, decisions by reviewer."""
        with self._database.read() as connection:
            return store_queue.progress(connection, *store_queue.find_queue(connection, queue))

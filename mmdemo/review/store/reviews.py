"""The store of reviews: what the Review tab and the command line call. Safe from any thread or process.

    store = open_store()                          # MMDEMO_DATABASE_URL, MMDEMO_REVIEWS or reviews.sqlite3
    store.make_queue("may", find_dataset(name))    # double=True: two blind reviews for each post
    store.add("may", posts)                       # `mmdemo.formats.reading.read_posts` reads them from files
    page = store.page("may", "Ann", order="entropy", wanted=Filter(statuses=("open",)))
    review = store.next("may", "Ann")             # the next undecided post, leased to Ann; None: all done
    store.decide("may", review.key, "Ann", answer, version=review.version, seconds=4.2)
    store.undo("may", "Ann"); store.redo("may", "Ann")

Every change is an event in a log that only grows; what a call returns has been committed to the disk.
``answer`` may be an `Answer` or the JSON object (or text) that a browser sent: it is checked against the post
(`mmdemo.review.answers.read_answer`). What a person can cause is an `InputError` with one sentence;
`Conflict` and `Leased` are such errors that carry the other version. Refused payloads are logged.
"""

import os
from pathlib import Path

from mmdemo.review.store.decisions import Decisions
from mmdemo.types import InputError


def open_store(place: str | Path | None = None, photos: Path | None = None) -> "Store":
    """The store at a path or database URL; by default $MMDEMO_DATABASE_URL, $MMDEMO_REVIEWS, reviews.sqlite3.

    Photos lie beside a SQLite file (``reviews.photos/``); for PostgreSQL in $MMDEMO_REVIEW_PHOTOS or there.

    Raises:
        InputError: the database cannot be opened.
    """
    env = os.environ
    place = place or env.get("MMDEMO_DATABASE_URL") or env.get("MMDEMO_REVIEWS") or "reviews.sqlite3"
    if "://" in str(place):
        return Store(str(place), photos or Path(env.get("MMDEMO_REVIEW_PHOTOS", "reviews.photos")))
    path = Path(place).absolute()
    if not path.parent.is_dir():
        raise InputError(f"the folder {path.parent} of the reviews does not exist")
    return Store(f"sqlite:///{path}", photos or path.with_suffix(".photos"))


class Store(Decisions):
    """See the module's text; every method may raise InputError.

    In `mmdemo.review.store.posts`: queues, make_queue, add, restore, unsuggested, suggest, page, reviews,
    decided, progress. In `mmdemo.review.store.opening`: open, next, lease, release. In
    `mmdemo.review.store.decisions`: decide, accept, undo, redo, disputes, adjudicate, history.
    """

"""The store of reviews: what the Review tab and the command line call. Safe from any thread or process.

    store = open_store()                          # MMDEMO_DATABASE_URL, MMDEMO_REVIEWS or reviews.sqlite3
    store.make_queue("may", dataset)              # double=True: two blind reviews for each post
    store.add("may", questions)                   # `mmdemo.formats.reading.read_posts` reads them from files
    page = store.page("may", "Ann", order="entropy", wanted=Filter(statuses=("open",)))
    review = store.next("may", "Ann")             # the next undecided post, leased to Ann; None: all done
    store.decide("may", review.key, "Ann", answer, version=review.version, seconds=4.2)
    store.undo("may", "Ann"); store.redo("may", "Ann")
    store.describe_photo("may", review.key, "Ann", "A sign.", version=review.photo_version)

Every change is an event in a log that only grows; what a call returns has been committed to the disk.
``answer`` may be an `Answer` or the JSON object (or text) that a browser sent: it is checked against the post
(`mmdemo.review.answers.read_answer`). What a person can cause is an `InputError` with one sentence;
`Conflict` and `Leased` are such errors that carry the other version. Refused payloads are logged.
"""

import os
from pathlib import Path

from mmdemo.review.store.decisions import Decisions
from mmdemo.review.store.engine import open_database
from mmdemo.review.store.filling import Filling
from mmdemo.review.store.opening import Opening
from mmdemo.review.store.photos.words import PhotoTexts
from mmdemo.review.store.posts import Posts
from mmdemo.review.store.undo import Undoing
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


class Store:
    """See the module's text; every method may raise InputError.

    It is made of parts that share one database; each public method is one of a part's, where its text stands.
    """

    def __init__(self, url: str, photos: Path) -> None:
        """Open the database at a URL; raises InputError where that cannot be."""
        database = open_database(url, photos)
        self.photos = database.photos
        self.engine = database.engine

        posts = Posts(database)
        self.queues, self.make_queue, self.progress = posts.queues, posts.make_queue, posts.progress
        self.page, self.reviews, self.decided = posts.page, posts.reviews, posts.decided

        filling = Filling(database)
        self.add, self.restore = filling.add, filling.restore
        self.suggest, self.unsuggested = filling.suggest, filling.unsuggested

        opening = Opening(database, posts)
        self.open, self.next = opening.open, opening.next
        self.lease, self.release = opening.lease, opening.release

        decisions = Decisions(database)
        self.decide, self.accept, self.history = decisions.decide, decisions.accept, decisions.history
        self.disputes, self.adjudicate = decisions.disputes, decisions.adjudicate
        self.double_reviews = decisions.double_reviews

        texts = PhotoTexts(database)
        self.change_photo_words, self.describe_photo = texts.change_photo_words, texts.describe_photo
        self.undo_photo_words, self.photo_history = texts.undo_photo_words, texts.photo_history

        undoing = Undoing(database)
        self.undo, self.redo = undoing.undo, undoing.redo

    def close(self) -> None:
        """Give the database's connections back."""
        self.engine.dispose()

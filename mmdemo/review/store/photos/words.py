"""What a photo says in words, as reviewers correct it: changed with a log that only grows, and undone.

These are facts about the photo, which all reviewers of a post share: in double review too, where only the
answers are blind. A change is no decision: it does not stand in a post's history, `undo` of decisions does
not touch it, and it has a version of its own.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from mmdemo.formats.shared.photo_words import descriptions, read_words, refuse, words_json
from mmdemo.review.names import check_name, check_number
from mmdemo.review.records import Review
from mmdemo.review.store import changes
from mmdemo.review.store.engine import Database
from mmdemo.review.store.queue import find_queue
from mmdemo.review.store.rows import Known, dump, stored_words
from mmdemo.review.store.tables import photo_changes, posts
from mmdemo.types import InputError, PhotoWords, quoted

Words = tuple[PhotoWords, ...]


@dataclass(frozen=True, kw_only=True)
class PhotoChange:
    """One line of the log. ``kind`` is change or undo; ``target`` is the change that an undo took back."""

    number: int
    key: int
    kind: str
    reviewer: str
    at: str
    before: Words
    after: Words
    target: int | None


class PhotoConflict(InputError):
    """Somebody else changed the words since the post was opened. ``review`` is the post as it is now."""

    def __init__(self, review: Review) -> None:
        super().__init__(
            f"somebody has changed the words of the photo of post {quoted(review.post.id)} since you opened "
            "it; yours were not saved"
        )
        self.review = review


class PhotoTexts:
    """The words of photos, in `mmdemo.review.store.reviews.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change_photo_words(
        self, queue: str, key: int, reviewer: str, words: object, *, version: int
    ) -> Review:
        """Put these words in place of those of a post's photo; what it returns is on the disk.

        What was there before stays as it is; anything else is the reviewer's own, without a score.

        Args:
            words: as `mmdemo.formats.shared.photo_words.words_json` writes them, and checked.
            version: `Review.photo_version` of the post as it was opened.

        Raises:
            PhotoConflict: somebody changed them since; nothing is saved.
            Leased: somebody else is editing the post.
            InputError: they are no such words, or too many or too long.
        """
        stated = read_words(words, "the request", refuse)
        return self._write(queue, key, reviewer, version, lambda post: _attributed(stated, post, reviewer))

    def describe_photo(self, queue: str, key: int, reviewer: str, text: str, *, version: int) -> Review:
        """Put a reviewer's description in place of the one that they gave before; "" takes it away.

        Raises:
            As `change_photo_words`.
        """
        reviewer = check_name(reviewer, "reviewer")
        own = descriptions(text, "the description", refuse, by=reviewer)

        def described(words: Words) -> Words:
            others = (one for one in words if (one.source, one.by) != ("described", reviewer))
            return (*others, *own)

        return self._write(queue, key, reviewer, version, described)

    def undo_photo_words(self, queue: str, key: int, reviewer: str, *, version: int) -> Review:
        """Take back the latest change of a post's words; call again for the one before.

        Raises:
            PhotoConflict, Leased: as `change_photo_words`.
            InputError: there is nothing to take back, or the latest change is somebody else's.
        """
        reviewer = check_name(reviewer, "reviewer")

        def write(connection: Connection, item: Known) -> Known:
            latest = _standing(connection, item.key)
            if latest is None:
                raise InputError("the words of this photo were not changed, so there is nothing to take back")
            if latest.reviewer != reviewer:
                raise InputError(f"{latest.reviewer} has changed the words of this photo since")
            return _record(connection, item, "undo", reviewer, latest.before, latest.number)

        return self._locked(queue, key, reviewer, version, write)

    def photo_history(self, key: int) -> tuple[PhotoChange, ...]:
        """All changes of the words of a post's photo, oldest first."""
        with self._database.read() as connection:
            return tuple(_history(connection, check_number(key, "post's key")))

    def _write(
        self, queue: str, key: int, reviewer: str, version: int, change: Callable[[Words], Words]
    ) -> Review:
        reviewer = check_name(reviewer, "reviewer")

        def write(connection: Connection, item: Known) -> Known:
            after = read_words(words_json(change(item.post.photo_words)), "the request", refuse)
            if after == item.post.photo_words:
                return item
            return _record(connection, item, "change", reviewer, after, None)

        return self._locked(queue, key, reviewer, version, write)

    def _locked(
        self,
        queue: str,
        key: int,
        reviewer: str,
        version: int,
        write: Callable[[Connection, Known], Known],
    ) -> Review:
        """Run a change of one post, if it is as the reviewer saw it and nobody else edits it."""
        key, version = check_number(key, "post's key"), check_number(version, "version")

        def locked(connection: Connection) -> Known:
            queue_id, _ = find_queue(connection, queue)
            item = changes.load_for(connection, key, queue_id, reviewer, self._database.photos)
            if item.photo_version != version:
                raise PhotoConflict(item.review_for(reviewer))
            changes.check_lease(connection, item, reviewer)
            return write(connection, item)

        return self._database.write(locked).review_for(reviewer)


def _attributed(words: Words, before: Words, reviewer: str) -> Words:
    return tuple(one if one in before else replace(one, by=reviewer, score=None) for one in words)


def _record(
    connection: Connection, item: Known, kind: str, reviewer: str, after: Words, target: int | None
) -> Known:
    """Append a change and bring the post up to date."""
    before, said = dump(words_json(item.post.photo_words)), dump(words_json(after))
    row: dict[str, Any] = {"post_id": item.key, "kind": kind, "reviewer": reviewer, "target": target}
    row |= {"at": changes.utc(time.time()), "before": before, "after": said}
    connection.execute(insert(photo_changes).values(row))
    columns = {"photo_words": said, "photo_version": item.photo_version + 1}
    connection.execute(update(posts).where(posts.c.id == item.key).values(columns))
    return replace(item, post=replace(item.post, photo_words=after), photo_version=item.photo_version + 1)


def _history(connection: Connection, key: int) -> list[PhotoChange]:
    rows = connection.execute(
        select(photo_changes).where(photo_changes.c.post_id == key).order_by(photo_changes.c.id)
    )
    return [
        PhotoChange(
            number=row.id,
            key=row.post_id,
            kind=row.kind,
            reviewer=row.reviewer,
            at=row.at,
            before=stored_words(row.before),
            after=stored_words(row.after),
            target=row.target,
        )
        for row in rows
    ]


def _standing(connection: Connection, key: int) -> PhotoChange | None:
    """The latest change that no undo took back; what it changed the words to is what they are now."""
    history = _history(connection, key)
    undone = {change.target for change in history}
    return next((one for one in reversed(history) if one.kind == "change" and one.number not in undone), None)

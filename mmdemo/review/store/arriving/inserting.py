"""New posts as rows of the tables, with what files state of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, insert, select

from mmdemo.formats.shared.photo_words import words_json
from mmdemo.review.answers import suggestion_row
from mmdemo.review.records import Answer, Decision, Suggestion
from mmdemo.review.store import post_state as fold
from mmdemo.review.store.arriving.again import FILE, batch_name, record_reviews
from mmdemo.review.store.changes import load, record, utc
from mmdemo.review.store.rows import derived_columns, dump, shuffle_number
from mmdemo.review.store.tables import posts
from mmdemo.types import Pair, Post

#: What becomes of answers that a file states: reviewers see them as suggestions, or nobody sees them, or
#: they count as decided.
Use = Literal["suggest", "ignore", "accept"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A checked post without what is stated of it, its ``body`` as `post_body` gives it, what is stated as an
    answer (None: nothing), the asked pairs, and its photo's name in the store."""

    post: Post
    body: str
    answer: Answer | None
    asked: tuple[Pair, ...]
    photo: str | None = None
    reviews: tuple[tuple[str, Answer], ...] = ()


def dumped_words(post: Post) -> str | None:
    """The words of a post's photo as they are stored."""
    return dump(words_json(post.photo_words)) if post.photo_words else None


def insert_posts(
    connection: Connection,
    queue_id: int,
    double: bool,
    new: Sequence[Row],
    use: Use,
    reviewer: str,
    photos: Path,
    now: float,
) -> None:
    if not new:
        return
    stated: dict[str, Answer] = {}
    rows = []
    for row in new:
        post = row.post
        ref = post.id or ""
        suggestion = None
        if row.answer is not None and use != "ignore":
            stated[ref] = row.answer
            suggestion = Suggestion(answer=row.answer, checkpoint=FILE)
        rows.append(
            {
                "queue_id": queue_id,
                "ref": ref,
                "shuffle": shuffle_number(ref),
                "body": row.body,
                "photo": row.photo,
                "photo_words": dumped_words(post),
                "search": f"{post.text}\n{ref}".casefold().replace("\0", ""),
                "suggestion": dump(suggestion_row(suggestion)) if suggestion else None,
                "checkpoint": FILE if suggestion else None,
                **derived_columns({}, double, suggestion),
            }
        )
    connection.execute(insert(posts), rows)
    several = {row.post.id or "": row.reviews for row in new if row.reviews and use != "ignore"}
    if double and several:
        record_reviews(connection, queue_id, several, photos, now)
        stated = {ref: answer for ref, answer in stated.items() if ref not in several}
    if use == "accept" and stated:
        _accept(connection, queue_id, double, stated, reviewer, photos, now)


def _accept(
    connection: Connection,
    queue_id: int,
    double: bool,
    stated: dict[str, Answer],
    reviewer: str,
    photos: Path,
    now: float,
) -> None:
    """Count what the file states as decided."""
    at = utc(now)
    query = select(posts.c.id, posts.c.ref).where(posts.c.queue_id == queue_id, posts.c.ref.in_(list(stated)))
    seat = fold.ADJUDICATED if double else fold.SHARED
    for key, ref in connection.execute(query).all():
        after = Decision(verdict="accepted", answer=stated[ref], reviewer=reviewer, at=at)
        item = load(connection, key, photos)
        batch = batch_name(at)
        record(connection, item, kind="import", seat=seat, reviewer=reviewer, after=after, at=at, batch=batch)

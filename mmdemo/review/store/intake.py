"""New posts and new suggestions into the tables."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from mmdemo.datasets.schema import Dataset
from mmdemo.posts.gold import name_of
from mmdemo.review.answers import suggestion_row
from mmdemo.review.photos import Unkept, keep_photo
from mmdemo.review.records import Imported, Suggestion
from mmdemo.review.store.arriving.again import answer_known, told_known
from mmdemo.review.store.arriving.checking import MAX_NAME, checked
from mmdemo.review.store.arriving.inserting import Row, Use, dumped_words, insert_posts
from mmdemo.review.store.changes import load, utc
from mmdemo.review.store.engine import Writer
from mmdemo.review.store.rows import derived_columns, dump
from mmdemo.review.store.tables import posts, suggestions
from mmdemo.types import InputError, Post, Question, quoted

USES: tuple[Use, ...] = ("suggest", "ignore", "accept")

#: Posts in one transaction: long enough to be fast, short enough that reviewers do not wait.
BATCH = 500

NAMED = 5  # posts in one warning


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """What of some rows is new, which got a new id, the known posts (by key), and how many got what they
    lacked."""

    new: list[Row]
    renamed: list[str]
    again: list[tuple[int, Row]]
    filled: Counter[str]


def add(
    writer: Writer,
    queue_id: int,
    scheme: Dataset,
    double: bool,
    items: Iterable[Question | Row],
    *,
    use: Use,
    reviewer: str,
    photos: Path,
    now: float,
) -> Imported:
    """Add posts that the queue does not have, in batches; each batch is on the disk before the next.

    Rows were `checked` against the same scheme already.
    """
    added, known, counts = 0, 0, Counter[str]()
    warnings, renamed, held = list[str](), list[str](), dict[str, str]()
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        rows = list[Row]()
        for item in batch:
            try:
                name, warning = _photo(item.post, photos)
            except Unkept as error:  # the post waits: one without its photo would pass for known ever after
                held[name_of(item.post)[:80]] = str(error)
                continue
            row = item if isinstance(item, Row) else checked(item, scheme, use)
            rows.append(replace(row, photo=name) if name else row)
            warnings += [warning] if warning else []

        def write(connection: Connection, rows: list[Row] = rows) -> Arrived:
            found = _unknown(connection, queue_id, rows)
            answer_known(connection, found.again, double, use, reviewer, photos, now, counts)
            insert_posts(connection, queue_id, double, found.new, use, reviewer, photos, now)
            return found

        found = writer.run(write)
        fresh = len(found.new)
        added, known, renamed = added + fresh, known + len(rows) - fresh, renamed + found.renamed
        counts.update(found.filled)
    warnings = [*warnings, *told_known(counts), *_told(renamed), *_waiting(held)]
    return Imported(added=added, known=known, held=len(held), warnings=tuple(warnings))


def _waiting(held: dict[str, str]) -> list[str]:
    """One warning of all posts whose photo cannot be stored, with a reason and what to do; or none."""
    if not held:
        return []
    named, why = ", ".join(list(held)[:NAMED]), next(iter(held.values()))
    more = f" and {len(held) - NAMED} more" if len(held) > NAMED else ""
    return [
        f"not added, as their photos cannot be stored: {named}{more}: {why}; "
        "make room, then import the file again: it adds what is not there yet"
    ]


def _unknown(connection: Connection, queue_id: int, rows: Sequence[Row]) -> Arrived:
    """Which posts the queue lacks; those that it has get a photo, and words of it, where they had none.

    An id that is there with other words is another post's: many ids are row numbers, which the next file of
    the same name counts anew. The new id follows from the words, so that the import can be repeated.
    """
    said = [(row, _said(row)) for row in rows]
    found = _known(connection, queue_id, [row.post.id or "" for row in rows])
    there = {row.ref: _words(row.body) for row in found}
    first: dict[str, object] = {}
    others = [
        _spare_ref(ref, words)
        for ref, words in ((row.post.id or "", words) for row, words in said)
        if there.get(ref, words) != words or first.setdefault(ref, words) != words
    ]
    found += _known(connection, queue_id, [ref for ref in others if ref not in there])
    there = {row.ref: _words(row.body) for row in found}
    lacks = {"photo": {row.ref for row in found if row.photo is None}}
    # What a reviewer took away is not lacking.
    lacks["photo_words"] = {row.ref for row in found if not row.photo_words and not row.photo_version}
    keys = {row.ref: row.id for row in found}
    new, renamed, filled, again = list[Row](), list[str](), Counter[str](), list[tuple[int, Row]]()
    for row, words in said:
        own = row.post.id or ""
        ref = own if there.get(own, words) == words else _spare_ref(own, words)
        if ref in there:
            # The disk was full, the photo was not at hand, or nobody had read it.
            mine = (posts.c.queue_id == queue_id) & (posts.c.ref == ref)
            if ref in keys and (row.answer is not None or row.reviews):
                again.append((keys[ref], row))
            for name, value in {"photo": row.photo, "photo_words": dumped_words(row.post)}.items():
                if value is not None and ref in lacks[name]:
                    connection.execute(update(posts).where(mine).values({name: value}))
                    filled[name] += 1
                    lacks[name].remove(ref)
            continue
        there[ref] = words
        new.append(row if ref == own else replace(row, post=replace(row.post, id=ref)))
        renamed += [f"{quoted(own)} as {quoted(ref)}"] if ref != own else []
    return Arrived(new=new, renamed=renamed, again=again, filled=filled)


def _known(connection: Connection, queue_id: int, refs: Sequence[str]) -> list[Any]:
    """The queue's posts of these ids."""
    columns = (
        posts.c.id,
        posts.c.ref,
        posts.c.body,
        posts.c.photo,
        posts.c.photo_words,
        posts.c.photo_version,
    )
    query = select(*columns).where(posts.c.queue_id == queue_id, posts.c.ref.in_(refs))
    return list(connection.execute(query)) if refs else []


def _told(renamed: list[str]) -> list[str]:
    """One warning of all posts that got a new id, or none."""
    if not renamed:
        return []
    more = f" and {len(renamed) - NAMED} more" if len(renamed) > NAMED else ""
    named = ", ".join(renamed[:NAMED])
    return [
        f"the ids of {len(renamed)} posts were other posts' already; they were added as new: {named}{more}"
    ]


def _said(row: Row) -> object:
    """What tells two posts of one id apart: the words, and the pairs that are asked about."""
    pairs = [{"head": list(pair.head), "tail": list(pair.tail)} for pair in row.asked]
    return list(row.post.tokens), pairs if len(pairs) > 1 else pairs[0] if pairs else None


def _words(body: str) -> object:
    """`_said` of a post in the store."""
    row = json.loads(body)
    return row["tokens"], row.get("asked") or row["pair"]


def _spare_ref(ref: str, words: object) -> str:
    """The id of a post whose own is taken."""
    digest = hashlib.sha256(dump(words).encode()).hexdigest()[:8]
    return f"{ref[: MAX_NAME - 9]}-{digest}"


def _photo(post: Post, photos: Path) -> tuple[str | None, str | None]:
    """(stored name, warning): a photo that cannot be read makes a post without one, as everywhere.

    Raises:
        Unkept: the photo cannot be stored.
    """
    try:
        return keep_photo(post.image, photos), None
    except Unkept:
        raise
    except InputError as error:
        return None, f"{name_of(post)} counts as one without a photo: {error}"


def suggest(
    connection: Connection, found: Sequence[tuple[int, Suggestion]], photos: Path, now: float
) -> None:
    """Store suggestions: append to their log, and show them from now on."""
    for key, suggestion in found:
        item = load(connection, key, photos)
        body = dump(suggestion_row(suggestion))
        connection.execute(insert(suggestions).values(post_id=key, at=utc(now), body=body))
        columns = {
            "suggestion": body,
            "checkpoint": suggestion.checkpoint,
            "score": suggestion.score,
            "entropy": suggestion.entropy,
            "disagreement": suggestion.disagreement,
            "flip": suggestion.flip,
            **derived_columns(item.seats, item.double, suggestion),
        }
        connection.execute(update(posts).where(posts.c.id == key).values(columns))

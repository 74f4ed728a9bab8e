"""Rows of the tables to records and back."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from mmdemo.datasets.records import read_record
from mmdemo.datasets.schema import Dataset
from mmdemo.review.answers import answer_row, stored_answer, stored_suggestion
from mmdemo.review.records import Answer, Decision, Event, Lease, Review, Suggestion
from mmdemo.review.store import post_state as fold
from mmdemo.types import Pair, PhotoWords, Post

#: Prime, so that multiplying by anything permutes the numbers below it: the seeded random order.
SHUFFLE_PRIME = 2**31 - 1


def shuffle_number(name: str) -> int:
    """A number in [0, `SHUFFLE_PRIME`) that depends on ``name`` alone, alike in every process."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") % SHUFFLE_PRIME


#: Compact ASCII JSON: what every JSON column holds.
dump = json.JSONEncoder(separators=(",", ":")).encode


# ---------------------------------------------------------------- posts


def post_body(post: Post, asked: Sequence[Pair]) -> str:
    """The JSON of what a post says and asks, without its id, photo, words of the photo, and answers.

    ``pair`` is the only asked pair, as before there could be more; several are ``asked``.
    """
    body: dict[str, Any] = {
        "text": post.text,
        "tokens": post.tokens,
        "image_id": post.image_id,
        "pair": vars(asked[0]) if len(asked) == 1 else None,
        "tags": post.tags,
    }
    if len(asked) > 1:
        body["asked"] = [vars(pair) for pair in asked]
    if post.offsets:
        body["offsets"] = post.offsets
    return dump(body)


def stored_post(ref: str, body: dict[str, Any], photo: Path | None, words: str | None) -> Post:
    """The post that `post_body` wrote, with its photo's path and (as JSON) words."""
    tags = body["tags"]
    return Post(
        text=body["text"],
        tokens=tuple(body["tokens"]),
        offsets=tuple(tuple(place) if place else None for place in body.get("offsets", ())),
        image=photo,
        id=ref,
        image_id=body["image_id"],
        tags=tuple(tags) if tags else None,
        photo_words=stored_words(words),
    )


def stored_words(text: str | None) -> tuple[PhotoWords, ...]:
    """The words of a photo that `words_json` wrote; none where there is no text."""
    rows = json.loads(text) if text else ()
    return tuple(PhotoWords(**row | {"box": tuple(row["box"]) if row["box"] else None}) for row in rows)


def stored_asked(body: dict[str, Any]) -> tuple[Pair, ...]:
    """The pairs whose relation a post that `post_body` wrote asks for."""
    pairs = body.get("asked") or ([body["pair"]] if body["pair"] else [])
    return tuple(Pair(head=tuple(pair["head"]), tail=tuple(pair["tail"])) for pair in pairs)


@lru_cache(maxsize=64)
def stored_scheme(record: str) -> Dataset:
    """The label scheme of a queue's row; queues share few."""
    return read_record(json.loads(record), "the queue's labels")


def marks(names: Any) -> str:
    """``|a|b|``: a set of names in a text column, to be searched for ``|a|``."""
    return "".join(f"|{name}" for name in sorted(set(names))) + "|"


def labels_of(answer: Answer) -> str:
    return marks([*(e.label for e in answer.entities), *(link.label for link in answer.links)])


# ---------------------------------------------------------------- decisions and seats


def decision_row(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {
        "verdict": decision.verdict,
        "reviewer": decision.reviewer,
        "at": decision.at,
        **answer_row(decision.answer),
    }


def stored_decision(row: dict[str, Any] | None, tokens: tuple[str, ...]) -> Decision | None:
    if row is None:
        return None
    return Decision(
        verdict=row["verdict"], reviewer=row["reviewer"], at=row["at"], answer=stored_answer(row, tokens)
    )


def seats_text(seats: fold.Seats) -> str:
    return dump(
        {
            name: {"version": seat.version, "head": seat.head, "decision": decision_row(seat.decision)}
            for name, seat in seats.items()
        }
    )


def stored_seats(text: str, tokens: tuple[str, ...]) -> dict[str, fold.Seat]:
    return {
        name: fold.Seat(
            version=seat["version"], head=seat["head"], decision=stored_decision(seat["decision"], tokens)
        )
        for name, seat in json.loads(text).items()
    }


def derived_columns(seats: fold.Seats, double: bool, suggestion: Suggestion | None) -> dict[str, Any]:
    """What ``posts`` caches of the events."""
    settled = fold.settled(seats, double)
    shown = settled.answer if settled else suggestion.answer if suggestion else Answer()
    deciders = {seat.decision.reviewer for seat in seats.values() if seat.decision}
    return {
        "seats": seats_text(seats),
        "status": fold.status(seats, double),
        "labels": labels_of(shown),
        "reviewers": marks(deciders),
    }


# ---------------------------------------------------------------- a post with all that is known about it


@dataclass(frozen=True, kw_only=True)
class Known:
    """A row of ``posts`` with its queue, read."""

    key: int
    queue_id: int
    queue: str
    scheme: Dataset
    double: bool
    post: Post
    asked: tuple[Pair, ...]
    seats: dict[str, fold.Seat]
    suggestion: Suggestion | None
    photo_version: int

    def seat_of(self, reviewer: str) -> str:
        """The seat that this reviewer's decisions go to."""
        return reviewer if self.double else fold.SHARED

    def review_for(self, reviewer: str, lease: Lease | None = None) -> Review:
        """What ``reviewer`` may see: in double review, only their own decision until the post is settled."""
        own = self.seats.get(self.seat_of(reviewer), fold.Seat())
        status = fold.status(self.seats, self.double)
        return Review(
            key=self.key,
            queue=self.queue,
            scheme=self.scheme,
            post=self.post,
            asked=self.asked,
            status=status,
            version=own.version,
            suggestion=self.suggestion,
            decision=fold.settled(self.seats, self.double) or own.decision,
            lease=lease,
            photo_version=self.photo_version,
        )


def known(row: Row[Any], photos: Path) -> Known:
    """Read a row of ``posts`` joined with ``queues`` (columns ``queue``, ``record``, ``double``)."""
    body = json.loads(row.body)
    post = stored_post(row.ref, body, photos / row.photo if row.photo else None, row.photo_words)
    asked = stored_asked(body)
    suggestion = stored_suggestion(json.loads(row.suggestion), post.tokens, asked) if row.suggestion else None
    return Known(
        key=row.id,
        queue_id=row.queue_id,
        queue=row.queue,
        scheme=stored_scheme(row.record),
        double=row.double,
        post=post,
        asked=asked,
        seats=stored_seats(row.seats, post.tokens),
        suggestion=suggestion,
        photo_version=row.photo_version,
    )


def event_of(row: Mapping[str, Any], tokens: tuple[str, ...]) -> Event:
    """Read a row of ``events``."""
    before, after = (json.loads(row[side]) if row[side] else None for side in ("before", "after"))
    return Event(
        number=row["id"],
        key=row["post_id"],
        kind=row["kind"],
        seat=row["seat"],
        reviewer=row["reviewer"],
        at=row["at"],
        before=stored_decision(before, tokens),
        after=stored_decision(after, tokens),
        score=row["score"],
        checkpoint=row["checkpoint"],
        seconds=row["seconds"],
        batch=row["batch"],
        target=row["target"],
    )

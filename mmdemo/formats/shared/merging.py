"""Rows of one post, each with a pair of its own, as one question."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from mmdemo.types import Ask, Entity, Pair, PhotoWords, Post, Question, Relation

Stated = TypeVar("Stated", Entity, Relation)


#: Rows of one post stand close together: so far behind each other at most.
WINDOW = 10_000


def merged(rows: Iterable[Question]) -> Iterator[Question]:
    """Rows that have one id and the same words become one, with what all of them state and ask.

    The last `WINDOW` posts are kept for that, so that a long file needs little memory.
    """
    found: dict[object, Question] = {}
    for number, row in enumerate(rows):
        name = (row.post.id, row.post.tokens) if row.post.id is not None else number
        earlier = found.get(name)
        found[name] = _both(earlier, row) if earlier else row
        if len(found) > WINDOW:
            yield found.pop(next(iter(found)))
    yield from found.values()


def _both(one: Question, other: Question) -> Question:
    post = replace(
        one.post,
        entities=_union(one.post.entities, other.post.entities),
        relations=_union(one.post.relations, other.post.relations),
        photo_words=_all_words(one.post, other.post),
    )
    decided = one.decided + tuple(who for who in other.decided if who not in one.decided)
    return replace(one, post=post, ask=_asks(one.ask, other.ask), decided=decided)


def _union(one: tuple[Stated, ...] | None, other: tuple[Stated, ...] | None) -> tuple[Stated, ...] | None:
    if one is None or other is None:
        return one if other is None else other
    return tuple(dict.fromkeys(one + other))


def _all_words(one: Post, other: Post) -> tuple[PhotoWords, ...]:
    """A post's lines all describe its one photo: most say the same of it."""
    if one.photo_words == other.photo_words:
        return one.photo_words
    return tuple(dict.fromkeys(one.photo_words + other.photo_words))


def _asks(one: Ask, other: Ask) -> Ask:
    if one.relations == "all" or other.relations == "all":
        return Ask(entities=one.entities or other.entities, relations="all")
    pairs = tuple(dict.fromkeys([*one.relations, *other.relations]))
    return Ask(entities=one.entities or other.entities, relations=pairs)


def one_pair(post: Post, pair: Pair) -> Question:
    """The question for the relation of one pair."""
    return Question(post=post, ask=Ask(entities=post.entities is not None, relations=(pair,)))

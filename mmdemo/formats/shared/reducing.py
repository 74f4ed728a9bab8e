"""A row without what a format cannot hold of it, and what that was: the rest of the post still goes out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmdemo.formats.format import Format
from mmdemo.types import Ask, Entity, Post, Question, Relation, Span

#: What stands for a white space that a format gives another meaning: to people it looks the same.
_BLANK = "\u00a0"
_NAME = 60  # characters of an id that is too long for its format


@dataclass(frozen=True, kw_only=True)
class Reduced:
    """``row`` fits the format; ``without`` says what of the row does not, in words, and is () where all fits.

    ``row`` is None where nothing of it can be held: ``why`` then says so.
    """

    row: Question | None
    without: tuple[str, ...] = ()
    why: str = ""


def reduced(row: Question, found: Format) -> Reduced:
    """As much of a row as a format holds."""
    if found.problem(row) is None:
        return Reduced(row=row)
    post, without = row.post, list[str]()
    if post.entities and not found.entities:
        without.append(_count(len(post.entities), "entity", "entities"))
        post = replace(post, entities=None, tags=None)
    if post.relations and not found.relations:
        without.append(_count(len(post.relations), "relation", "relations"))
        post = replace(post, relations=None)
    if post.entities and not found.nested:
        kept = _apart(post.entities)
        if lost := len(post.entities) - len(kept):
            without.append(_count(lost, "entity that shares words", "entities that share words"))
            post = replace(post, entities=kept, tags=None)
    row = replace(row, post=post, ask=_fitting(row.ask, found))
    for step in (_plain_labels, _plain_words, _short_id):  # each only where there is still a problem
        if found.problem(row) is not None:
            row, more = step(row)
            without += more
    why = found.problem(row) if row.post.tokens else "none of its words has a character"
    return Reduced(row=row, without=tuple(without)) if why is None else Reduced(row=None, why=why)


def _count(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} {many}"


def _fitting(ask: Ask, found: Format) -> Ask:
    return Ask(entities=ask.entities and found.entities, relations=ask.relations if found.relations else ())


def _apart(entities: Sequence[Entity]) -> tuple[Entity, ...]:
    """Entities of which no two share a word: the longest first, then those that stand first."""
    kept = list[Entity]()
    for entity in sorted(entities, key=lambda e: (e.start - e.end, e.start, e.label)):
        if all(entity.end <= other.start or other.end <= entity.start for other in kept):
            kept.append(entity)
    return tuple(entity for entity in entities if entity in kept)


def _plain_labels(row: Question) -> tuple[Question, list[str]]:
    """Without labels of several lines, which no format of lines holds."""
    post, without = row.post, list[str]()

    def plain(label: str) -> bool:
        return not any(c in label for c in "\t\n\r")

    entities = post.entities and tuple(e for e in post.entities if plain(e.label))
    relations = post.relations and tuple(r for r in post.relations if plain(r.label))
    lost = len(post.entities or ()) + len(post.relations or ()) - len(entities or ()) - len(relations or ())
    if lost:
        without.append(_count(lost, "label with a tab or line break", "labels with a tab or line break"))
        post = replace(post, entities=entities, relations=relations, tags=None)
    return replace(row, post=post), without


def _plain_words(row: Question) -> tuple[Question, list[str]]:
    """Without empty words, and white space within words as a no-break space."""
    post, without = row.post, list[str]()
    tokens = tuple("".join(_BLANK if c in " \t\n\r" else c for c in token) for token in post.tokens)
    if tokens != post.tokens:
        without.append("the blanks, tabs or line breaks within words, written as no-break spaces")
    if not all(tokens):
        empty = tokens.count("")
        without.append(_count(empty, "empty word", "empty words"))
        post = _without_words(post, [place for place, token in enumerate(tokens) if token])
        tokens = tuple(filter(None, tokens))
    if any(c in (post.image_id or "") for c in "\t\n\r"):
        without.append("the id of its photo")
        post = replace(post, image_id=None)
    asked = () if len(tokens) != len(row.post.tokens) and row.ask.relations != "all" else row.ask.relations
    post = replace(post, tokens=tokens)
    return replace(row, post=post, ask=replace(row.ask, relations=asked)), without


def _without_words(post: Post, kept: Sequence[int]) -> Post:
    """The post with only these of its words; spans move along, and those that lose all words go."""

    def moved(span: Span) -> Span:
        return sum(place < span[0] for place in kept), sum(place < span[1] for place in kept)

    entities: list[Entity] | None = None if post.entities is None else []
    for entity in post.entities or ():
        start, end = moved((entity.start, entity.end))
        if start < end and entities is not None:
            entities.append(replace(entity, start=start, end=end))
    relations: list[Relation] | None = None if post.relations is None else []
    for relation in post.relations or ():
        head, tail = moved(relation.head), moved(relation.tail)
        if head[0] < head[1] and tail[0] < tail[1] and relations is not None:
            relations.append(replace(relation, head=head, tail=tail))
    return replace(
        post,
        offsets=tuple(post.offsets[place] for place in kept) if post.offsets else (),
        entities=None if entities is None else tuple(entities),
        relations=None if relations is None else tuple(relations),
        tags=None,
    )


def _short_id(row: Question) -> tuple[Question, list[str]]:
    """With an id of bounded length that follows from its own."""
    ref = row.post.id or ""
    if len(ref) <= _NAME // 4:
        return row, []
    short = f"{ref[: _NAME // 4]}-{hashlib.sha256(ref.encode(errors='replace')).hexdigest()[:12]}"
    return replace(row, post=replace(row.post, id=short)), [f"its whole id; it is called {short}"]

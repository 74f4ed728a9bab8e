"""JSON lines: the one format that holds a whole `Question`, its text, places, scores and id included.

A line has the keys of `Post` and ``ask``; absent or null means None. ``description`` and ``alt_text`` are
words of the photo too (`shared.photo_words`). A photo is written as its path; a photo in memory is not
written (its ``image_id`` is). A post that is asked for one pair alone may have it as ``pair``, with its label
as ``relation``: so were all lines before a post could have several relations, when a post with more had a
line for each, under one id.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.asking import stated_ask
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.merging import merged
from mmdemo.formats.shared.photo_words import stated_words, words_json
from mmdemo.formats.shared.stated import looks_labelled, tell_unread
from mmdemo.formats.shared.tags import bio, entities_of
from mmdemo.formats.text.lines import (
    check_span,
    check_text,
    check_words,
    name_or_none,
    text_or_none,
    write_objects,
)
from mmdemo.formats.text.values import read_rows
from mmdemo.types import Ask, Decided, Entity, InputError, Pair, Post, Question, Relation, Span, quoted

#: The keys that are read.
KEYS = frozenset(
    "id text tokens offsets image image_id entities relations tags pair relation ask decided".split()
)


def write(path: Path, rows: Sequence[Question], dataset: Dataset) -> None:
    """Write rows as JSON lines in UTF-8."""
    write_objects(path, (line_of(row) for row in rows))


def line_of(row: Question) -> dict[str, Any]:
    """A question as a JSON object that `read` reads back equal."""
    post, ask = row.post, row.ask
    pair = _only_pair(row)
    line = {
        "id": post.id,
        "text": post.text,
        "tokens": post.tokens,
        "offsets": post.offsets or None,
        "image_id": post.image_id,
        "image": str(post.image) if isinstance(post.image, str | Path) else None,
        "photo_words": words_json(post.photo_words) or None,
        "entities": None if post.entities is None else [vars(entity) for entity in post.entities],
        "tags": post.tags,
        "pair": vars(pair) if pair else None,
        "relation": post.relations[0].label if pair and post.relations else None,
    }
    if row.decided:
        line["decided"] = [vars(one) for one in row.decided]
    if not pair:
        stated = post.relations
        line["relations"] = None if stated is None else [vars(relation) for relation in stated]
        line["ask"] = None if ask == stated_ask(post) else _ask_line(ask)
    return {key: value for key, value in line.items() if value is not None}


def _only_pair(row: Question) -> Pair | None:
    """The pair of a row that asks for one alone and states at most its relation."""
    asked = row.ask.relations
    if asked == "all" or len(asked) != 1 or row.ask.entities != (row.post.entities is not None):
        return None
    stated = row.post.relations
    unsure = stated is not None and (
        len(stated) != 1 or stated[0].pair != asked[0] or stated[0].score is not None
    )
    return None if unsure else asked[0]


def _ask_line(ask: Ask) -> dict[str, Any]:
    pairs = ask.relations if ask.relations == "all" else [vars(pair) for pair in ask.relations]
    return {"entities": ask.entities, "relations": pairs}


# ---------------------------------------------------------------- reading


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """Rows of a JSON-lines file, or of an array of such objects. ``image`` comes back as a `Path`.

    Raises:
        InputError: a line is not a JSON object, a field has the wrong type, or a span is empty or leaves the
            words.
    """
    return merged(left.each(read_rows(path, left), lambda row: row_of(row[1], row[0], left)))


def row_of(line: dict[str, Any], where: str, left: LeftOut) -> Question:
    """The post of a line's object, which stands at ``where``. Raises InputError as `read` does."""
    tokens = check_words(line.get("tokens"), where)
    image, tags = text_or_none(line, "image", where), line.get("tags")
    pair, label = line.get("pair"), line.get("relation")
    relations = _list(line, "relations", where)
    found = None if relations is None else tuple(_relation(row, len(tokens), where) for row in relations)
    asked = None if pair is None else _pair(pair, len(tokens), where)
    if label is not None and asked is not None:
        joining = Relation(head=asked.head, tail=asked.tail, label=_label(label, "relation", where))
        found = (*(found or ()), joining)
    elif label is not None:
        raise InputError(f"{where} has a relation without the pair that it joins")
    stated = _list(line, "entities", where)
    entities = None if stated is None else tuple(_entity(e, len(tokens), where) for e in stated)
    tags = None if tags is None else check_words(tags, where)
    if entities is None and tags is not None:
        entities, tags = _tagged(tokens, tags, where)
    tell_unread(line, KEYS, left)
    post = Post(
        text=text_or_none(line, "text", where) or "",
        tokens=tokens,
        offsets=_offsets(line, len(tokens), where),
        image=Path(image) if image else None,
        entities=entities,
        relations=found,
        id=name_or_none(line, "id", where),
        image_id=name_or_none(line, "image_id", where),
        tags=tags,
        photo_words=stated_words(line, where, left.cut),
    )
    ask = _ask(line, len(tokens), where) or stated_ask(post)
    if asked is not None:
        ask = Ask(entities=post.entities is not None, relations=(asked,))
    return Question(post=post, ask=ask, decided=_decided(line, where))


def _decided(line: dict[str, Any], where: str) -> tuple[Decided, ...]:
    """Who decided, where the line says so."""
    rows = _list(line, "decided", where) or []
    if not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{where} has a decided that is not a list of objects")
    return tuple(
        Decided(
            by=check_text(row.get("by"), where),
            verdict=check_text(row.get("verdict"), where),
            at=check_text(row.get("at"), where),
            checkpoint=text_or_none(row, "checkpoint", where),
            score=_score(row, where),
        )
        for row in rows
    )


def _tagged(
    tokens: tuple[str, ...], tags: tuple[str, ...], where: str
) -> tuple[tuple[Entity, ...], tuple[str, ...] | None]:
    """The entities of a line that states tags alone."""
    if len(tags) != len(tokens):
        raise InputError(f"{where} has {len(tags)} tags for {len(tokens)} words")
    return entities_of(tokens, [bio(tag, where) for tag in tags])


def _list(line: dict[str, Any], key: str, where: str) -> list[Any] | None:
    value = line.get(key)
    if value is not None and not isinstance(value, list):
        raise InputError(f"{where} has {key} that are not a list")
    return value


def _ask(line: dict[str, Any], length: int, where: str) -> Ask | None:
    ask = line.get("ask")
    if ask is None:
        return None
    if not isinstance(ask, dict) or not isinstance(ask.get("entities"), bool):
        raise InputError(f"{where} has an ask that is not an object with entities and relations")
    pairs = ask.get("relations")
    if pairs == "all":
        return Ask(entities=ask["entities"], relations="all")
    if not isinstance(pairs, list):
        raise InputError(f'{where} asks for relations that are neither "all" nor a list of pairs')
    return Ask(entities=ask["entities"], relations=tuple(_pair(pair, length, where) for pair in pairs))


def _offsets(line: dict[str, Any], length: int, where: str) -> tuple[Span | None, ...]:
    places = line.get("offsets")
    if places is None:
        return ()
    if not isinstance(places, list) or len(places) != length:
        raise InputError(f"{where} has offsets that are not one place for each word")
    most = len(text_or_none(line, "text", where) or "")
    return tuple(None if place is None else check_span(place, most, where) for place in places)


def _pair(row: Any, length: int, where: str) -> Pair:
    if not isinstance(row, dict):
        raise InputError(f"{where} has a pair that is not an object with head and tail")
    head, tail = (check_span(row.get(side), length, where) for side in ("head", "tail"))
    return Pair(head=head, tail=tail)


def _relation(row: Any, length: int, where: str) -> Relation:
    pair = _pair(row, length, where)
    label, score = _label(row.get("label"), "relation", where), _score(row, where)
    return Relation(head=pair.head, tail=pair.tail, label=label, score=score)


def _entity(row: Any, length: int, where: str) -> Entity:
    if not isinstance(row, dict):
        raise InputError(f"{where} has an entity that is not an object: {quoted(row)}")
    start, end = check_span([row.get("start"), row.get("end")], length, where)
    label, text = _label(row.get("label"), "entity", where), text_or_none(row, "text", where) or ""
    return Entity(start=start, end=end, label=label, text=text, score=_score(row, where))


def _label(value: Any, kind: str, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise InputError(f"{where} has the unknown {kind} label {quoted(value)}")
    return check_text(value, where)


def _score(row: dict[str, Any], where: str) -> float | None:
    score = row.get("score")
    if score is not None and (type(score) not in (int, float) or not 0 <= score <= 1):
        raise InputError(f"{where} has the score {quoted(score)}, which is not a probability")
    return score


def looks_like(path: Path, start: str) -> bool:
    if path.suffix.lower() not in (".jsonl", ".json", ".ndjson") or '"tokens":' not in start:
        return False
    if '"own_text":' in start or '"start_offset":' in start:  # doccano's, which carries words too
        return False
    start = start.replace(": ", ":")
    ours = ('"tags":', '"entities":', '"relations":', '"ask":', '"pair":', '"offsets":')
    return '"entities":[[' not in start and (any(key in start for key in ours) or not looks_labelled(start))


FORMAT = Format(
    name="jsonl",
    title="JSON lines",
    suffix=".jsonl",
    holds="everything",
    reader=read,
    writer=write,
    text=True,
    scores=True,
    relation_scores=True,
    annotators=True,
    decided=True,
    photo_id=True,
    photo_words=True,
    looks_like=looks_like,
)

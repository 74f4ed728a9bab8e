"""Posts as JSON lines: the one format that holds a whole `Post`, its text, scores and id included.

A line has the keys of `Post`; absent or null means None. A photo is written as its path; a photo in memory is
not written (its ``image_id`` is).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdemo.datasets.bio import RELATIONS
from mmdemo.formats.lines import check_span, check_text, check_words, read_lines, write_text
from mmdemo.types import Entity, InputError, Pair, Post, quoted


def write_jsonl(path: Path, posts: Sequence[Post]) -> None:
    """Write posts as JSON lines in UTF-8."""
    write_text(path, "".join(json.dumps(_row(post), ensure_ascii=False) + "\n" for post in posts))


def _row(post: Post) -> dict[str, Any]:
    entities = None if post.entities is None else [vars(entity) for entity in post.entities]
    row = {
        "id": post.id,
        "text": post.text,
        "tokens": post.tokens,
        "image_id": post.image_id,
        "image": str(post.image) if isinstance(post.image, str | Path) else None,
        "entities": entities,
        "tags": post.tags,
        "pair": vars(post.pair) if post.pair else None,
        "relation": post.relation,
    }
    return {key: value for key, value in row.items() if value is not None}


def read_jsonl(path: Path, types: Sequence[str] | None = None) -> list[Post]:
    """Posts of a JSON-lines file. ``image`` comes back as a `Path`.

    Args:
        types: the entity types that may occur; None allows any.

    Raises:
        InputError: a line is not a JSON object, a field has the wrong type, a label is unknown, or a span is
            empty or leaves the tokens.
    """
    posts = []
    for number, line in read_lines(path):
        if line.strip():
            where = f"{path} line {number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{where} is not JSON") from error
            if not isinstance(row, dict):
                raise InputError(f"{where} is not a JSON object")
            posts.append(_post(row, types, where))
    return posts


def _post(row: dict[str, Any], types: Sequence[str] | None, where: str) -> Post:
    tokens = check_words(row.get("tokens"), where)
    entities, tags, pair, relation = (row.get(key) for key in ("entities", "tags", "pair", "relation"))
    if relation is not None and relation not in RELATIONS:
        raise InputError(f"{where} has the unknown relation {quoted(relation)}")
    if entities is not None and not isinstance(entities, list):
        raise InputError(f"{where} has entities that are not a list")
    if pair is not None and not isinstance(pair, dict):
        raise InputError(f"{where} has a pair that is not an object with head and tail")
    image = _string(row, "image", where)
    return Post(
        text=_string(row, "text", where) or "",
        tokens=tokens,
        image=Path(image) if image else None,
        entities=None if entities is None else tuple(_entity(e, len(tokens), types, where) for e in entities),
        pair=None
        if pair is None
        else Pair(
            head=check_span(pair.get("head"), len(tokens), where),
            tail=check_span(pair.get("tail"), len(tokens), where),
        ),
        relation=relation,
        id=_string(row, "id", where),
        image_id=_string(row, "image_id", where),
        tags=None if tags is None else check_words(tags, where),
    )


def _string(row: dict[str, Any], key: str, where: str) -> str | None:
    value = row.get(key)
    return None if value is None else check_text(value, f"{where}, {key!r},")


def _entity(row: Any, length: int, types: Sequence[str] | None, where: str) -> Entity:
    if not isinstance(row, dict):
        raise InputError(f"{where} has an entity that is not an object: {quoted(row)}")
    start, end = check_span([row.get("start"), row.get("end")], length, where)
    label, score = row.get("label"), row.get("score")
    if not isinstance(label, str) or not label or (types is not None and label not in types):
        raise InputError(f"{where} has the unknown entity label {quoted(label)}")
    if score is not None and (type(score) not in (int, float) or not 0 <= score <= 1):
        raise InputError(f"{where} has the score {quoted(score)}, which is not a probability")
    return Entity(start=start, end=end, label=label, text=_string(row, "text", where) or "", score=score)

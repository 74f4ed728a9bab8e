"""spaCy: a line for each post, as `Doc.to_json` writes and `Doc.from_json` reads it, and its ``id``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdemo.formats.lines import check_text, read_lines, write_text
from mmdemo.formats.offsets import characters, joined, words
from mmdemo.review.records import Answer, Labelled
from mmdemo.types import Entity, InputError, Post


def write(path: Path, items: Sequence[Labelled]) -> None:
    """Write Doc JSON; load it by ``[Doc(vocab).from_json(json.loads(line)) for line in open(path)]``."""
    write_text(path, "".join(json.dumps(_doc(item), ensure_ascii=False) + "\n" for item in items))


def _doc(item: Labelled) -> dict[str, Any]:
    text, places = joined(item.post.tokens)
    ents = []
    for entity in sorted((item.answer or Answer()).entities, key=lambda e: e.start):
        start, end = characters(places, (entity.start, entity.end))
        ents.append({"start": start, "end": end, "label": entity.label})
    tokens = [{"id": number, "start": start, "end": end} for number, (start, end) in enumerate(places)]
    return {"id": item.post.id, "text": text, "ents": ents, "tokens": tokens}


def read(path: Path, dataset: str) -> list[Labelled]:
    """Posts of Doc JSON lines. Raises InputError naming file and line."""
    items = []
    for number, line in read_lines(path):
        if line.strip():
            where = f"{path} line {number}"
            try:
                items.append(_item(json.loads(line), where))
            except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
                if isinstance(error, InputError):
                    raise
                raise InputError(f"{where} is not a spaCy Doc as JSON: {error!r:.80}") from error
    return items


def _item(doc: dict[str, Any], where: str) -> Labelled:
    text = check_text(doc["text"], where)
    places = [(token["start"], token["end"]) for token in doc["tokens"]]
    tokens = tuple(text[start:end] for start, end in places)
    if not tokens or not all(tokens):
        raise InputError(f"{where} has no words")
    entities = []
    for ent in doc["ents"]:
        start, end = words(places, ent["start"], ent["end"], where)
        label = check_text(ent["label"], where)
        entities.append(Entity(start=start, end=end, label=label, text=" ".join(tokens[start:end])))
    ref = doc.get("id")
    post = Post(text=text, tokens=tokens, id=None if ref is None else check_text(ref, where))
    return Labelled(post=post, answer=Answer(entities=tuple(entities)))

"""spaCy: a line for each post, as `Doc.to_json` writes and `Doc.from_json` reads it, with two keys more: its
``id`` and the words of its photo, ``photo_words``.

Load a file by ``[Doc(vocab).from_json(json.loads(line)) for line in open(path)]``.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.asking import question
from mmdemo.formats.shared.fitting import empty_word, overlap
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.offsets import characters, entity_at, joined, words
from mmdemo.formats.shared.photo_words import KEY, stated_words, words_json
from mmdemo.formats.text.lines import check_text, name_or_none, write_objects
from mmdemo.formats.text.values import read_rows
from mmdemo.types import InputError, Post, Question, quoted


def write(path: Path, rows: Sequence[Question], dataset: Dataset) -> None:
    """Write Doc JSON."""
    write_objects(path, (_doc(row.post) for row in rows))


def _doc(post: Post) -> dict[str, Any]:
    text, places = joined(post.tokens)
    ents = []
    for entity in sorted(post.entities or (), key=lambda e: e.start):
        start, end = characters(places, (entity.start, entity.end))
        ents.append({"start": start, "end": end, "label": entity.label})
    tokens = [{"id": number, "start": start, "end": end} for number, (start, end) in enumerate(places)]
    more = {KEY: words_json(post.photo_words)} if post.photo_words else {}
    return {"id": post.id, "text": text, "ents": ents, "tokens": tokens, **more}


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """Posts of Doc JSON lines, one after the other. Raises InputError naming file and line."""

    def row_of(found: tuple[str, dict[str, Any]]) -> Question:
        where, doc = found
        try:
            return question(_post(doc, left, where), dataset)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{where} is not a spaCy Doc as JSON: {quoted(error)}") from error

    yield from left.each(read_rows(path, left), row_of)


def _post(doc: dict[str, Any], left: LeftOut, where: str) -> Post:
    text = check_text(doc["text"], where)
    places = [(token["start"], token["end"]) for token in doc["tokens"]]
    tokens = tuple(text[start:end] for start, end in places)
    if not tokens or not all(tokens):
        raise InputError(f"{where} has no words")
    entities = tuple(
        entity_at(words(places, ent["start"], ent["end"], where), check_text(ent["label"], where), tokens)
        for ent in doc["ents"]
    )
    return Post(
        text=text,
        tokens=tokens,
        entities=entities,
        id=name_or_none(doc, "id", where),
        photo_words=stated_words(doc, where, left.cut),
    )


def problem(row: Question) -> str | None:
    if row.post.relations:
        return "spaCy's documents hold no relations"
    return empty_word(row) or overlap(row, "spaCy")


def looks_like(path: Path, start: str) -> bool:
    return path.suffix.lower() in (".jsonl", ".json") and '"ents":' in start and '"tokens":' in start


FORMAT = Format(
    name="spacy",
    title="spaCy",
    suffix=".jsonl",
    holds="words, entities, ids, words of photos",
    photo_words=True,
    reader=read,
    writer=write,
    problem=problem,
    relations=False,
    nested=False,
    looks_like=looks_like,
)

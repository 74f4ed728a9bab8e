"""DyGIE: a JSON object a line, spans by word with **inclusive** ends, as DyGIE++, SciERC and CrossRE publish.

A line is a sentence (``sentence``, ``ner`` of ``[start, end, label]``, ``relations`` of
``[start, end, start, end, label, …]``), or a document (``sentences``; ``ner`` and ``relations`` have a list
for each, and their indices count the document's words): its sentences are posts of their own. Sentences are
written. The underscored keys hold what a post has beside: DyGIE lets those stand.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.asking import question
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.offsets import entity_at
from mmdemo.formats.shared.photo_words import read_words, words_json
from mmdemo.formats.shared.stated import tell_unread
from mmdemo.formats.text.lines import (
    check_span,
    check_text,
    check_words,
    text_or_none,
    write_objects,
)
from mmdemo.formats.text.values import read_rows
from mmdemo.types import InputError, Post, Question, Relation, Span

#: The keys that are read.
KEYS = ("ner", "relations", "sentence", "sentences")


def write(path: Path, rows: Sequence[Question], dataset: Dataset) -> None:
    """Write a sentence for each post."""
    write_objects(path, (_line(row.post) for row in rows))


def _line(post: Post) -> dict[str, Any]:
    line: dict[str, Any] = {"doc_key": post.id, "sentence": list(post.tokens)}
    if post.entities is not None:
        line["ner"] = [[e.start, e.end - 1, e.label] for e in post.entities]
    if post.relations is not None:
        line["relations"] = [
            [r.head[0], r.head[1] - 1, r.tail[0], r.tail[1] - 1, r.label] for r in post.relations
        ]
    if post.text != " ".join(post.tokens):
        line["_text"] = post.text
    if post.offsets:
        line["_offsets"] = [place and list(place) for place in post.offsets]
    if post.image_id is not None:
        line["_image_id"] = post.image_id
    if post.photo_words:
        line["_photo_words"] = words_json(post.photo_words)
    return line


# ---------------------------------------------------------------- reading


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """The sentences of a file; those of a document are called ``<doc_key>:<number from 1>``.

    Raises:
        InputError: a line lacks its words, or a span is empty, leaves its sentence, or is no span.
    """

    def rows_of(item: tuple[int, tuple[str, dict[str, Any]]]) -> list[Question]:
        number, (where, line) = item
        key = line.get("doc_key")
        name = check_text(str(f"{path.stem}:{number}" if key is None else key), where)
        tell_unread(line, KEYS, left)
        try:
            if "sentences" in line:
                return _document(line, name, dataset, left, where)
            tokens = check_words(line["sentence"], where)
            post = _post(tokens, line.get("ner"), line.get("relations"), 0, name, where)
            return [question(_carried(post, line, left, where), dataset)]
        except KeyError as error:
            raise InputError(f"{where} has neither 'sentence' nor 'sentences'") from error

    for rows in left.each(enumerate(read_rows(path, left), 1), rows_of):
        yield from rows


def _carried(post: Post, line: dict[str, Any], left: LeftOut, where: str) -> Post:
    """The post with what its underscored keys say."""
    text = text_or_none(line, "_text", where)
    places = line.get("_offsets") or []
    text = post.text if text is None else text
    if not isinstance(places, list) or len(places) not in (0, len(post.tokens)):
        raise InputError(f"{where} has _offsets that are not one place for each word")
    return Post(
        text=text,
        tokens=post.tokens,
        offsets=tuple(None if place is None else check_span(place, len(text), where) for place in places),
        entities=post.entities,
        relations=post.relations,
        id=None if "doc_key" in line and line["doc_key"] is None else post.id,
        image_id=text_or_none(line, "_image_id", where),
        photo_words=read_words(line.get("_photo_words"), where, left.cut),
    )


def _document(
    line: dict[str, Any], name: str, dataset: Dataset | None, left: LeftOut, where: str
) -> list[Question]:
    sentences = line["sentences"]
    if not isinstance(sentences, list) or not sentences:
        raise InputError(f"{where} has no list of sentences")
    words = [check_words(sentence, where) for sentence in sentences]
    ner, relations = (_parts(line, key, len(words), where) for key in ("ner", "relations"))
    rows, before = list[Question](), 0
    for number, tokens in enumerate(words):
        here, inside = f"{where} sentence {number + 1}", list[Any]()
        for row in _rows(relations[number], 5, "relations", here):
            if all(_within(row, place, before, len(tokens)) for place in (0, 2)):
                inside.append(row)
            else:
                left.refuse("relations across sentences", here)
        stated = None if relations[number] is None else inside
        post = _post(tokens, ner[number], stated, before, f"{name}:{number + 1}", here)
        rows.append(question(post, dataset))
        before += len(tokens)
    return rows


def _parts(line: dict[str, Any], key: str, count: int, where: str) -> list[Any]:
    """What a document states of each of its sentences."""
    parts = line.get(key)
    if parts is None:
        return [None] * count
    if not isinstance(parts, list) or len(parts) != count:
        raise InputError(f"{where} has not one list of {key} for each sentence")
    return parts


def _within(row: list[Any], place: int, before: int, length: int) -> bool:
    """Whether a span of a row lies in the sentence, or is no span: then `_post` says so."""
    start, end = row[place : place + 2]
    return type(start) is not int or type(end) is not int or before <= start <= end < before + length


def _post(tokens: tuple[str, ...], ner: Any, relations: Any, before: int, name: str, where: str) -> Post:
    """A sentence; its spans count words from ``before`` words ahead of it."""

    def span(row: list[Any], place: int) -> Span:
        start, end = row[place : place + 2]
        if type(start) is int and type(end) is int:
            return check_span([start - before, end + 1 - before], len(tokens), where)
        raise InputError(f"{where} has the span {[start, end]!r:.60}, which is not two numbers")

    entities = [
        entity_at(span(row, 0), check_text(row[2], where), tokens) for row in _rows(ner, 3, "ner", where)
    ]
    found = [
        Relation(head=span(row, 0), tail=span(row, 2), label=check_text(row[4], where))
        for row in _rows(relations, 5, "relations", where)
    ]
    return Post(
        text=" ".join(tokens),
        tokens=tokens,
        entities=None if ner is None else tuple(entities),
        relations=None if relations is None else tuple(found),
        id=name,
    )


def _rows(values: Any, least: int, key: str, where: str) -> list[list[Any]]:
    """The rows of ``ner`` or ``relations``, each with at least so many items."""
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(v, list) and len(v) >= least for v in values):
        raise InputError(f"{where} has {key} that are not rows of at least {least} items")
    return values


def looks_like(path: Path, start: str) -> bool:
    lists = any(f'"{key}":[' in start.replace(": [", ":[") for key in ("sentence", "sentences"))
    return path.suffix.lower() in (".json", ".jsonl") and lists


FORMAT = Format(
    name="dygie",
    title="DyGIE, SciERC, CrossRE",
    suffix=".json",
    holds="everything",
    reader=read,
    writer=write,
    text=True,
    photo_id=True,
    photo_words=True,
    looks_like=looks_like,
)

"""A text and its spans, by character, as most tools write them a row each: read only.

Prodigy (``text``, ``spans``, ``relations``), Argilla (``fields``, ``responses``, ``suggestions``; before 2.0
``annotation``, ``prediction``), spaCy's training data, Label Studio's JSON-MIN, AutoTrain and others: the
text is under one of its usual names, spans under any key that looks like labels (`shared.stated`).
"""

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.asking import question
from mmdemo.formats.shared.carried import carried_post
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.offsets import UNLABELLED
from mmdemo.formats.shared.regions import Marked
from mmdemo.formats.shared.stated import (
    StatedSpan,
    labelled_keys,
    looks_labelled,
    person,
    spans_in,
    tell_unread,
)
from mmdemo.formats.text.lines import check_text, name_or_none
from mmdemo.formats.text.values import read_rows
from mmdemo.posts.marks import has_marks
from mmdemo.posts.question import read_text
from mmdemo.types import InputError, Post, Question, quoted

TEXTS = ("text", "tweet", "sentence", "content", "post", "message", "body", "full_text", "data")
PHOTOS = ("image", "photo", "img", "picture", "image_path", "image_file", "photo_path")
#: Keys of models' answers: suggestions, where no person has answered.
_MODELS = ("prediction", "predictions", "suggestion", "suggestions")
_RELATIONS = ("relations", "triples", "links")
_DEPTH = 6


@dataclass(kw_only=True)
class _Found:
    """What a row states: each person's spans, models' ones, and the keys that were understood."""

    people: dict[str, list[StatedSpan]] = field(default_factory=dict)
    models: list[StatedSpan] | None = None
    keys: set[str] = field(default_factory=set)


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """Posts of a file of rows. Raises InputError naming the row."""
    yield from left.each(read_rows(path, left), lambda found: row_of(found[1], dataset, left, found[0]))


def row_of(row: dict[str, Any], dataset: Dataset | None, left: LeftOut, where: str) -> Question:
    """The post of a row. Raises InputError where it has no text, or labels that are no spans of it."""
    meta, fields = (row.get(key) for key in ("meta", "fields"))
    values = {
        **(meta if isinstance(meta, dict) else {}),
        **(fields if isinstance(fields, dict) else {}),
        **row,
    }
    name = next((key for key in TEXTS if isinstance(values.get(key), str)), None)
    if name is None:
        raise InputError(f"{where} has no text")
    tokens = values.get("tokens")
    ours = isinstance(tokens, list) and bool(tokens) and isinstance(tokens[0], str)
    carrying = values if ours else {key: value for key, value in values.items() if key != "tokens"}
    marked = carried_post(carrying, values[name], dataset, where, left)
    found = _stated(values, where, left)
    none = values.get("unlabelled") or UNLABELLED
    for who, spans in found.people.items():
        for number, span in enumerate(spans):
            label = None if span.label == none else span.label
            key, text = _key(span, number), span.text
            marked.mark(key, span.start, span.end, label, where, stated=text, score=span.score, who=who)
    linked = _link(values, marked, found, where, left)
    main = next(reversed(found.people), "")
    post = marked.finish(main, entities=bool(found.people), relations=linked)
    given = values.get("ref") if ours else values.get("ref", values.get("id", values.get("_id")))
    photo = next((values[key] for key in PHOTOS if isinstance(values.get(key), str) and values[key]), None)
    post = replace(
        post,
        id=None if given is None else check_text(str(given), where),
        image=Path(photo) if photo and "\0" not in photo else None,
        image_id=post.image_id
        or name_or_none(values, "img_id", where)
        or (Path(photo).stem if photo else None),
    )
    if isinstance(comments := values.get("Comments"), list) and comments:  # doccano's
        left.pass_over("comments of annotators", len(comments))
    tell_unread(values, {*found.keys, *_RELATIONS, "tokens", name}, left)
    if not found.people and not ours and has_marks(post.text):
        return _of_a_pair(post, dataset, where)
    if len(found.people) < 2:
        return question(post, dataset)
    return replace(question(post, dataset), reviews=tuple(map(marked.stated, found.people)))


def _of_a_pair(post: Post, dataset: Dataset | None, where: str) -> Question:
    """The question that marks in a post's text ask. Raises InputError where they do not fit together."""
    try:
        row = read_text(post.text, dataset)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return replace(row, post=replace(post, tokens=row.post.tokens, offsets=row.post.offsets))


def _key(span: StatedSpan, number: int) -> Hashable:
    return span.name if isinstance(span.name, str | int) else f"#{number}"


def _stated(values: dict[str, Any], where: str, left: LeftOut) -> _Found:
    found = _Found()
    for key in labelled_keys(values) + [
        key for key in values if key in ("entities", "label", "labels", "spans")
    ]:
        if key in _RELATIONS or key in found.keys:
            continue
        model = key.split(".")[-1] in _MODELS or key in _MODELS
        if _collect(values[key], found, "", model, where):
            found.keys.add(key)
        elif isinstance(values[key], list) and values[key] and isinstance(values[key][0], list | dict):
            raise InputError(f"{where} has {quoted(key)} that are no spans with start, end and label")
    if found.models is not None and not found.people:
        left.note("models' predictions: they are suggestions")
        found.people[""] = found.models
    elif found.models:
        left.pass_over("models' predictions beside people's answers", len(found.models))
    return found


def _collect(value: Any, found: _Found, who: str, model: bool, where: str, depth: int = 0) -> bool:
    """Take the spans in a value, however deep; whether there was a list of them."""
    spans = spans_in(value, where)
    if spans is not None:
        if model:
            found.models = [*(found.models or ()), *spans]
        else:
            for name in dict.fromkeys([span.by or who for span in spans] or [who]):
                own = [span for span in spans if (span.by or who) == name]
                found.people[name] = [*found.people.get(name, ()), *own]
        return True
    if depth > _DEPTH or not isinstance(value, dict | list):
        return False
    if isinstance(value, Mapping):
        who = person(value) or who
        parts = [(key == "suggestions" or model, inner) for key, inner in value.items()]
    else:
        parts = [(model, inner) for inner in value]
    return any([_collect(inner, found, who, also, where, depth + 1) for also, inner in parts])


def _link(values: dict[str, Any], marked: Marked, found: _Found, where: str, left: LeftOut) -> bool:
    """Take the relations, for each person who marked both ends; whether the row states any, or none."""
    rows = next((values[key] for key in _RELATIONS if isinstance(values.get(key), list)), None)
    if rows is None:
        return False
    keys = {who: {_key(span, at) for at, span in enumerate(spans)} for who, spans in found.people.items()}
    for row in rows:
        if not isinstance(row, Mapping):
            raise InputError(f"{where} has {quoted(row)} where a relation should be")
        label = row.get("type", row.get("label"))
        if not isinstance(label, str) or not label:
            left.pass_over("relations without a label")
            continue
        ends = {who: _ends(row, spans) for who, spans in found.people.items()}
        both = [who for who, two in ends.items() if set(two) <= keys[who]]
        if not both and any(None in two for two in ends.values()):
            raise InputError(f"{where} has a relation without its two ends")
        if not both:
            raise InputError(f"{where} is not a relation between two spans that are marked")
        for who in both:
            marked.link(*ends[who], check_text(label, where), where, who)
    return True


def _ends(row: Mapping[str, Any], spans: Sequence[StatedSpan]) -> tuple[Hashable, Hashable]:
    """What one person's spans call the two ends of a relation."""
    head, tail = row.get("head_span"), row.get("child_span")
    if isinstance(head, Mapping) and isinstance(tail, Mapping):
        return _at(head, spans), _at(tail, spans)
    named = [end if isinstance(end, str | int) else None for end in (row.get("from_id"), row.get("to_id"))]
    return named[0], named[1]


def _at(span: Mapping[str, Any], spans: Sequence[StatedSpan]) -> Hashable:
    """What the span that stands there is called."""
    for number, one in enumerate(spans):
        if (one.start, one.end) == (span.get("start"), span.get("end")):
            return _key(one, number)
    return None


def looks_like(path: Path, start: str) -> bool:
    texts = any(f'"{key}":' in start for key in TEXTS)
    named = path.suffix.lower() in (".json", ".jsonl", ".ndjson")
    return named and texts and (looks_labelled(start) or _is_text_alone(start))


def _is_text_alone(start: str) -> bool:
    """Whether the first object is a post without any label, which is still to be read."""
    try:
        row = json.loads(start)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(row, dict) and "tokens" not in row and any(isinstance(row.get(key), str) for key in TEXTS)
    )


FORMAT = Format(
    name="spans",
    title="texts with spans (Prodigy, Argilla, …)",
    suffix=".jsonl",
    holds="texts, entities, relations, ids, photo ids",
    photo_id=True,
    photo_words=True,
    reader=read,
    looks_like=looks_like,
)

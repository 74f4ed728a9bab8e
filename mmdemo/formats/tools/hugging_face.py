"""Words and a tag for each, as `datasets` publishes token classification: read only.

A row has ``tokens`` (or ``words``) and a list of as many tags under any key that looks like labels:
``ner_tags``, ``tags``, ``labels``. Tags are names, or numbers whose names the folder states: ClassLabel names
in ``dataset_info.json`` or in the front matter of a ``README.md`` beside the file. Spans by word
(``[start, end, label]``) are read too.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.asking import question
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.offsets import entity_at
from mmdemo.formats.shared.photo_words import stated_words
from mmdemo.formats.shared.stated import labelled_keys, looks_labelled, spans_in, tell_unread
from mmdemo.formats.shared.tags import are_bare, bare, bio, entities_of, is_tag
from mmdemo.formats.text.lines import check_span, check_words, name_or_none
from mmdemo.formats.text.values import read_rows
from mmdemo.types import Entity, InputError, Post, Question, quoted

_WORDS = ("tokens", "words", "token")
_IDS = ("id", "image_id", "img_id", "tweet_id", "guid")
_MOST = 4 * 2**20  # bytes of a README that are looked at


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """Posts of a file of rows, or of an answer of the hub's rows API. Raises InputError naming the row."""
    names = _names_beside(path.parent)

    def row_of(found: tuple[str, dict[str, Any]]) -> Question:
        where, row = found
        inner = row.get("row")
        return question(_post(inner if isinstance(inner, dict) else row, names, left, where), dataset)

    yield from left.each(read_rows(path, left), row_of)


def _post(row: dict[str, Any], names: Mapping[str, Sequence[str]], left: LeftOut, where: str) -> Post:
    words = next((key for key in _WORDS if key in row), "tokens")
    tokens = check_words(row.get(words), where)
    keys = [key for key in labelled_keys(row) if key != words]
    entities: tuple[Entity, ...] | None = None
    tags: tuple[str, ...] | None = None
    read = {words}
    for key in sorted(keys, key=lambda key: "ner" not in key):
        value = row[key]
        if entities is None and _is_tag_list(key, value, len(tokens)):
            entities, tags = entities_of(tokens, _bio(value, names.get(key), f"{where}, {quoted(key)},"))
            read.add(key)
        elif entities is None and (spans := spans_in(value, where)) is not None:
            entities = tuple(
                entity_at(check_span([span.start, span.end], len(tokens), where), span.label, tokens)
                for span in spans
            )
            read.add(key)
    tell_unread(row, read, left)
    image_id = name_or_none(row, "image_id", where) or name_or_none(row, "img_id", where)
    image = row.get("image")
    return Post(
        text=" ".join(tokens),
        tokens=tokens,
        image=Path(image) if isinstance(image, str) and image else None,
        entities=entities,
        tags=tags,
        id=next((name for key in _IDS if (name := name_or_none(row, key, where)) is not None), None),
        image_id=image_id,
        photo_words=stated_words(row, where, left.cut),
    )


def _is_tag_list(key: str, value: Any, length: int) -> bool:
    """Whether a list has a tag for each word: under a key that is called so, or by its looks."""
    if not isinstance(value, list) or len(value) != length:
        return False
    texts = all(isinstance(one, str) for one in value)
    if all(type(one) is int for one in value) or (texts and ("tag" in key or "ner" in key)):
        return True
    return texts and (all(map(is_tag, value)) or are_bare(value))


def _bio(values: list[Any], names: Sequence[str] | None, where: str) -> list[str]:
    """Tags by name. Raises InputError where numbers have no names."""
    if values and type(values[0]) is int:
        if names is None:
            raise InputError(
                f"{where} has tags that are numbers, and no names for them: put the data set's README.md or "
                "dataset_info.json, which state them, beside the file"
            )
        if not all(0 <= value < len(names) for value in values):
            raise InputError(f"{where} has a tag beyond the {len(names)} that are named")
        values = [names[value] for value in values]
    if not all(map(is_tag, values)) and are_bare(values):
        return [bare(value) for value in values]
    return [bio(value, where) for value in values]


# ---------------------------------------------------------------- names of numbers


def _names_beside(folder: Path) -> dict[str, tuple[str, ...]]:
    """The names of each column's numbers, from the files beside, or one folder up."""
    found = dict[str, tuple[str, ...]]()
    for place in (folder.parent, folder):
        for file in (place / "README.md", place / "dataset_info.json", place / "dataset_infos.json"):
            with suppress(OSError, ValueError, RecursionError, yaml.YAMLError):
                text = file.read_bytes()[:_MOST].decode("utf-8", "replace")
                parts = text.split("---")
                stated = yaml.safe_load(parts[1]) if file.suffix == ".md" and len(parts) > 2 else None
                _collect(stated if file.suffix == ".md" else json.loads(text), found)
    return found


def _collect(value: Any, found: dict[str, tuple[str, ...]], key: str = "", depth: int = 0) -> None:
    """Every ``names`` of a feature, wherever it stands: their layout differs between versions."""
    if depth > 12:
        return
    if isinstance(value, dict):
        names = value.get("names")
        if isinstance(names, dict):
            names = [names[each] for each in sorted(names, key=lambda n: int(n) if str(n).isdigit() else 0)]
        own = value.get("name")
        key = own if isinstance(own, str) else key
        if isinstance(names, list) and key and all(isinstance(name, str) for name in names):
            found[key] = tuple(names)
        for name, inner in value.items():
            wrapper = name in ("feature", "sequence", "class_label", "features", "dataset_info", "dtype")
            _collect(inner, found, key if wrapper else str(name), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, found, key, depth + 1)


def looks_like(path: Path, start: str) -> bool:
    keys = any(f'"{key}":["' in start.replace(": [", ":[") for key in _WORDS)
    return path.suffix.lower() in (".json", ".jsonl", ".ndjson") and keys and looks_labelled(start)


FORMAT = Format(
    name="hugging-face",
    title="Hugging Face",
    suffix=".jsonl",
    holds="words, entities, ids, photo ids",
    photo_id=True,
    photo_words=True,
    reader=read,
    looks_like=looks_like,
)

"""A dataset's record as JSON values and back. What comes in may be a stranger's: everything is checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from typing import Any, cast

from mmdemo.datasets.schema import (
    DESK_KEYS,
    TASKS,
    Dataset,
    EntityType,
    ExamplePost,
    Files,
    PublishedFigure,
    RelationType,
    Task,
    WordRules,
)
from mmdemo.types import InputError, quoted

#: A dataset's name is a folder's name in checkpoints.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,39}")
#: A folder of checkpoints has these beside its datasets.
RESERVED = ("base",)
#: Longest label, and most labels of a kind. A label beyond either is a mistake in reading a file.
LONGEST_LABEL = 200
MOST_LABELS = 500
LONGEST_TEXT = 20_000

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def record_of(dataset: Dataset) -> dict[str, Any]:
    """The record as JSON values; what has its default is left out."""
    return _less_defaults(dataset, asdict(dataset))


def _less_defaults(record: Any, values: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for item in fields(record):
        value = getattr(record, item.name)
        default = item.default if item.default_factory is MISSING else item.default_factory()
        if item.default is not MISSING or item.default_factory is not MISSING:
            if value == default:
                continue
        kept[item.name] = _plain(value)
    return kept


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return _less_defaults(value, {}) if hasattr(value, "__dataclass_fields__") else value


def read_record(values: Any, where: str) -> Dataset:
    """The dataset of a record's JSON values; ``where`` names the file in errors.

    Raises:
        InputError: a key is missing, unknown or of the wrong type, a label stands twice or is no text, or a
            relation names an entity label that there is not.
    """
    reader = RecordReader(where)
    return reader.dataset(values)


class RecordReader:
    """Reads the parts of a record; each error names the place and the key."""

    def __init__(self, where: str) -> None:
        self.where = where

    def fail(self, key: str, problem: str) -> InputError:
        """The error for a key. A subclass may know its line."""
        return InputError(f"{self.where}: {key} {problem}")

    def dataset(self, values: Any) -> Dataset:
        """A whole record."""
        stated = self.table(values, "the record", {item.name for item in fields(Dataset)})
        name = self.text(stated, "name", "name")
        if not NAME.fullmatch(name):
            raise self.fail("name", f"is {quoted(name)}; it takes 1 to 40 letters, digits and . _ + -")
        if name in RESERVED:
            raise self.fail(
                "name", f"is {quoted(name)}, which a folder of checkpoints uses for something else"
            )
        tasks = self.tasks(stated)
        entities = tuple(self.entity_type(row) for row in self.rows(stated, "entities"))
        relations = tuple(self.relation_type(row) for row in self.rows(stated, "relations"))
        none = self.text(stated, "none", "none", "None")
        self._check_labels("entities", [kind.label for kind in entities])
        self._check_labels("relations", [none, *(kind.label for kind in relations)])
        if "entities" in tasks and not entities:
            raise self.fail("entities", "has no label, but tasks has entities")
        if "relations" in tasks and not relations:
            raise self.fail("relations", "has no label, but tasks has relations")
        known = {kind.label for kind in entities}
        for kind in relations:
            for side, labels in (("head", kind.head), ("tail", kind.tail)):
                if unknown := set(labels) - known:
                    key = f"relations.{kind.label}.{side}"
                    raise self.fail(key, f"names {quoted(min(unknown))}, which is no entity label here")
        return Dataset(
            name=name,
            title=self.text(stated, "title", "title", name),
            tasks=tasks,
            language=self.text(stated, "language", "language", "en"),
            default=self.flag(stated, "default", "default"),
            words=self.words(stated.get("words", {})),
            files=self.files(stated.get("files", {})),
            entities=entities,
            relations=relations,
            none=none,
            label_map=self.pairs(stated.get("label_map", []), "label_map"),
            examples=tuple(self.example(row) for row in self.rows(stated, "examples")),
            published=tuple(self.published(row) for row in self.rows(stated, "published")),
            borrow=self.text(stated, "borrow", "borrow", ""),
            start=self.text(stated, "start", "start", ""),
            source=self.text(stated, "source", "source", ""),
        )

    def tasks(self, stated: Mapping[str, Any]) -> tuple[Task, ...]:
        values = self.texts(stated, "tasks", "tasks")
        if not values or set(values) - set(TASKS) or len(set(values)) < len(values):
            raise self.fail("tasks", f"is {list(values)!r}; it takes entities, relations, or both")
        return tuple(cast(Task, task) for task in TASKS if task in values)

    def entity_type(self, row: Any) -> EntityType:
        stated = self.table(row, "entities", {item.name for item in fields(EntityType)})
        label = self.text(stated, "label", "entities.label")
        where = f"entities.{label}"
        return EntityType(
            label=label,
            meaning=self.text(stated, "meaning", f"{where}.meaning", ""),
            guideline=self.text(stated, "guideline", f"{where}.guideline", ""),
            colour=self._colour(stated, where),
            key=self._key(stated, where),
            like=self.text(stated, "like", f"{where}.like", "") or None,
        )

    def relation_type(self, row: Any) -> RelationType:
        stated = self.table(row, "relations", {item.name for item in fields(RelationType)})
        label = self.text(stated, "label", "relations.label")
        where = f"relations.{label}"
        flags = {
            name: self.flag(stated, name, f"{where}.{name}")
            for name in ("symmetric", "functional", "one_way")
        }
        if flags["symmetric"] and flags["one_way"]:
            raise self.fail(f"{where}.one_way", "cannot be true of a symmetric relation")
        return RelationType(
            label=label,
            head=self.texts(stated, "head", f"{where}.head"),
            tail=self.texts(stated, "tail", f"{where}.tail"),
            **flags,
            meaning=self.text(stated, "meaning", f"{where}.meaning", ""),
            guideline=self.text(stated, "guideline", f"{where}.guideline", ""),
            key=self._key(stated, where),
        )

    def words(self, row: Any) -> WordRules:
        stated = self.table(row, "words", {item.name for item in fields(WordRules)})
        return WordRules(**{key: self.flag(stated, key, f"words.{key}") for key in stated})

    def files(self, row: Any) -> Files:
        stated = self.table(row, "files", {item.name for item in fields(Files)})
        lists = ("photos", "description_keys")
        values: dict[str, Any] = {key: self.texts(stated, key, f"files.{key}") for key in lists}
        return Files(
            **values | {key: self.text(stated, key, f"files.{key}") for key in stated.keys() - lists}
        )

    def example(self, row: Any) -> ExamplePost:
        stated = self.table(row, "examples", {item.name for item in fields(ExamplePost)})
        self.text(stated, "text", "examples.text")
        return ExamplePost(**{key: self.text(stated, key, f"examples.{key}") for key in stated})

    def published(self, row: Any) -> PublishedFigure:
        stated = self.table(row, "published", {item.name for item in fields(PublishedFigure)})
        figure = stated.get("figure")
        if type(figure) not in (int, float) or not 0 <= cast(float, figure) <= 100:
            raise self.fail("published.figure", f"is {quoted(figure)}; it takes a percentage")
        return PublishedFigure(
            system=self.text(stated, "system", "published.system"),
            figure=float(cast(float, figure)),
            measure=self.text(stated, "measure", "published.measure", "f1"),
            note=self.text(stated, "note", "published.note", ""),
        )

    # ------------------------------------------------------------ single values

    def table(self, values: Any, key: str, known: set[str]) -> Mapping[str, Any]:
        if not isinstance(values, Mapping):
            raise self.fail(key, f"is {quoted(values)}, not a table of keys and values")
        if unknown := sorted(map(str, values.keys() - known)):
            label = values.get("label")
            inside = [key] if key != "the record" else []
            inside += [label] if isinstance(label, str) else []
            raise self.fail(
                ".".join([*inside, unknown[0][:60]]), f"is not known; known: {', '.join(sorted(known))}"
            )
        return values

    def rows(self, stated: Mapping[str, Any], key: str) -> Sequence[Any]:
        values = stated.get(key, [])
        if not isinstance(values, list | tuple):
            raise self.fail(key, "is not a list")
        if len(values) > MOST_LABELS:
            raise self.fail(key, f"has {len(values):,} items; at most {MOST_LABELS} are read")
        return values

    def text(self, stated: Mapping[str, Any], name: str, key: str, default: str | None = None) -> str:
        value = stated.get(name, default)
        if value is None:
            raise self.fail(key, "is missing")
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            raise self.fail(key, f"is {quoted(value)}; it takes a text")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise self.fail(key, "holds half of a surrogate pair") from error
        return value

    def texts(self, stated: Mapping[str, Any], name: str, key: str) -> tuple[str, ...]:
        values = stated.get(name, ())
        values = (values,) if isinstance(values, str) else values
        if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
            raise self.fail(key, f"is {quoted(values)}; it takes a list of texts")
        return tuple(values)

    def flag(self, stated: Mapping[str, Any], name: str, key: str) -> bool:
        value = stated.get(name, False)
        if not isinstance(value, bool):
            raise self.fail(key, f"is {quoted(value)}; it takes true or false")
        return value

    def pairs(self, values: Any, key: str) -> tuple[tuple[str, str], ...]:
        items = list(values.items()) if isinstance(values, Mapping) else values
        if not isinstance(items, list | tuple) or not all(
            isinstance(item, list | tuple) and len(item) == 2 and all(isinstance(x, str) for x in item)
            for item in items
        ):
            raise self.fail(key, "is not a table of texts")
        return tuple((item[0], item[1]) for item in items)

    def _colour(self, stated: Mapping[str, Any], where: str) -> str | None:
        colour = self.text(stated, "colour", f"{where}.colour", "")
        if colour and not _COLOUR.fullmatch(colour):
            raise self.fail(f"{where}.colour", f"is {quoted(colour)}; it takes a colour such as #0072B2")
        return colour or None

    def _key(self, stated: Mapping[str, Any], where: str) -> str | None:
        key = self.text(stated, "key", f"{where}.key", "")
        if key and not (len(key) == 1 and key.isalpha()):
            raise self.fail(f"{where}.key", f"is {quoted(key)}; it takes one letter")
        if key.casefold() in DESK_KEYS:
            taken = ", ".join(sorted(DESK_KEYS))
            raise self.fail(f"{where}.key", f"is {quoted(key)}; the review desk has these letters: {taken}")
        return key or None

    def _check_labels(self, key: str, labels: Sequence[str]) -> None:
        """A label is one line of text that stands once, whatever its case."""
        seen: dict[str, str] = {}
        for label in labels:
            if not label.strip() or len(label) > LONGEST_LABEL or _CONTROLS.search(label):
                shown = label[:40] if label[:40].isprintable() else ascii(label[:40])
                raise self.fail(f"{key}.{shown}", f"is no label: one line, 1 to {LONGEST_LABEL} characters")
            earlier = seen.setdefault(label.casefold(), label)
            if earlier == label and list(labels).count(label) > 1:
                raise self.fail(f"{key}.{label}", "stands twice")
            if earlier != label:
                raise self.fail(
                    f"{key}.{label}",
                    f"and {quoted(earlier)} differ by letter case only: "
                    "keep one and map the other to it in [map]",
                )

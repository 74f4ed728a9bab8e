"""What a dataset is: its labels, how its authors split words, where its files lie. One frozen record.

A record is read from a ``dataset.toml`` (`mmdemo.datasets.toml_file`), travels as JSON in checkpoints, review
queues and answers (`mmdemo.datasets.records`), and is all that either package knows of a dataset: pickers,
colours, guidelines, metrics, formats and server checks read it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from mmdemo.types import InputError, quoted

Task = Literal["entities", "relations"]
TASKS: tuple[Task, ...] = ("entities", "relations")

#: Letters that the review desk has: accept, guidelines, relate, next, previous, reject, swap, undo.
DESK_KEYS = frozenset("aglnprsu")

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")


@dataclass(frozen=True, kw_only=True)
class EntityType:
    """A kind of entity. ``meaning`` is a few words for a legend, ``guideline`` a sentence for a reviewer.

    ``like`` names the common type that it is paired by with another dataset's (`Dataset.common_type`);
    ``colour`` (``#RRGGBB``) and ``key`` (a letter, none of `DESK_KEYS`) are dealt where they are not given.
    """

    label: str
    meaning: str = ""
    guideline: str = ""
    colour: str | None = None
    key: str | None = None
    like: str | None = None


@dataclass(frozen=True, kw_only=True)
class RelationType:
    """A kind of relation, from an entity whose label is in ``head`` to one in ``tail``; empty allows any.

    A ``symmetric`` one says the same from tail to head. Of a ``functional`` one a head has one tail at most
    (a place of birth); a ``one_way`` one cannot hold from tail to head too (a parent). Answers that break
    either are marked as contradicting each other (`mmdemo.answer.extract`).
    """

    label: str
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    symmetric: bool = False
    functional: bool = False
    one_way: bool = False
    meaning: str = ""
    guideline: str = ""
    key: str | None = None

    def fits(self, head: str | None, tail: str | None) -> bool:
        """Whether it may join two spans of these labels; None is a span without a label."""
        heads_fit = head is None or not self.head or head in self.head
        return heads_fit and (tail is None or not self.tail or tail in self.tail)


@dataclass(frozen=True, kw_only=True)
class WordRules:
    """How the dataset's authors parted words: ``#NBA`` as one word or two, ``it's`` at the clitic or not.

    ``split_clitics`` keeps "'s" and "n't" as words of their own; else the apostrophe is one.
    """

    split_hashtags: bool = False
    split_clitics: bool = False


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where the splits lie, relative to the data folder, and in which format.

    ``photos`` are folders that may hold them, in order of preference; ``{split}`` stands for a split's name.
    ``descriptions`` is a file of what the photos show, in words (`mmdemo.formats.descriptions`), of which
    ``description_keys`` are read; without any, all that are texts.
    """

    format: str = ""
    train: str = ""
    valid: str = ""
    test: str = ""
    photos: tuple[str, ...] = ()
    descriptions: str = ""
    description_keys: tuple[str, ...] = ()

    def of(self, split: str) -> str:
        """The file of a split; "" where there is none. Raises InputError for an unknown split."""
        if split not in SPLITS:
            raise InputError(f"unknown split {quoted(split)}; known: {', '.join(SPLITS)}")
        return {"train": self.train, "valid": self.valid, "test": self.test}[split]


@dataclass(frozen=True, kw_only=True)
class ExamplePost:
    """A post to try. ``photo`` is a path beside the record, or ``package:NAME/path`` inside a package."""

    text: str
    photo: str = ""
    title: str = ""
    alt: str = ""
    credit: str = ""


@dataclass(frozen=True, kw_only=True)
class PublishedFigure:
    """What a paper reports on the dataset's test split, in percent.

    ``measure``: ``f1`` is the field's (entity-level, or micro without ``none``), ``accuracy`` counts O too.
    """

    system: str
    figure: float
    measure: str = "f1"
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset. ``entities`` and ``relations`` are in the order of the heads' outputs.

    ``none`` is the label of a pair without a relation, output 0 of a relation head. ``label_map`` gives
    labels in files another name; "" leaves them out (and they are counted). ``borrow`` names a dataset whose
    relations a reviewer may add to these posts. ``start`` names the dataset whose trunk training starts from.
    ``source`` says whose the data are and where they are from, for cards of what was trained on them. A page
    starts with the ``default`` dataset of a task; that makes it no other dataset.
    """

    name: str
    title: str
    tasks: tuple[Task, ...]
    language: str = "en"
    default: bool = field(default=False, compare=False)
    words: WordRules = field(default_factory=WordRules)
    files: Files = field(default_factory=Files)
    entities: tuple[EntityType, ...] = ()
    relations: tuple[RelationType, ...] = ()
    none: str = "None"
    label_map: tuple[tuple[str, str], ...] = ()
    examples: tuple[ExamplePost, ...] = ()
    published: tuple[PublishedFigure, ...] = ()
    borrow: str = ""
    start: str = ""
    source: str = ""

    @property
    def has_entities(self) -> bool:
        """Whether its models find entities."""
        return "entities" in self.tasks

    @property
    def has_relations(self) -> bool:
        """Whether its models find relations."""
        return "relations" in self.tasks

    @cached_property
    def entity_labels(self) -> tuple[str, ...]:
        return tuple(kind.label for kind in self.entities)

    @cached_property
    def relation_labels(self) -> tuple[str, ...]:
        """The classes of a relation head: ``none`` first. Empty where no relation is known."""
        return (self.none, *(kind.label for kind in self.relations)) if self.relations else ()

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The classes of an entity head: O, then B-X and I-X of each entity label."""
        return ("O", *(f"{prefix}-{label}" for label in self.entity_labels for prefix in "BI"))

    def outputs(self, task: Task) -> tuple[str, ...]:
        """What a head for the task scores, in index order."""
        return self.tags if task == "entities" else self.relation_labels

    def entity_type(self, label: str) -> EntityType | None:
        return next((kind for kind in self.entities if kind.label == label), None)

    def relation_type(self, label: str) -> RelationType | None:
        return next((kind for kind in self.relations if kind.label == label), None)

    def relations_between(self, head: str | None, tail: str | None) -> tuple[str, ...]:
        """The relations from a span labelled ``head`` to one labelled ``tail``; None is one without a label.

        `none` always fits.
        """
        fitting = [kind.label for kind in self.relations if kind.fits(head, tail)]
        return (self.none, *fitting) if self.relations else ()

    def common_type(self, label: str) -> str:
        """What an entity label is called across datasets: its ``like``, else itself in lower case."""
        kind = self.entity_type(label)
        return (kind.like if kind and kind.like else label).casefold()

    def with_relations_of(self, other: "Dataset") -> "Dataset":
        """This dataset's entities with another's relations, whose types are paired by `common_type`.

        A relation whose head or tail has no counterpart here is left out.
        """
        kept = []
        for kind in other.relations:
            ends = [self._counterparts(other, labels) for labels in (kind.head, kind.tail)]
            if all(ours or not theirs for ours, theirs in zip(ends, (kind.head, kind.tail), strict=True)):
                kept.append(replace(kind, head=ends[0], tail=ends[1]))
        return replace(self, relations=tuple(kept), none=other.none)

    def _counterparts(self, other: "Dataset", labels: Iterable[str]) -> tuple[str, ...]:
        wanted = {other.common_type(label) for label in labels}
        return tuple(label for label in self.entity_labels if self.common_type(label) in wanted)


def readable(label: str) -> str:
    """A label in words: ``/per/org/member_of`` -> "member of", ``part-of`` -> "part of"."""
    return label.rsplit("/", 1)[-1].replace("_", " ").replace("-", " ").strip() or label

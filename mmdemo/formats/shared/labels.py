"""A file's labels held against a dataset's record: renamed, and known, or an error."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from operator import is_
from pathlib import Path
from typing import Literal, TypeVar

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.types import Entity, InputError, Post, Question, Relation, Stated, quoted

Kind = Literal["entity", "relation"]
Labelled = TypeVar("Labelled", Entity, Relation)

#: Labels named in one message.
NAMED = 5
ALLOWED = 30


def fit_labels(
    rows: Iterable[Question], dataset: Dataset | None, path: str, left: LeftOut
) -> Iterator[Question]:
    """The rows with the labels as the dataset calls them; None takes any label as it is.

    Where the record knows no label of a kind at all, what the file states of that kind is left out; so is a
    label that it does not know where ``left`` skips damaged rows, as `Fitting.told` says.

    Raises:
        InputError: labels that the record does not know: which, how often, which it knows, and what to do.
    """
    if dataset is None and not left.names:
        yield from rows
        return
    fitting = Fitting(dataset, left, path)
    yield from map(fitting.question, rows)
    fitting.finish()


class Fitting:
    """One file's labels on their way to a dataset's."""

    def __init__(self, dataset: Dataset | None, left: LeftOut, path: str) -> None:
        own = dict(dataset.label_map) if dataset else {}
        self.names: Mapping[str, str] = {**own, **left.names}
        self.allowed: dict[Kind, tuple[str, ...]] = {
            "entity": dataset.entity_labels if dataset else (),
            "relation": dataset.relation_labels if dataset else (),
        }
        self.title = dataset.title if dataset else ""
        self.any = dataset is None
        self.unknown: dict[Kind, Counter[str]] = {"entity": Counter(), "relation": Counter()}
        self.known: Counter[Kind] = Counter()
        self.left, self.path = left, path
        self._found: dict[tuple[Kind, str], str | None] = {}

    def question(self, row: Question) -> Question:
        """A row with the labels as the dataset calls them."""
        post, reviews = self.post(row.post), self.reviews(row)
        return row if post is row.post and not reviews else replace(row, post=post, reviews=reviews)

    def becomes(self, kind: Kind, label: str) -> str | None:
        """What a label is called: "" where it is left out, None where it is not known."""
        return self._name(kind, label, count=False) if self.any or self.allowed[kind] else ""

    def post(self, post: Post) -> Post:
        entities = post.entities and self._fitted("entity", post.entities)
        relations = post.relations and self._fitted("relation", post.relations)
        tags = post.tags and tuple(self._tag(tag) for tag in post.tags)
        if entities is post.entities and relations is post.relations and not tags:
            return post
        return replace(post, entities=entities, relations=relations, tags=tags)

    def reviews(self, row: Question) -> tuple[Stated, ...]:
        return tuple(
            replace(
                one,
                entities=self._fitted("entity", one.entities),
                relations=self._fitted("relation", one.relations),
            )
            for one in row.reviews
        )

    def finish(self) -> None:
        """Refuse unknown labels, or tell of them.

        A file of which no label at all is known is refused in any case: it needs a map first.
        """
        kinds: tuple[Kind, ...] = ("entity", "relation")
        for kind in kinds:
            unknown = self.unknown[kind]
            if not unknown:
                continue
            if not self.left.skip or not self.known[kind]:
                raise InputError(self._says(kind))
            for label, count in unknown.items():
                self.left.counts[f"{kind} label {quoted(label)}, which {self.title} does not know"] += count
            self.left.note(f"{self._says(kind)}; these labels were left out")

    def _fitted(self, kind: Kind, stated: tuple[Labelled, ...]) -> tuple[Labelled, ...]:
        found = []
        for item in stated:
            label = self._name(kind, item.label)
            if label == "":
                by = "--map" if item.label in self.left.names else "[map]"
                self.left.pass_over(f"{kind} label {quoted(item.label)}, by {by}")
            elif label is not None:
                self.known[kind] += 1
                found.append(item if label == item.label else replace(item, label=label))
            elif self.allowed[kind]:
                self.unknown[kind][item.label] += 1
            else:
                self.left.refuse(f"{kind} labels, of which {self.title} has none", self.path)
        same = len(found) == len(stated) and all(map(is_, found, stated))
        return stated if same else tuple(found)

    def _name(self, kind: Kind, label: str, *, count: bool = True) -> str | None:
        """The dataset's name for a label: "" to leave it out, None where it has none."""
        key = (kind, label)
        if key not in self._found:
            given = self.names.get(label, label)
            if given and not self.any and given not in self.allowed[kind]:
                self._found[key] = alike(given, self.allowed[kind]) if self.left.guess else None
            else:
                self._found[key] = given
        name = self._found[key]
        if count and name and name != label:
            self.left.renamed[label, name] += 1
        return name

    def _tag(self, tag: str) -> str:
        prefix, dash, label = tag.partition("-")
        name = self._found.get(("entity", label), label)
        return f"{prefix}-{name}" if dash and name else "O"

    def _says(self, kind: Kind) -> str:
        """Which labels are unknown, which are known, and what to do."""
        unknown, allowed = self.unknown[kind], self.allowed[kind]
        named = ", ".join(f"{quoted(label)} ({times(n)})" for label, n in unknown.most_common(NAMED))
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        others = f" and {len(allowed) - ALLOWED} more" if len(allowed) > ALLOWED else ""
        label = unknown.most_common(1)[0][0]
        key, to = (json.dumps(text, ensure_ascii=False) for text in (label[:60], allowed[-1]))
        how = f"by --map {label[:60]}={allowed[-1]}, or " if self.left.skip or self.left.guess else ""
        return (
            f"{self.path} has the unknown {kind} label{'s' if len(unknown) > 1 else ''} {named}{more}; "
            f"{self.title} knows {', '.join(allowed[:ALLOWED])}{others}. Add it to dataset.toml, or give it "
            f'another name {how}there under [map], such as {key} = {to} ("" leaves it out)'
        )


def alike(label: str, allowed: Sequence[str]) -> str | None:
    """The one known label that says the same as an unknown one: in other letters, or by a common name."""
    plain = _plain(label)
    same = [name for name in allowed if _plain(name) == plain]
    if len(same) == 1:
        return same[0]
    group = _groups().get(plain)
    found = [name for name in allowed if group is not None and _groups().get(_plain(name)) == group]
    return found[0] if len(found) == 1 else None


def _plain(label: str) -> str:
    return "".join(character for character in label.casefold() if character.isalnum())


@cache
def _groups() -> dict[str, str]:
    """The group of each common name of a label, from label_names.toml."""
    with Path(__file__).with_name("label_names.toml").open("rb") as file:
        groups = tomllib.load(file)
    return {_plain(name): group for group, names in groups.items() for name in names}


def times(count: int) -> str:
    """How often, in words."""
    return "once" if count == 1 else f"{count:,} times"


def read_names(given: Sequence[str]) -> dict[str, str]:
    """The person's names for labels, as ``OLD=NEW``; an empty ``NEW`` leaves it out.

    Raises:
        InputError: there is no sign of equality, or nothing before it.
    """
    names = dict[str, str]()
    for one in given:
        old, equals, new = one.rpartition("=")
        if not equals or not old:
            raise InputError(f"{quoted(one)} is not OLD=NEW, such as PERSON=person")
        names[old.strip()] = new.strip()
    return names

"""A file's labels held against a dataset's record: renamed by its ``[map]``, and known, or an error."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.types import Entity, InputError, Post, Question, Relation, quoted

Kind = Literal["entity", "relation"]
Labelled = TypeVar("Labelled", Entity, Relation)

#: Labels named in one message.
NAMED = 5
ALLOWED = 30


def fit_labels(rows: Sequence[Question], dataset: Dataset | None, path: str, left: LeftOut) -> list[Question]:
    """The rows with the labels as the dataset calls them; None takes any label as it is.

    Where the record knows no label of a kind at all, what the file states of that kind is left out.

    Raises:
        InputError: labels that the record does not know: which, how often, which it knows, and what to do.
    """
    if dataset is None:
        return list(rows)
    fitting = _Fitting(dataset, left, path)
    fitted = [replace(row, post=fitting.post(row.post)) for row in rows]
    for kind in ("entity", "relation"):
        if unknown := fitting.unknown[kind]:
            raise InputError(_unknown(dataset, kind, unknown, fitting.allowed[kind], path))
    return fitted


class _Fitting:
    """One file's labels on their way to a dataset's."""

    def __init__(self, dataset: Dataset, left: LeftOut, path: str) -> None:
        self.names: Mapping[str, str] = dict(dataset.label_map)
        self.allowed: dict[Kind, tuple[str, ...]] = {
            "entity": dataset.entity_labels,
            "relation": dataset.relation_labels,
        }
        self.title = dataset.title
        self.unknown: dict[Kind, Counter[str]] = {"entity": Counter(), "relation": Counter()}
        self.left, self.path = left, path

    def post(self, post: Post) -> Post:
        entities = post.entities and self._fitted("entity", post.entities)
        relations = post.relations and self._fitted("relation", post.relations)
        tags = post.tags and tuple(self._tag(tag) for tag in post.tags)
        return replace(post, entities=entities, relations=relations, tags=tags)

    def _fitted(self, kind: Kind, stated: tuple[Labelled, ...]) -> tuple[Labelled, ...]:
        found = []
        for item in stated:
            label = self.names.get(item.label, item.label)
            if not label:
                self.left.pass_over(f"{kind} label {quoted(item.label)}, by [map]")
            elif label in self.allowed[kind]:
                found.append(item if label == item.label else replace(item, label=label))
            elif self.allowed[kind]:
                self.unknown[kind][item.label] += 1
            else:
                self.left.refuse(f"{kind} labels, of which {self.title} has none", self.path)
        return tuple(found)

    def _tag(self, tag: str) -> str:
        prefix, dash, label = tag.partition("-")
        label = self.names.get(label, label)
        return f"{prefix}-{label}" if dash and label else "O"


def _unknown(dataset: Dataset, kind: Kind, unknown: Counter[str], allowed: Sequence[str], path: str) -> str:
    named = ", ".join(f"{quoted(label)} ({times(n)})" for label, n in unknown.most_common(NAMED))
    more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
    others = f" and {len(allowed) - ALLOWED} more" if len(allowed) > ALLOWED else ""
    label = unknown.most_common(1)[0][0]
    key, to = (json.dumps(text, ensure_ascii=False) for text in (label[:60], allowed[-1]))
    return (
        f"{path} has the unknown {kind} label{'s' if len(unknown) > 1 else ''} {named}{more}; "
        f"{dataset.title} knows {', '.join(allowed[:ALLOWED])}{others}. Add it to dataset.toml, or give it "
        f'another name there under [map], such as {key} = {to} ("" leaves it out)'
    )


def times(count: int) -> str:
    """How often, in words."""
    return "once" if count == 1 else f"{count:,} times"

"""A post's spans <-> named marks in a text's characters and links between them, as annotation tools have."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmdemo.formats.shared.offsets import characters, entity_at, words
from mmdemo.types import Entity, InputError, Post, Relation, Span


@dataclass(frozen=True, kw_only=True)
class Region:
    """A mark from character ``start`` to ``end``; ``label`` is None where a relation needs it alone."""

    number: int  # from 1, in the order of the post
    start: int
    end: int
    label: str | None


@dataclass(frozen=True, kw_only=True)
class Link:
    """A relation between two regions, by their numbers."""

    head: int
    tail: int
    label: str


def regions_of(post: Post, places: Sequence[Span]) -> tuple[list[Region], list[Link]]:
    """A post's entities as regions, then further ones that its relations need; and the links."""
    regions = list[Region]()
    numbers = dict[Span, int]()

    def add(span: Span, label: str | None) -> None:
        start, end = characters(places, span)
        numbers[span] = len(regions) + 1
        regions.append(Region(number=numbers[span], start=start, end=end, label=label))

    for entity in post.entities or ():
        add((entity.start, entity.end), entity.label)
    for relation in post.relations or ():
        for span in (relation.head, relation.tail):
            if span not in numbers:
                add(span, None)
    links = [
        Link(head=numbers[relation.head], tail=numbers[relation.tail], label=relation.label)
        for relation in post.relations or ()
    ]
    return regions, links


@dataclass(kw_only=True)
class Marked:
    """What a file marks in one text, collected mark by mark."""

    places: Sequence[Span]
    tokens: Sequence[str]
    spans: dict[Hashable, Span] = field(default_factory=dict)
    entities: list[Entity] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)

    def mark(self, name: Hashable, start: Any, end: Any, label: str | None, where: str) -> None:
        """A mark, widened to whole words. Raises InputError where no word is."""
        span = self.spans[name] = words(self.places, start, end, where)
        if label is not None:
            self.entities.append(entity_at(span, label, self.tokens))

    def link(self, head: Hashable, tail: Hashable, label: str, where: str) -> None:
        """A relation between two marks. Raises InputError where one of them is not there."""
        if head not in self.spans or tail not in self.spans:
            raise InputError(f"{where} is not a relation between two spans that are marked")
        self.relations.append(Relation(head=self.spans[head], tail=self.spans[tail], label=label))

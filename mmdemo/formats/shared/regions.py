"""A post's spans <-> named marks in a text's characters and links between them, as annotation tools have."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mmdemo.formats.shared.counting import Mark, only_place, places_of
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.offsets import characters, entity_at, parted, words
from mmdemo.types import Entity, InputError, Post, Relation, Span, Stated, quoted


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


@dataclass(frozen=True, kw_only=True)
class Named:
    """A mark that waits for its place: what ``who`` calls it, its label (None: no entity) and score."""

    name: Hashable
    mark: Mark
    label: str | None
    where: str
    who: str = ""
    score: float | None = None

    @property
    def key(self) -> Hashable:
        return self.who, self.name


@dataclass(frozen=True, kw_only=True)
class NamedLink:
    """A relation between two marks of one person."""

    head: Hashable
    tail: Hashable
    label: str
    where: str
    who: str = ""


@dataclass(kw_only=True)
class Marked:
    """What a file marks in one text, collected mark by mark; `finish` then gives the post.

    ``places`` are the words' in ``text``, which the marks count. With ``own`` the words were parted by this
    program, and a mark that stands within one parts it further; stated words are marked as a whole. Several
    people may have marked the text: each by a name, ``who``.
    """

    post: Post
    text: str
    places: Sequence[Span]
    left: LeftOut
    own: bool = False
    marks: list[Named] = field(default_factory=list)
    links: list[NamedLink] = field(default_factory=list)
    _spans: dict[Hashable, Span] = field(default_factory=dict)

    def mark(
        self,
        name: Hashable,
        start: Any,
        end: Any,
        label: str | None,
        where: str,
        *,
        stated: Any = None,
        score: float | None = None,
        who: str = "",
    ) -> None:
        """A mark; ``stated`` is the text that the file says it marks."""
        text = stated if isinstance(stated, str) and stated.strip() else None
        mark = Mark(start=start, end=end, text=text)
        self.marks.append(Named(name=name, mark=mark, label=label, where=where, score=score, who=who))

    def link(self, head: Hashable, tail: Hashable, label: str, where: str, who: str = "") -> None:
        """A relation between two marks."""
        self.links.append(NamedLink(head=head, tail=tail, label=label, where=where, who=who))

    def finish(self, who: str = "", *, entities: bool = True, relations: bool = True) -> Post:
        """The post with one person's entities and relations (each None where that is not stated).

        Raises:
            InputError: a mark where no word is or (unless that is left out and told) another text than it
                states; or a relation between spans that are not marked.
        """
        found = self._found()
        if self.own:
            cuts = {end for place in found.values() for end in place}
            tokens, places = parted(self.text, self.post.tokens, self.places, cuts)
            self.post = replace(self.post, tokens=tokens, offsets=tuple(places))
            self.places = places
        for one in self.marks:
            if one.key in found:
                self._spans[one.key] = self._span(one, found[one.key])
        stated = self.stated(who)
        return replace(
            self.post,
            entities=stated.entities if entities else None,
            relations=stated.relations if relations else None,
        )

    def stated(self, who: str) -> Stated:
        """What one person states, once the marks are finished."""
        marked = list[Entity]()
        for one in self.marks:
            if one.who == who and one.label is not None and one.key in self._spans:
                entity = entity_at(self._spans[one.key], one.label, self.post.tokens)
                marked.append(entity if one.score is None else replace(entity, score=one.score))
        return Stated(
            reviewer=who, entities=tuple(dict.fromkeys(marked)), relations=tuple(self._relations(who))
        )

    def _span(self, one: Named, place: Span) -> Span:
        span = words(self.places, *place, one.where)
        first, last = characters(self.places, span)
        if self.text[first : place[0]].strip() or self.text[place[1] : last].strip():
            self.left.note("marks on a part of a stated word: the whole word was taken")
        return span

    def _found(self) -> dict[Hashable, Span]:
        """Each mark's characters, in whatever units the file counts them."""
        marks = [one.mark for one in self.marks]
        places, unit = places_of(self.text, marks, self.places)
        if unit:
            self.left.note(f"places counted in {unit}: they were converted")
        found = dict[Hashable, Span]()
        for one, place in zip(self.marks, places, strict=True):
            if place is None and one.mark.text is not None:
                place = self._disagrees(one)
                if place is None:
                    continue
            if place is None:
                words(self.places, one.mark.start, one.mark.end, one.where)  # says what is wrong
                place = (one.mark.start, min(one.mark.end, len(self.text)))
            found[one.key] = place
        return found

    def _disagrees(self, one: Named) -> Span | None:
        """A mark whose stated text stands elsewhere: there, where it stands once; else it is left out."""
        place = only_place(self.text, one.mark)
        if place is not None:
            self.left.note("places at which another text stands than stated: the stated text was taken")
            return place
        self.left.refuse(f"a mark of {quoted(one.mark.text)} where another text stands", one.where)
        return None

    def _relations(self, who: str) -> Iterator[Relation]:
        named = {one.key for one in self.marks}
        for link in self.links:
            if link.who != who:
                continue
            ends = (who, link.head), (who, link.tail)
            if not set(ends) <= named:
                raise InputError(f"{link.where} is not a relation between two spans that are marked")
            if set(ends) <= set(self._spans):
                head, tail = (self._spans[end] for end in ends)
                yield Relation(head=head, tail=tail, label=link.label)
            else:
                self.left.pass_over("relations of marks that were left out")

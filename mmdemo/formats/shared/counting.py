"""In which units a file counts the characters of a text, where what it says of them tells.

Python, brat, spaCy and doccano count code points; JavaScript counts UTF-16 units, of which an emoji has two;
some count bytes, or a Windows line end as one character. A mark that states its own text shows which.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from mmdemo.types import Span


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What a file marks, from ``start`` to ``end`` in its own units; ``text`` is what it says is there."""

    start: Any
    end: Any
    text: str | None = None


Place = Callable[[int], int | None]


def places_of(text: str, marks: Sequence[Mark], words: Sequence[Span] = ()) -> tuple[list[Span | None], str]:
    """Each mark's place in code points, None where another text stands there; and the units, "" for those.

    Without stated texts, units count as other ones where the marks fit words (``words``) in those alone.
    """
    first = _in_units(text, marks, _points(text))
    best, best_name = first, ""
    for name, unit in _UNITS.items():
        if name and not _differs(name, text):
            continue
        found = _in_units(text, marks, unit(text)) if name else first
        if all(found) and _fits(found, marks, words):
            return found, name
        if all(found) and not all(best):
            best, best_name = found, name
    return best, best_name


def only_place(text: str, mark: Mark) -> Span | None:
    """Where the text that a mark states stands, if it does just once."""
    if not mark.text or text.count(mark.text) != 1:
        return None
    start = text.index(mark.text)
    return start, start + len(mark.text)


def _differs(name: str, text: str) -> bool:
    """Whether a text counts otherwise in these units."""
    if name == "lines":
        return "\r\n" in text
    return not text.isascii() and (name == "bytes" or any(ord(character) > 0xFFFF for character in text))


def _in_units(text: str, marks: Sequence[Mark], place: Place) -> list[Span | None]:
    found: list[Span | None] = []
    for mark in marks:
        span = None
        if type(mark.start) is int and type(mark.end) is int and 0 <= mark.start < mark.end:
            start, end = place(mark.start), place(mark.end)
            if start is not None and end is not None and start < end <= len(text):
                span = (start, end) if mark.text is None or _same(text[start:end], mark.text) else None
        found.append(span)
    return found


def _fits(found: Sequence[Span | None], marks: Sequence[Mark], words: Sequence[Span]) -> bool:
    """Whether the marks state their texts, or start and end where words do."""
    if any(mark.text is not None for mark in marks) or not words:
        return True
    starts, ends = {start for start, _ in words}, {end for _, end in words}
    return all(place and place[0] in starts and place[1] in ends for place in found)


def _same(one: str, other: str) -> bool:
    """Whether two texts are the same but for white space, which brat and browsers change."""
    return one == other or one.split() == other.replace("\\n", " ").split()


def _points(text: str) -> Place:
    return lambda at: at


def _table(lengths: Sequence[int]) -> Place:
    """The place of each unit's number, by how many units each character has."""
    places = {units: place for place, units in enumerate(accumulate(lengths, initial=0))}
    return places.get


def _utf16(text: str) -> Place:
    return _table([1 + (ord(character) > 0xFFFF) for character in text])


def _bytes(text: str) -> Place:
    return _table([len(character.encode("utf-8", "surrogatepass")) for character in text])


def _lines(text: str) -> Place:
    return _table([0 if text.startswith("\r\n", at) else 1 for at in range(len(text))])


_UNITS: dict[str, Callable[[str], Place]] = {
    "": _points,
    "UTF-16 units": _utf16,
    "bytes": _bytes,
    "lines": _lines,
}

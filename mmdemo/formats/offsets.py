"""Words <-> characters, for formats that place spans in a text: the words parted by single blanks.

Offsets count code points, as Python, brat, spaCy and (since 2021) Label Studio do.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from mmdemo.types import InputError, Span


def joined(tokens: Sequence[str]) -> tuple[str, list[Span]]:
    """The text, and where each word stands in it."""
    places, at = [], 0
    for token in tokens:
        places.append((at, at + len(token)))
        at += len(token) + 1
    return " ".join(tokens), places


def characters(places: Sequence[Span], span: Span) -> Span:
    """Character offsets of a span of words."""
    return places[span[0]][0], places[span[1] - 1][1]


def words(places: Sequence[Span], start: Any, end: Any, where: str) -> Span:
    """The span of all words that the characters touch: a person may have marked a part of one.

    Raises:
        InputError: no numbers, or no word there.
    """
    if type(start) is int and type(end) is int and 0 <= start < end:
        first = bisect_right([stop for _, stop in places], start)
        last = bisect_left([begin for begin, _ in places], end)
        if first < last:
            return first, last
    raise InputError(f"{where} marks the characters {str(start)[:20]}-{str(end)[:20]}, where no word is")

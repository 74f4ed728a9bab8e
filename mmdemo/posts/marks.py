"""Marks around the two entities of a relation question.

Such as ``[E1] Lauren Bacall [/E1] … [E2] Key Largo [/E2]``.
"""

import re
from dataclasses import dataclass

from mmdemo.datasets.schema import WordRules
from mmdemo.posts.words import Words, split_words
from mmdemo.types import InputError, Pair, Span

MARKS = ("[E1]", "[/E1]", "[E2]", "[/E2]")

_MARK = re.compile(r"\[/?E[12]\]")


@dataclass(frozen=True, kw_only=True)
class MarkedWords(Words):
    """The words of a text without its marks, and the pair that these mark; places count the marks too."""

    pair: Pair


def read_marks(text: str, rules: WordRules) -> MarkedWords:
    """Words and pair of a text with ``[E1]…[/E1]`` and ``[E2]…[/E2]``, in either order; they may nest and
    overlap.

    Raises:
        InputError: a mark is missing, doubled, unbalanced, or holds no word, or both hold the same.
    """
    tokens: list[str] = []
    offsets: list[Span] = []
    places: dict[str, int] = {}
    opened = set[str]()
    at = 0
    for piece in re.split(r"(\[/?E[12]\])", text):
        if piece in MARKS:
            _note_mark(piece, places, opened, len(tokens))
        else:
            words = split_words(piece, rules)
            tokens += words.tokens
            offsets += [(at + start, at + end) for start, end in words.offsets]
        at += len(piece)
    if missing := [mark for mark in MARKS if mark not in places]:
        raise InputError(
            f"{', '.join(missing)} missing: mark the head as [E1]…[/E1] and the tail as [E2]…[/E2]"
        )
    head, tail = (places["[E1]"], places["[/E1]"]), (places["[E2]"], places["[/E2]"])
    for name, (start, end) in (("[E1]", head), ("[E2]", tail)):
        if start == end:
            raise InputError(
                f"{name} marks no word; put at least one word between {name} and its closing mark"
            )
    if head == tail:
        raise InputError("[E1] and [E2] mark the same words; a relation joins two")
    return MarkedWords(tokens=tuple(tokens), offsets=tuple(offsets), pair=Pair(head=head, tail=tail))


def _note_mark(mark: str, places: dict[str, int], opened: set[str], word: int) -> None:
    """Remember where a mark stands. Raises InputError where it does not fit those before it."""
    if mark in places:
        raise InputError(f"{mark} stands twice; mark exactly one head [E1]…[/E1] and one tail [E2]…[/E2]")
    places[mark] = word
    if "/" not in mark:
        opened.add(mark)
    elif mark.replace("/", "") not in opened:
        raise InputError(f"{mark} closes a mark that is not open")


def has_marks(text: str) -> bool:
    """Whether the text holds any of the four marks."""
    return bool(_MARK.search(text))

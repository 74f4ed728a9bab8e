"""How a file is read, and what became of it: what a post cannot hold, rows that are damaged, what was cut.

A reader refuses, or tells; it drops nothing without a word.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from mmdemo.types import InputError

Item = TypeVar("Item")
Found = TypeVar("Found")

#: Sentences of damaged rows that are kept; the others are counted.
KEPT = 100


@dataclass(kw_only=True)
class LeftOut:
    """Counts by what was left out, such as "discontinuous entities". ``strict`` refuses instead.

    ``shortened`` counts what is there, but not to its end, and ``notes`` how the file was understood: both
    are told, and never refused. ``skip`` leaves damaged rows out: ``damaged`` counts them, ``sentences`` says
    what is wrong with the first. ``names`` gives labels another name; with ``guess`` those that a dataset
    does not know get the name that it has for the same (`shared.labels`), as ``renamed`` tells.
    """

    strict: bool = True
    skip: bool = False
    guess: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    shortened: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    renamed: Counter[tuple[str, str]] = field(default_factory=Counter)
    damaged: int = 0
    sentences: list[str] = field(default_factory=list)

    def refuse(self, what: str, where: str) -> None:
        """Leave something out that a reader misses. Raises InputError where ``strict``."""
        if self.strict:
            raise InputError(f"{where} holds {what}, which cannot be read")
        self.counts[what] += 1

    def pass_over(self, what: str, times: int = 1) -> None:
        """Leave something out that no post is about, or that the person asked to leave out."""
        self.counts[what] += times

    def cut(self, what: str) -> None:
        """Something too long was read up to its bound."""
        self.shortened[what] += 1

    def note(self, what: str) -> None:
        """Something was read otherwise than it stands there."""
        self.notes[what] += 1

    def damage(self, error: InputError) -> None:
        """Leave a row out. Raises ``error`` unless damaged rows are to be skipped."""
        if not self.skip:
            raise error
        self.damaged += 1
        if len(self.sentences) < KEPT:
            self.sentences.append(str(error))

    def each(self, items: Iterable[Item], read: Callable[[Item], Found]) -> Iterator[Found]:
        """What ``read`` makes of each item; one that it cannot read is damaged."""
        for item in items:
            try:
                found = read(item)
            except InputError as error:
                self.damage(error)
                continue
            yield found

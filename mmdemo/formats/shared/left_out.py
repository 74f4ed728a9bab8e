"""What a file holds and a post cannot: refused or counted, never silently dropped; and what was cut short."""

from collections import Counter
from dataclasses import dataclass, field

from mmdemo.types import InputError


@dataclass(kw_only=True)
class LeftOut:
    """Counts by what was left out, such as "discontinuous entities". ``strict`` refuses instead.

    ``shortened`` counts what is there, but not to its end: that is told, and never refused.
    """

    strict: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    shortened: Counter[str] = field(default_factory=Counter)

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

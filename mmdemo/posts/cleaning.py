"""SPEC §2's cleaning of words: an option that keeps every word's place."""

import re
import unicodedata
from collections.abc import Sequence
from typing import overload

from mmdemo.types import Span

#: Characters of one word that are looked at: as many as `WORD_LIMIT` of the longest sub-tokens hold.
WORD_CHARACTERS = 4096

_URL = re.compile(r"(?:https?:?/?/?\S*|www\.\S+|/?/t(?:\.co\S*)?|co/\w+|ht+p?…)$", re.IGNORECASE)
_REPEATS = re.compile(r"([^\W\d])\1{2,}|([^\w\s])\2+")


class CleanWords(Sequence[str]):
    """The words, each cleaned when it is looked at: of a text of 100,000, a model reads 126.

    One string for each word, "" for a dropped one, so that indices and tags stay aligned. Words inside
    ``keep`` (gold entities when training, the marked pair always) are never dropped.
    """

    def __init__(self, words: Sequence[str], keep: Sequence[Span] = ()) -> None:
        self._words, self._keep = words, keep

    def __len__(self) -> int:
        return len(self._words)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        kept = any(start <= place < end for start, end in self._keep)
        return _clean(self._words[place][:WORD_CHARACTERS], droppable=not kept)


def _clean(word: str, *, droppable: bool) -> str:
    if _URL.match(word):
        return "" if droppable else word
    if droppable and _is_symbol(word):
        return ""
    return _REPEATS.sub(lambda m: m[1] * 2 if m[1] else m[2], word)


def _is_symbol(word: str) -> bool:
    """Emoji and symbols, but not punctuation, which carries sentence structure (nor # and @)."""
    return all(unicodedata.category(c) in _SYMBOLS or c in "_*|~^" for c in word)


_SYMBOLS = frozenset(("So", "Sk", "Cn", "Co", "Cs", "Cf", "Cc", "Mn", "Me", "Zs"))

"""SPEC §2's cleaning of words: an option that keeps every word's place."""

import re
import unicodedata
from collections.abc import Sequence

from mmdemo.types import Span

_URL = re.compile(r"(?:https?:?/?/?\S*|www\.\S+|/?/t(?:\.co\S*)?|co/\w+|ht+p?…)$", re.IGNORECASE)
_REPEATS = re.compile(r"([^\W\d])\1{2,}|([^\w\s])\2+")


def clean_words(words: Sequence[str], keep: Sequence[Span] = ()) -> list[str]:
    """SPEC §2's cleaning: drop links, emoji and stray symbols; shorten repeated characters.

    Returns one string for each word, "" for a dropped one, so that indices and tags stay aligned. Words
    inside ``keep`` (gold entities when training, the marked pair always) are never dropped.
    """
    kept = {i for start, end in keep for i in range(start, end)}
    return [_clean(word, droppable=i not in kept) for i, word in enumerate(words)]


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

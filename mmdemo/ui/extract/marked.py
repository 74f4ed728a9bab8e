"""A post's text with marks around one pair, or around none. Pure."""

import re

from mmdemo.types import InputError, Span

_MARK = re.compile(r"\[/?E[12]\]")


def unmarked(text: str) -> str:
    """The text without marks; words that only a mark parted stay apart."""
    out = ""
    for piece in _MARK.split(text):
        apart = not out or not piece or out[-1].isspace() or piece[0].isspace()
        out += piece if apart else f" {piece}"
    return out if _MARK.search(text) else text


def marked(text: str, head: Span, tail: Span) -> str:
    """The text with marks around head and tail alone, which are places among its characters.

    Raises:
        InputError: the two overlap; a question about one pair cannot say so in its text.
    """
    if head[0] < tail[1] and tail[0] < head[1]:
        raise InputError("these two overlap, which the marks of a single question cannot say; choose others")
    first, second = sorted([(*head, "E1"), (*tail, "E2")])
    (a, b, one), (c, d, two) = first, second
    return (
        f"{unmarked(text[:a])}[{one}] {unmarked(text[a:b])} [/{one}]{unmarked(text[b:c])}"
        f"[{two}] {unmarked(text[c:d])} [/{two}]{unmarked(text[d:])}"
    )

"""A post's text with marks around one pair, or around none. Pure."""

import re

from mmdemo.types import Span

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

    The two may nest and overlap, as `mmdemo.posts.marks.read_marks` reads them.
    """
    marks = [(head[0], "[E1] "), (head[1], " [/E1]"), (tail[0], "[E2] "), (tail[1], " [/E2]")]
    out, at = "", 0
    marks.sort(key=lambda one: (one[0], "/" not in one[1]))  # what ends here ends first
    for place, mark in marks:
        out += unmarked(text[at:place]) + mark
        at = place
    return out + unmarked(text[at:])

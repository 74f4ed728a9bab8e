"""Text and numbers -> HTML that shows them and does nothing else.

A tweet is hostile. What `safe` returns holds nothing that HTML, a Handlebars template or a JavaScript
template literal would read as code, and nothing that reorders or paints over what stands beside it.
"""

import os
import sys
import tempfile
import unicodedata
from itertools import groupby
from pathlib import Path

MARKS_PER_LETTER = 5  # more than writing needs; "Zalgo" text stacks thousands and paints over the page

# `$`, `{` and the backtick because Gradio evaluates gr.HTML templates as JavaScript template literals.
_ESCAPES = str.maketrans({c: f"&#{ord(c)};" for c in "&<>\"'`${}"})
# Direction overrides reorder what stands around them, so they are shown by name instead of obeyed.
_CONTROLS = {chr(c): f"U+{c:04X}" for c in [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]}
_CONTROLS |= {chr(c): f"U+{c:04X}" for c in [*range(0x20), *range(0x7F, 0xA0)] if chr(c) not in "\t\n\r"}


def _letter_kind(char: str) -> str:
    """What the character does beside others: "control", "mark" (stacks on the letter before) or "plain"."""
    if char in _CONTROLS:
        return "control"
    return "mark" if unicodedata.category(char) in ("Mn", "Me") else "plain"


def pieces(text: str) -> list[str | list[str]]:
    """The text cut for display: strings that may stand as they are, and ``[name]`` for what is named instead.

    JSON as it is, so that a script can put the strings into text nodes and the names into marked ones.
    """
    if text.isascii() and text.isprintable():
        return [text]
    parts: list[str | list[str]] = []
    for kind, group in groupby(text, key=_letter_kind):
        chars = "".join(group)
        if kind == "control":
            parts += [[_CONTROLS[c]] for c in chars]
        elif kind == "mark" and len(chars) > MARKS_PER_LETTER:
            parts.append(chars[:MARKS_PER_LETTER])
            parts.append([f"+{len(chars) - MARKS_PER_LETTER:,} combining marks"])
        else:
            parts.append(chars)
    return parts


def safe(text: str) -> str:
    """The text as HTML that shows it and does nothing else."""
    return "".join(
        part.translate(_ESCAPES) if isinstance(part, str) else f'<span class="mm-control">{part[0]}</span>'
        for part in pieces(text)
    )


def plain(text: str, most: int) -> str:
    """The text's first ``most`` characters for places that take no HTML: what would reorder them is named."""
    return "".join(part if isinstance(part, str) else part[0] for part in pieces(text[:most]))


def percent(score: float | None) -> str:
    """A probability for people. 99.96 % is not certainty, so it does not round to 100 %."""
    if score is None:
        return "no score"
    if score > 0.9995:
        return "&gt;99.9%"
    return "&lt;0.1%" if score < 0.0005 else f"{score:.1%}"


def sentence(message: str) -> str:
    """A message for the page: a capital, a full stop, no folder of this machine. A leading name stays."""
    message = public(message)
    first = message.split(" ", 1)[0]
    capital = first.capitalize() if first.isalpha() and first.islower() else first
    stop = "" if message.endswith((".", "!", "?", "…")) else "."
    return capital + message[len(first) :] + stop


#: Characters of an error that are shown: it may quote what was sent.
LONGEST = 400
#: Variables that name folders of this machine.
_FOLDERS = (
    *("MMDEMO_CHECKPOINTS", "MMDEMO_REVIEW_PHOTOS", "GRADIO_TEMP_DIR"),
    *("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"),
)
#: Variables that name files of this machine: their folder goes, with what lies beside them.
_FILES = ("MMDEMO_REVIEWS",)


def public(message: str) -> str:
    """A message, not too long, without the places of this machine's folders: strangers need not know them.

    By the folders themselves, not by their look: a relation such as /per/org/member_of is no path.
    """
    roots = {os.getcwd(), os.path.expanduser("~"), tempfile.gettempdir(), sys.prefix}
    roots |= {str(Path(__file__).parents[3])}
    roots |= {os.path.abspath(os.environ[name]) for name in _FOLDERS if os.environ.get(name)}
    roots |= {os.path.dirname(os.path.abspath(os.environ[n])) for n in _FILES if os.environ.get(n)}
    for root in sorted(roots - {"/", "~"}, key=len, reverse=True):
        message = message.replace(root, "…")
    return message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"

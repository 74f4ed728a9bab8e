"""Text on a terminal: shown, never obeyed.

A tweet, an id or a file's name may hold escape sequences that retitle the window, paint over lines or make
the terminal type, and marks that reorder what stands beside them. All that is printed passes here.
"""

import json
import logging
import re
import sys
from typing import Any

#: Control characters but the tab, marks that turn the direction of writing, the two separators at which some
#: programs break lines, and halves of surrogate pairs, which no terminal takes.
_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
#: The same within JSON, whose own line ends are ours and whose strings hold no other C0.
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMES = {"\n": r"\n", "\r": r"\r"}


def shown(text: str) -> str:
    r"""The text as one line that a terminal shows as it is: ESC as ``\x1b``, a line's end as ``\n``."""
    return _UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return _NAMES.get(found[0]) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def say(*lines: str, error: bool = False) -> None:
    """Print lines, each through `shown`: the text within one can neither end it nor feign another."""
    print("\n".join(map(shown, lines)), file=sys.stderr if error else sys.stdout)


def say_json(value: Any) -> None:
    """Print JSON for people and programs: letters as they are, what a terminal would obey by its number."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    print(_UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


class SafeLines(logging.Formatter):
    """Log records as `shown` shows them, the lines of a traceback apart."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(shown, super().format(record).split("\n")))


def log_safely() -> None:
    """Write the warnings of the process, and what is worse, to standard error through `SafeLines`."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeLines("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])

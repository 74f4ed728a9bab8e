"""The small things that people and browsers send: names, durations, versions, and how posts are counted."""

import math
import unicodedata

from mmdemo.types import InputError

MAX_NAME = 80


def check_name(name: object, what: str) -> str:
    """A queue's or reviewer's name: 1 to 80 visible characters, NFC, no ``|``.

    Raises:
        InputError: it is not.
    """
    if not isinstance(name, str):
        raise InputError(f"the {what}'s name is not text")
    if len(name) > 4 * MAX_NAME:
        raise InputError(f"the {what}'s name has more than {MAX_NAME} characters")
    name = unicodedata.normalize("NFC", name).strip()
    if not name or len(name) > MAX_NAME:
        raise InputError(f"the {what}'s name must have 1 to {MAX_NAME} characters")
    # C: controls, direction marks, surrogates. "*" alone is the seat of an adjudication.
    if (
        any(unicodedata.category(character)[0] == "C" or character == "|" for character in name)
        or name == "*"
    ):
        raise InputError(f"the {what}'s name holds a character that cannot be in a name")
    return name


def count_posts(count: int) -> str:
    """1 post, 2 posts"""
    return "1 post" if count == 1 else f"{count} posts"


def check_seconds(seconds: object) -> float | None:
    """Seconds spent on a post; a day at most. None where not measured.

    Raises:
        InputError: negative or no number.
    """
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InputError("the seconds spent are not a number")
    if not 0 <= seconds < math.inf:  # which also takes whole numbers too large for `float`
        raise InputError("the seconds spent are not a number from 0 on")
    return float(min(seconds, 86_400))


def check_number(value: object, what: str) -> int:
    """A key or version that a browser sends back.

    Raises:
        InputError: it is no whole number from 0 on.
    """
    if type(value) is not int or not 0 <= value < 2**62:
        raise InputError(f"the {what} is not a whole number")
    return value

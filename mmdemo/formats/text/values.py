"""JSON objects of a file however it holds them: one a line, as one array, or over several lines each.

An array is decoded an object at a time, so that one of gigabytes needs the memory of one object.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.text.encoding import encoding_of, head_of
from mmdemo.formats.text.lines import MAX_LINE, read_objects
from mmdemo.types import InputError

_BLOCK = 2**20
_BLANK = re.compile(r"[\s,]*")
#: How an array of objects starts, or of texts with their spans.
_ARRAY = re.compile(r'\[\s*(?:[{\]]|\[\s*"|$)')
_DECODER = json.JSONDecoder()


def read_rows(path: Path, left: LeftOut, kind: str = "item") -> Iterator[tuple[str, dict[str, Any]]]:
    """(where it stands, JSON object) of each row of a file, whichever way it holds them.

    Raises:
        InputError: the file cannot be read, or (unless ``left`` skips damaged rows) a row is no object.
    """
    if one_a_line(path):
        yield from read_objects(path, left)
    else:
        yield from read_array(path, left, kind)


def one_a_line(path: Path) -> bool:
    """Whether the first line that is not blank is a whole JSON value, with more lines behind or none."""
    data = head_of(path)
    start = data.decode(encoding_of(data), "ignore").lstrip("\ufeff \t\r\n")
    line, _, _ = start.partition("\n")
    if not line.startswith("{"):
        return _ARRAY.match(start) is None
    try:
        json.loads(line)
        return True
    except (ValueError, RecursionError):
        return len(line) >= len(start.rstrip()) or not line.strip() == "{"


def read_array(path: Path, left: LeftOut, kind: str = "item") -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, object) of each item of an array, or of objects that stand one behind the other.

    ``kind`` is what a message calls an item. What follows a place that is no JSON cannot be read any more.
    """
    encoding = encoding_of(head_of(path))
    try:
        with Path(path).open(encoding=encoding, errors="surrogateescape") as file:
            number = 0
            for number, value in enumerate(_values(file), 1):
                where = f"{path} {kind} {number}"
                if isinstance(value, dict):
                    yield where, value
                elif (pair := _text_and_more(value)) is not None:
                    yield where, pair
                elif value is None:
                    left.damage(InputError(f"{path} is not JSON from {kind} {number} on"))
                else:
                    left.damage(InputError(f"{where} is not a JSON object"))
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _text_and_more(value: Any) -> dict[str, Any] | None:
    """spaCy's training data: ``[text, {"entities": […]}]``."""
    if (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], dict)
    ):
        return {"text": value[0], **value[1]}
    return None


def first_row(path: Path) -> Any:
    """The first value in a JSON file (in its array, if it is one), or None where it holds none."""
    try:
        data = head_of(path)
        with Path(path).open(encoding=encoding_of(data), errors="surrogateescape") as file:
            return next(_values(file), None)
    except (OSError, UnicodeError):
        return None


def _values(file: TextIO) -> Iterator[Any]:
    """Each value, and at last None where the text breaks off or is no JSON."""
    buffer, at, size = file.read(_BLOCK).lstrip("\ufeff"), 0, _BLOCK
    at = _skip(buffer, 0)
    inside = buffer.startswith("[", at)
    at += inside
    while True:
        at = _skip(buffer, at)
        if at >= len(buffer):
            buffer, at = file.read(_BLOCK), 0
            if not buffer:
                if inside:
                    yield None
                return
            continue
        if inside and buffer[at] == "]":
            return
        try:
            value, at = _DECODER.raw_decode(buffer, at)
        except RecursionError:
            yield None
            return
        except ValueError as error:
            more = (
                "" if _is_broken(error, len(buffer)) or len(buffer) - at > 4 * MAX_LINE else file.read(size)
            )
            if not more:
                yield None
                return
            buffer, at, size = buffer[at:] + more, 0, 2 * size
            continue
        size = _BLOCK
        yield [] if value is None else value


def _is_broken(error: ValueError, length: int) -> bool:
    """Whether more text would not mend it: the fault stands ahead of the end, and is no open text."""
    if not isinstance(error, json.JSONDecodeError):
        return True
    return not error.msg.startswith("Unterminated") and error.pos < length - 20


def _skip(buffer: str, at: int) -> int:
    found = _BLANK.match(buffer, at)
    return found.end() if found else at

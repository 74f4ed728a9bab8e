"""Lines of a text file in and out, and the checks that rows of every format share.

Lines end at a newline only: tweets hold U+2028 and U+0085, at which `str.splitlines` would cut.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mmdemo.types import InputError, Span, quoted


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number, line) without its line end; a BOM and Windows line ends are dropped."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            yield number, line.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{path} line {number} is not UTF-8 text") from error


def read_objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file and line, JSON object) of each line of a JSON-lines file that is not blank."""
    for number, line in read_lines(path):
        if line.strip():
            where = f"{path} line {number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{where} is not JSON") from error
            if not isinstance(row, dict):
                raise InputError(f"{where} is not a JSON object")
            yield where, row


def write_objects(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write JSON lines in UTF-8."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with the line ends as they are in ``text``."""
    try:
        Path(path).write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    except UnicodeEncodeError as error:
        raise InputError(f"{path} cannot be written: a post holds half of a surrogate pair") from error


def check_text(value: Any, where: str) -> str:
    """``value`` as text; half a surrogate pair (a lone escape "\\ud83d") is no text to a tokenizer."""
    if not isinstance(value, str):
        raise InputError(f"{where} has {quoted(value)} where text should be")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"{where} holds half of a surrogate pair, {quoted(value)}") from error
    return value


def text_or_none(row: dict[str, Any], key: str, where: str) -> str | None:
    """The text of a key that may be absent or null."""
    value = row.get(key)
    return None if value is None else check_text(value, f"{where}, {quoted(key)},")


def check_words(value: Any, where: str) -> tuple[str, ...]:
    """``value`` as a non-empty tuple of words."""
    if not isinstance(value, list | tuple) or not value:
        raise InputError(f"{where} has no list of words")
    return tuple(check_text(word, where) for word in value)


def check_span(value: Any, length: int, where: str) -> Span:
    """``value`` as a half-open, non-empty span within ``length`` words."""
    if isinstance(value, list | tuple) and len(value) == 2 and all(type(end) is int for end in value):
        if 0 <= value[0] < value[1] <= length:
            return value[0], value[1]
    raise InputError(f"{where} has the span {quoted(value)}, which is empty or outside its {length} words")

"""Lines of a text file in and out, and the checks that rows of every format share.

Lines end at a newline only: tweets hold U+2028 and U+0085, at which `str.splitlines` would cut.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.text.encoding import encoding_of, head_of
from mmdemo.types import InputError, Span, quoted

#: Characters or bytes of one line; a longer one is damaged, and its rest is passed over.
MAX_LINE = 16 * 2**20


def read_lines(path: Path, left: LeftOut | None = None) -> Iterator[tuple[int, str]]:
    """(line number, line) without its line end; a BOM and Windows line ends are dropped.

    Raises:
        InputError: the file cannot be read, or a line is no text in the file's encoding (with ``left``:
            unless that skips damaged rows).
    """
    for number, line in raw_lines(path, left):
        if line is not None:
            yield number, line
        elif left is None:
            raise _no_text(path, number)
        else:
            left.damage(_no_text(path, number))


def _no_text(path: Path, number: int) -> InputError:
    return InputError(f"{path} line {number} is not UTF-8 text, or over {MAX_LINE // 2**20} MB long")


def raw_lines(path: Path, left: LeftOut | None = None) -> Iterator[tuple[int, str | None]]:
    """As `read_lines`, with None for a line that is no text; nothing but one line is in memory at a time."""
    head = head_of(path)
    encoding = encoding_of(head)
    end = "\r" if b"\r" in head and b"\n" not in head and b"\0" not in head else "\n"
    if encoding == "utf-8-sig" or (encoding == "utf-8" and end == "\n"):
        yield from _utf8_lines(path)
        return
    if left is not None and encoding != "utf-8":
        left.note(f"{Path(path).name} was read as {encoding.replace('_', '-')}, not as UTF-8")
    try:
        with Path(path).open(encoding=encoding, errors="surrogateescape", newline=end) as file:
            for number, line in enumerate(_bounded(file, end), 1):
                yield number, _clean(line)
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path} cannot be read as {encoding}") from error


def _utf8_lines(path: Path) -> Iterator[tuple[int, str | None]]:
    try:
        with Path(path).open("rb") as file:
            if file.read(3) != b"\xef\xbb\xbf":
                file.seek(0)
            for number, line in enumerate(_bounded(file, b"\n"), 1):
                try:
                    yield number, None if line is None else line.removesuffix(b"\r").decode("utf-8")
                except UnicodeDecodeError:
                    yield number, None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _bounded(file: Any, end: Any) -> Iterator[Any]:
    """Lines without their end; None for one that is too long."""
    stream: BinaryIO | TextIO = file
    while line := stream.readline(MAX_LINE):
        long = False
        while len(line) >= MAX_LINE and not line.endswith(end):
            long, line = True, stream.readline(MAX_LINE)
        yield None if long else line.removesuffix(end)


def _clean(line: str | None) -> str | None:
    """A decoded line without a carriage return; None where bytes of it are no text."""
    if line is None or any("\udc80" <= character <= "\udcff" for character in line):
        return None
    return line.removesuffix("\r")


def read_objects(path: Path, left: LeftOut | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file and line, JSON object) of each line of a JSON-lines file that is not blank."""
    for number, line in read_lines(path, left):
        if line.strip():
            where = f"{path} line {number}"
            try:
                yield where, parsed(line, where)
            except InputError as error:
                if left is None:
                    raise
                left.damage(error)


def parsed(line: str, where: str) -> dict[str, Any]:
    """The JSON object of a line. Raises InputError where it is none."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not JSON") from error
    if not isinstance(row, dict):
        raise InputError(f"{where} is not a JSON object")
    return row


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
        value.isascii() or value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"{where} holds half of a surrogate pair, {quoted(value)}") from error
    return value


def text_or_none(row: dict[str, Any], key: str, where: str) -> str | None:
    """The text of a key that may be absent or null."""
    value = row.get(key)
    return None if value is None else check_text(value, f"{where}, {key!r},")


def name_or_none(row: dict[str, Any], key: str, where: str) -> str | None:
    """As `text_or_none`, of a name that may be a whole number: tweets' ids, row numbers."""
    value = row.get(key)
    return str(value) if type(value) is int else text_or_none(row, key, where)


def check_words(value: Any, where: str) -> tuple[str, ...]:
    """``value`` as a non-empty tuple of words."""
    if not isinstance(value, list | tuple) or not value:
        raise InputError(f"{where} has no list of words")
    with suppress(TypeError, UnicodeEncodeError):  # what is no text is told below
        "".join(value).encode("utf-8")
        return tuple(value)
    return tuple(check_text(word, where) for word in value)


def check_span(value: Any, length: int, where: str) -> Span:
    """``value`` as a half-open, non-empty span within ``length`` words."""
    if isinstance(value, list | tuple) and len(value) == 2 and type(value[0]) is type(value[1]) is int:
        if 0 <= value[0] < value[1] <= length:
            return value[0], value[1]
    raise InputError(f"{where} has the span {quoted(value)}, which is empty or outside its {length} words")

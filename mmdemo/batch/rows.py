"""Posts of a JSONL, CSV or Parquet file as raw rows, a few hundred at a time, from anywhere in the file.

Whatever one row holds, the rows after it are still read: what is wrong with it is its ``problem``.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from mmdemo.batch.parquet import open_parquet, parquet_records
from mmdemo.formats.format import cut_notes
from mmdemo.formats.shared.photo_words import DESCRIBED, KEY, stated_words
from mmdemo.types import InputError, PhotoWords

#: Longer lines are skipped over rather than kept in memory; a post has at most 200,000 characters.
MAX_LINE_BYTES = 2 * 2**20
MAX_FIELD = 500_000  # csv's own bound, on characters of a field

SUFFIXES = (".jsonl", ".csv", ".parquet")
LOOKED_AT = 100  # rows, of which one tells what the file is
COLUMNS = ("id", "text", "image", KEY, *DESCRIBED)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One post as its file states it, or why it cannot be read. Without an ``id``, its row number is it.

    ``photo_words`` is what it says of its photo; ``notes`` tells what was cut of that.
    """

    id: str | int
    text: str = ""
    image: str | None = None
    photo_words: tuple[PhotoWords, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some rows that stand together. ``place`` is a byte offset, or a row number in Parquet."""

    place: int
    first: int  # number of its first row, from 1
    count: int


def has_texts(file: Path) -> bool:
    """Whether one of the first rows has a text: what is wrong with the others is a row's matter.

    Raises:
        InputError: the file cannot be read.
    """
    if _kind(file) == ".parquet":
        return True
    with _open(file) as stream:
        if _kind(file) == ".csv":
            try:
                return "text" in next(_csv_reader(stream), [])
            except csv.Error:
                return True
        rows = islice(_records(stream, ()), LOOKED_AT)
        return any(isinstance(row, dict) and isinstance(row.get("text"), str) for row in rows)


def chunks_of(file: Path, size: int) -> list[Chunk]:
    """Where each ``size`` rows of the file start; reads it once and keeps no row.

    Raises:
        InputError: the file is missing, of another kind, or has no column ``text``.
    """
    kind = _kind(file)
    if kind == ".parquet":
        total = open_parquet(file).metadata.num_rows
        return [
            Chunk(place=start, first=start + 1, count=min(size, total - start))
            for start in range(0, total, size)
        ]
    chunks, place, number = list[Chunk](), -1, 0
    with _open(file) as stream:
        columns = _header(stream, file) if kind == ".csv" else ()
        while True:
            place = stream.tell()
            count = sum(1 for _ in islice(_records(stream, columns), size))
            if count == 0:
                return chunks
            chunks.append(Chunk(place=place, first=number + 1, count=count))
            number += count


def read_chunk(file: Path, chunk: Chunk) -> list[Row]:
    """The rows of a chunk, in order. Raises InputError only where the file itself cannot be read."""
    if _kind(file) == ".parquet":
        records = parquet_records(file, chunk.place, chunk.count, COLUMNS)
    else:
        with _open(file) as stream:
            columns = _header(stream, file) if _kind(file) == ".csv" else ()
            stream.seek(chunk.place)
            records = list(islice(_records(stream, columns), chunk.count))
    if len(records) < chunk.count:
        raise InputError(f"{file} has become shorter while it was read")
    return [_row(record, chunk.first + i) for i, record in enumerate(records)]


def _kind(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{file} is neither .jsonl, .csv nor .parquet")
    return suffix


def _open(file: Path) -> BinaryIO:
    try:
        stream = file.open("rb")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error
    if stream.read(3) != b"\xef\xbb\xbf":  # a BOM
        stream.seek(0)
    return stream


# ---------------------------------------------------------------- lines


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their end; one that is too long comes as its first bytes, and the rest is passed over."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        rest = line
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES + 1)
        yield line


def _records(stream: BinaryIO, columns: tuple[str, ...]) -> Iterator[Any]:
    """Each row's dictionary, or a sentence that says why it has none. With columns: CSV, else JSON lines.

    Nothing is read ahead, so the stream's place between two rows is where the next one starts.
    """
    if columns:
        yield from _csv_records(stream, columns)
        return
    for line in _lines(stream):
        if line.strip():
            yield _json_record(line)


def _json_record(line: bytes) -> Any:
    if len(line) > MAX_LINE_BYTES:
        return f"the line has more than {MAX_LINE_BYTES // 2**20} MB"
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return "the line is not UTF-8 text"
    except (ValueError, RecursionError):
        return "the line is not JSON"
    return record if isinstance(record, dict) else "the line is not a JSON object"


def _csv_reader(stream: BinaryIO) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_FIELD)
    # surrogateescape: bytes that are not UTF-8 stay in their row, and `read_post` refuses them.
    # strict: a quote that is never closed takes the rest of the file along, which must not pass for one text.
    return csv.reader((line.decode("utf-8", "surrogateescape") for line in _lines(stream)), strict=True)


def _header(stream: BinaryIO, file: Path) -> tuple[str, ...]:
    try:
        columns = tuple(name.strip() for name in next(_csv_reader(stream), []))
    except csv.Error as error:
        raise InputError(f"{file} is not a readable csv file: {error}") from error
    if "text" not in columns:
        raise InputError(f"{file} line 1 must name its columns, among them text (and id, image if there)")
    return columns


def _csv_records(stream: BinaryIO, columns: tuple[str, ...]) -> Iterator[Any]:
    reader = _csv_reader(stream)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # a field without its closing quote; the reader goes on at the next line
            more = (
                ", a quote is never closed; it hides the rows behind it"
                if "unexpected end" in str(error)
                else ""
            )
            yield f"the row is not CSV: {error}{more}"
            continue
        if not fields:
            continue
        if len(fields) != len(columns):
            yield f"the row has {len(fields)} fields, not {len(columns)}"
            continue
        yield {name: field or None for name, field in zip(columns, fields, strict=True)}


# ---------------------------------------------------------------- fields


def _row(record: Any, number: int) -> Row:
    """The fields of a record, checked for their types alone."""
    if isinstance(record, str):
        return Row(id=number, problem=f"row {number}: {record}")
    given = record.get("id")
    if given is not None and not (isinstance(given, str) or type(given) is int):
        return Row(id=number, problem=f"row {number}: its id is neither text nor a whole number")
    if isinstance(given, str) and not given.isprintable():
        return Row(id=number, problem=f"row {number}: its id holds unprintable characters")
    name = number if given is None else given
    text, image = record.get("text"), record.get("image")
    if not isinstance(text, str):
        return Row(id=name, problem=f"row {number}: it has no text")
    if image is not None and not isinstance(image, str):
        return Row(id=name, problem=f"row {number}: its image is not a path")
    cut: Counter[str] = Counter()
    try:
        words = stated_words(record, f"row {number}", lambda what: cut.update([what]))
    except InputError as error:
        return Row(id=name, problem=str(error))
    return Row(id=name, text=text, image=image or None, photo_words=words, notes=tuple(cut_notes(cut)))

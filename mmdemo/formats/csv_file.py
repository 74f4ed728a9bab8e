"""CSV, which is only read: texts as people wrote them, perhaps with labels; or a word and its tag a row.

Columns are parted by commas, semicolons, tabs or bars, whichever parts the first line so that it names a
column of texts (``text``) or of words (`text.columns`). Further ones are ``image`` (a path), ``id``,
labels, and what somebody wrote of the photo: ``description``, ``alt_text`` or ``alt``.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.text.columns import Row, is_header, plain, questions
from mmdemo.formats.text.lines import read_lines
from mmdemo.types import InputError, Question

#: csv's own bound on the characters of a field; a longer one is an error rather than a full memory.
MAX_FIELD = 500_000
SEPARATORS = ",;\t|"
SUFFIXES = (".csv", ".tsv", ".tab")


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """A question for each row, called by its ``id`` or number. Raises InputError naming the line."""
    lines = read_lines(path, left)
    _, first = next(((number, line) for number, line in lines if line.strip()), (0, ""))
    if first[:4].lower() == "sep=":  # Excel's own note on what parts its columns
        first = next((line for _, line in lines if line.strip()), "")
    separator = _separator(first)
    csv.field_size_limit(MAX_FIELD)
    try:
        names = next(csv.reader([first], delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise InputError(f"{path} line 1 is not readable csv: {error}") from error
    rows = _rows(path, lines, [plain(name) for name in names], separator, left)
    yield from questions(names, rows, path, dataset, left)


def _separator(line: str) -> str:
    """What parts the columns of the first line."""
    for separator in SEPARATORS:
        if is_header(_fields(line, separator)):
            return separator
    return ","


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _rows(
    path: Path, lines: Iterator[tuple[int, str]], names: Sequence[str], separator: str, left: LeftOut
) -> Iterator[Row]:
    """Each row that is not blank, by the lines that it stands on."""
    at = 1

    def text() -> Iterator[str]:
        nonlocal at
        for place, line in lines:
            at = place
            yield line + "\n"

    # strict: a quote that is never closed takes the rest of the file along, which must not pass for one text.
    table = csv.reader(text(), delimiter=separator, strict=True)
    number, words_a_row = 0, any(name in ("word", "token") for name in names)
    while True:
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            left.damage(InputError(f"{path} line {at} is not readable csv: {error}"))
            continue
        if any(cells) or words_a_row:
            number += 1
            yield Row(cells=dict(zip(names, cells, strict=False)), where=f"{path} line {at}", number=number)


def looks_like(path: Path, start: str) -> bool:
    if path.suffix.lower() == ".csv":
        return True
    parted = any(is_header(_fields(start, separator)) for separator in SEPARATORS if separator in start)
    return path.suffix.lower() in (*SUFFIXES, ".txt") and parted


FORMAT = Format(
    name="csv",
    title="CSV",
    suffix=".csv",
    holds="texts, ids, photos and their descriptions, labels",
    photo_words=True,
    reader=read,
    entities=False,
    relations=False,
    nested=False,
    looks_like=looks_like,
)

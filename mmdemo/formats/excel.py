"""Excel's workbooks (.xlsx), which are only read: the columns of CSV, in the first sheet that has them."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from openpyxl import load_workbook

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.text.columns import Row, is_header, plain, questions
from mmdemo.types import InputError, Question

#: Bytes of all parts of a workbook: it is a zip, of which a few kB can state any number.
MAX_BYTES = 512 * 2**20
SUFFIXES = (".xlsx", ".xlsm")
_HEADERS = 20  # first rows among which the names of columns stand


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """A question for each row. Raises InputError naming the row."""
    try:
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_BYTES:
                raise InputError(f"{path} holds more than {MAX_BYTES // 2**20} MB")
        book = load_workbook(path, read_only=True, data_only=True)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # openpyxl lets whatever its XML raises through
        raise InputError(f"{path} is no workbook that can be read (.xlsx)") from error
    try:
        for sheet in book.worksheets:
            found = _header(sheet.iter_rows(max_row=_HEADERS, values_only=True))
            if found is not None:
                at, names = found
                rows = _rows(path, sheet.iter_rows(min_row=at + 1, values_only=True), at + 1, names)
                yield from questions(names, rows, path, dataset, left)
                return
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged") from error
    finally:
        book.close()
    raise InputError(f"{path} has no sheet whose first row names a column text (and id, image if there)")


def _header(rows: Iterator[tuple[object, ...]]) -> tuple[int, list[str]] | None:
    for number, cells in enumerate(rows, 1):
        names = [plain(str(cell)) if cell is not None else "" for cell in cells]
        if is_header(names):
            return number, names
    return None


def _rows(path: Path, rows: Iterator[tuple[object, ...]], first: int, names: list[str]) -> Iterator[Row]:
    for number, cells in enumerate(rows):
        texts = [_text(cell) for cell in cells]
        if any(texts):
            where = f"{path} row {first + number}"
            yield Row(cells=dict(zip(names, texts, strict=False)), where=where, number=number + 1)


def _text(cell: object) -> str:
    """A cell as text; Excel makes ids with decimal places of long numbers."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def looks_like(path: Path, start: str) -> bool:
    return path.suffix.lower() in SUFFIXES


FORMAT = Format(
    name="excel",
    title="Excel",
    suffix=".xlsx",
    holds="as CSV",
    photo_words=True,
    reader=read,
    looks_like=looks_like,
)

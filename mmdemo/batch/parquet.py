"""Rows of a Parquet file, from its row groups that hold them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdemo.types import InputError

#: Bounds on a file, of which a few kB can state any number of rows and bytes.
MAX_ROWS = 100_000_000
MAX_GROUP_BYTES = 2 * 2**30


def open_parquet(file: Path) -> Any:
    """The file, opened. Raises InputError where it cannot be used."""
    try:
        from pyarrow import ArrowException, parquet  # optional: mmdemo/batch/requirements.txt
    except ImportError as error:
        raise InputError("Parquet needs pyarrow: pip install -r mmdemo/batch/requirements.txt") from error
    try:
        opened = parquet.ParquetFile(file)
        names, stated = opened.schema_arrow.names, opened.metadata.num_rows
        held = sum(opened.metadata.row_group(group).num_rows for group in range(opened.num_row_groups))
    except (ArrowException, OSError, ValueError) as error:  # ValueError: a column's name is not UTF-8
        raise InputError(f"{file} is missing or not a readable Parquet file") from error
    if names.count("text") != 1:
        raise InputError(f"{file} has no column text, or two (and perhaps id and image)")
    if stated != held or not 0 <= held <= MAX_ROWS:
        raise InputError(f"{file} is damaged, or holds more than {MAX_ROWS:,} rows")
    return opened


def parquet_records(file: Path, start: int, count: int, columns: Sequence[str]) -> list[Any]:
    """``count`` rows from ``start`` on, each a dictionary of those ``columns`` that there are, or a sentence.

    Raises:
        InputError: the file is damaged, or a row group would fill the memory.
    """
    from pyarrow import ArrowException

    opened = open_parquet(file)
    names = [name for name in columns if opened.schema_arrow.names.count(name) == 1]
    records: list[Any] = []
    stop, before = start + count, 0
    for group in range(opened.num_row_groups):
        after = before + opened.metadata.row_group(group).num_rows
        if before < stop and after > start:
            row = before
            try:
                _check_size(opened.metadata.row_group(group), file)
                for batch in opened.iter_batches(count, row_groups=[group], columns=names):
                    low, high = max(start - row, 0), min(stop - row, batch.num_rows)
                    if low < high:
                        records += _batch_records(batch.slice(low, high - low))
                    row += batch.num_rows
            except InputError:
                raise
            except (ArrowException, OSError, ValueError) as error:
                raise InputError(f"{file} is damaged in row group {group + 1}") from error
        before = after
    return records


def _batch_records(batch: Any) -> list[Any]:
    """A batch's rows; one with bytes that are no text, or a date that no calendar has, is a sentence."""
    try:
        return batch.to_pylist()
    except (ValueError, OverflowError):
        return [_record(batch.slice(row, 1)) for row in range(batch.num_rows)]


def _record(row: Any) -> Any:
    try:
        return row.to_pylist()[0]
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    except (ValueError, OverflowError):
        return "a field holds no value that can be read"


def _check_size(group: Any, file: Path) -> None:
    """Raises InputError where a row group, which is read as one, would fill the memory."""
    size = sum(group.column(place).total_uncompressed_size for place in range(group.num_columns))
    if size > MAX_GROUP_BYTES:
        raise InputError(f"{file} has a row group of {size / 2**30:.0f} GB; write it in smaller row groups")

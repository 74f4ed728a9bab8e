"""Do exports say what another says? ``python -m tests.read_back DATASET REFERENCE.jsonl FORMAT=FILE ...``.

The reference is an export as JSON lines, which hold everything. Prints a line each, or ends with a sentence.
"""

import sys
from pathlib import Path

from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.shared.reducing import reduced
from mmdemo.formats.shared.sameness import compare
from mmdemo.formats.table import FORMATS


def read_back(dataset: str, reference: Path, name: str, file: Path) -> int:
    """How many posts of the export are those of the reference, less what the format cannot hold.

    Raises:
        InputError: the export lacks a post, has another, or says another thing of it.
    """
    record, found = find_dataset(dataset), FORMATS[name]
    rows = FORMATS["jsonl"].read(reference, record)
    held = [less.row for less in (reduced(row, found) for row in rows) if less.row is not None]
    compare(held, found.read(file, record), found)
    return len(held)


if __name__ == "__main__":
    _, of, against, *exports = sys.argv
    for export in exports:
        form, _, place = export.partition("=")
        print(f"{form}: {read_back(of, Path(against), form, Path(place))} posts read back equal")

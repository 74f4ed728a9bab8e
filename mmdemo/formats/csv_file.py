"""CSV, which is only read: texts as people wrote them.

The columns are ``text`` and perhaps ``image`` (a path), ``id``, and what somebody wrote of the photo:
``description``, ``alt_text`` or ``alt``.
"""

import csv
import io
from dataclasses import replace
from pathlib import Path

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.lines import check_text, read_lines
from mmdemo.formats.shared.photo_words import DESCRIBED, stated_words
from mmdemo.posts.question import read_text
from mmdemo.types import InputError, Question

#: csv's own bound on the characters of a field; a longer one is an error rather than a full memory.
MAX_FIELD = 500_000


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> list[Question]:
    """A question for each row, called by its ``id`` or number. Raises InputError naming the line."""
    text = "\n".join(line for _, line in read_lines(path))
    table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    csv.field_size_limit(MAX_FIELD)
    rows = []
    try:
        if "text" not in (table.fieldnames or ()):
            raise InputError(f"{path} line 1 must name the columns text and, if there are photos, image")
        for number, row in enumerate(table, 1):
            where = f"{path} line {table.line_num}"
            name = row.get("image")
            ref = row.get("id") or f"{path.stem}:{number}"
            found = unread(row["text"] or "", dataset, where, ref, name or None)
            said = {key: row.get(key) for key in DESCRIBED}
            words = stated_words(said, where, left.cut)
            rows.append(replace(found, post=replace(found.post, photo_words=words)))
    except csv.Error as error:
        raise InputError(f"{path} line {table.line_num} is not readable csv: {error}") from error
    return rows


def unread(text: str, dataset: Dataset | None, where: str, ref: str, image: str | None) -> Question:
    """A question from a text as a person wrote it, and the photo that a file names for it.

    Raises:
        InputError: no words, or marks that do not fit the dataset.
    """
    try:
        row = read_text(check_text(text, where), dataset)
    except InputError as error:
        raise error if str(error).startswith(where) else InputError(f"{where}: {error}") from error
    photo = Path(image) if image else None
    post = replace(row.post, id=ref, image=photo, image_id=photo.stem if photo else None)
    return replace(row, post=post)


def looks_like(path: Path, start: str) -> bool:
    return path.suffix == ".csv"


FORMAT = Format(
    name="csv",
    title="CSV",
    suffix=".csv",
    holds="texts, ids, photos and their descriptions",
    photo_words=True,
    reader=read,
    entities=False,
    relations=False,
    nested=False,
    looks_like=looks_like,
)

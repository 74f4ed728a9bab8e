"""A folder, which is only read: photos with a text file of the same name beside each.

A photo without one is left out.
"""

from pathlib import Path

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.text.columns import unread
from mmdemo.formats.text.lines import read_lines
from mmdemo.photo.lookup import photos_in
from mmdemo.types import InputError, Question


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> list[Question]:
    """A question for each text, called by its file's name."""
    if not path.is_dir():
        raise InputError(f"{path} is not a folder")
    photos = photos_in([path])
    rows = []
    for file in sorted(path.glob("*.txt")):
        text = "\n".join(line for _, line in read_lines(file)).strip()
        photo = photos(file.stem)
        rows.append(unread(text, dataset, str(file), file.stem, photo.name if photo else None))
    if not rows:
        raise InputError(f"{path} has no .txt file beside its photos")
    return rows


def looks_like(path: Path, start: str) -> bool:
    return path.is_dir()


FORMAT = Format(
    name="folder",
    title="photos and texts",
    suffix="",
    holds="texts, photos",
    reader=read,
    entities=False,
    relations=False,
    nested=False,
    looks_like=looks_like,
)

"""The one reader of people's files: which format one is in, its posts, and the photos that these have."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.descriptions import read_descriptions, with_descriptions
from mmdemo.formats.format import Format
from mmdemo.formats.photos import Photos, Sought, with_found_photos
from mmdemo.formats.shared.encoding import encoding_of, head_of
from mmdemo.formats.shared.values import first_row
from mmdemo.formats.table import SOURCES, find_format
from mmdemo.photo.lookup import photo_name
from mmdemo.types import InputError, Question, quoted

#: Characters by which a format is told, and bytes that are read for them.
_START = 20_000
_HEAD = 64 * 2**10


def read_posts(
    path: Path,
    source: str,
    dataset: Dataset | None,
    photos: Photos | None = None,
    left_out: Counter[str] | None = None,
    shortened: Counter[str] | None = None,
    sought: Sought | None = None,
) -> list[Question]:
    """All posts of a file or folder, with what it states and asks, and the photos that are found.

    Args:
        source: a name of `SOURCES`, or ``auto`` to tell by the name and content.
        left_out, shortened: as in `Format.read`.
        sought: where given, what became of the photos that the posts name is noted here.

    Raises:
        InputError: the file cannot be read so, or names a photo outside its folders.
    """
    path, photos = Path(path), photos or Photos()
    found = find_format(guess(path, dataset) if source == "auto" else source, SOURCES)
    rows = found.read(path, dataset, left_out, shortened)
    rows = with_found_photos(rows, path, dataset, photos, Sought() if sought is None else sought)
    if photos.descriptions is None:
        return rows
    return with_descriptions(rows, read_descriptions(photos.descriptions))


def read_split(
    data_dir: Path, dataset: Dataset, split: str, left_out: Counter[str] | None = None
) -> list[Question]:
    """The posts of one of a dataset's splits, without photos (see `with_photos`).

    What the models cannot express is left out, and counted in ``left_out`` where that is given;
    ``python -m mmdemo dataset check`` tells it.

    Raises:
        InputError: no such split or file, or the file cannot be read.
    """
    name = dataset.files.of(split)
    if not name:
        raise InputError(
            f"{dataset.title} names no file for its split {quoted(split)} ([files] in dataset.toml)"
        )
    found = find_format(dataset.files.format, SOURCES)
    return found.read(Path(data_dir) / name, dataset, Counter() if left_out is None else left_out)


def with_photos(rows: Sequence[Question], lookup: Callable[[str | None], Path | None]) -> list[Question]:
    """The rows with their posts' ``image`` set to the path that ``lookup`` finds, or None.

    It is looked up by the photo's id; of a post without one, by the name of the photo that its file gives.
    """
    names = [row.post.image_id or photo_name(row.post) for row in rows]
    return [
        replace(row, post=replace(row.post, image=lookup(name)))
        for row, name in zip(rows, names, strict=True)
    ]


# ---------------------------------------------------------------- which format


def guess(path: Path, dataset: Dataset | None = None) -> str:
    """The format that a path most likely has. Raises InputError where nothing fits."""
    found = recognised(Path(path))
    if found:
        return found.name
    usual = SOURCES.get(dataset.files.format) if dataset else None
    if usual and usual.suffix and usual.suffix == path.suffix:
        return usual.name
    by_suffix = {".json": "label-studio", ".jsonl": "jsonl", ".txt": "conll"}
    if path.suffix not in by_suffix:
        raise InputError(
            f"what {quoted(path.name)} holds is not clear; name its format: {', '.join(SOURCES)}"
        )
    return by_suffix[path.suffix]


def recognised(path: Path) -> Format | None:
    """The first format that a path looks like, by its name and how it starts."""
    start = "" if path.is_dir() else start_of(path)
    return next((found for found in SOURCES.values() if found.looks_like(path, start)), None)


def start_of(path: Path) -> str:
    """By what a file's format is told: its first JSON object on one line, else its first line."""
    data = head_of(path, _HEAD)
    text = data.decode(encoding_of(data), "ignore").removeprefix("\ufeff").replace("\r", "\n")
    line = next((line for line in text.split("\n") if line.strip()), "")
    if line.lstrip()[:1] in ("[", "{"):
        row = first_row(path)
        if isinstance(row, list):
            row = {"text": "", "entities": []} if row and isinstance(row[-1], dict) else None
        if isinstance(row, dict):
            inner = row.get("row")
            return json.dumps(inner if isinstance(inner, dict) else row, ensure_ascii=False)[:_START]
    return line[:_START]

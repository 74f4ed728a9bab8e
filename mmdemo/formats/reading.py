"""The one reader of people's files: which format one is in, its posts, and the photos that these have."""

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.schema import Dataset
from mmdemo.formats.descriptions import read_descriptions, with_descriptions
from mmdemo.formats.format import Format
from mmdemo.formats.given.photos import Photos, Sought, with_found_photos
from mmdemo.formats.table import SOURCES, find_format
from mmdemo.formats.text.encoding import encoding_of, head_of
from mmdemo.formats.text.values import first_row
from mmdemo.photo.lookup import photo_name
from mmdemo.types import InputError, Question, quoted

log = logging.getLogger(__name__)

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
    path = split_file(Path(data_dir), dataset, split)
    return found.read(path, dataset, Counter() if left_out is None else left_out)


def split_file(folder: Path, dataset: Dataset, split: str) -> Path:
    """Where a split lies: as the record says, else where public archives lay it out, one or two folders down.

    That is the one file with the same last folder and name, else the one of the record's format whose name
    says the split, in no folder of another data set's name. Without such a file it is as the record says.
    """
    path = folder / dataset.files.of(split)
    if path.exists() or not folder.is_dir():
        return path
    below = [file for depth in ("*/*", "*/*/*", "*/*/*/*") for file in sorted(folder.glob(depth))]
    own = Path(dataset.files.of(split)).parts
    same = [file for file in below if file.parts[-len(own) :] == own and len(own) > 1]
    if not same:
        words = {"valid": ("valid", "val", "dev")}.get(split, (split,))
        named = [file for file in below if set(re.split(r"[^a-z]+", file.stem.lower())) & set(words)]
        others = {name for name in bundled() if name != dataset.name}
        foreign = [file for file in named if others & set(file.relative_to(folder).parts)]
        same = [file for file in named if file not in foreign and _is_of(file, dataset)]
    if len(same) != 1:
        return path
    log.warning("%s is not there; %s is read instead", path, same[0].relative_to(folder))
    return same[0]


def _is_of(file: Path, dataset: Dataset) -> bool:
    """Whether a file looks like one of the dataset's format."""
    try:
        found = recognised(file) if file.is_file() else None
    except InputError:
        return False
    return found is not None and found.name == dataset.files.format


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

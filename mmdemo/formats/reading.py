"""The one reader of people's files: which format one is in, its posts, and the photos that these have.

A file may come from a stranger. A photo that it names must lie in a folder that the person gave (or in the
file's own): no file can make this program show another one of the machine's.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.descriptions import read_descriptions, with_descriptions
from mmdemo.formats.format import Format
from mmdemo.formats.shared.encoding import encoding_of, head_of
from mmdemo.formats.shared.values import first_row
from mmdemo.formats.table import SOURCES, find_format
from mmdemo.photo.lookup import is_file, photo_lookup, photo_name
from mmdemo.types import ImageSource, InputError, Question, quoted

#: Characters by which a format is told, and bytes that are read for them.
_START = 20_000
_HEAD = 64 * 2**10
#: Rows whose photos are looked for together.
_CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Photos:
    """Where photos may lie. ``folder`` has ``<photo id>.jpg`` files, or the layout that the dataset's record
    names; ``pairs`` is a csv of stand-ins (data/README). ``trusted`` folders hold photos that files may name.
    ``descriptions`` is a file of what the photos show (`mmdemo.formats.descriptions`).
    """

    folder: Path | None = None
    pairs: Path | None = None
    split: str = "train"
    trusted: tuple[Path, ...] = ()
    descriptions: Path | None = None


def read_posts(
    path: Path,
    source: str,
    dataset: Dataset | None,
    photos: Photos | None = None,
    left_out: Counter[str] | None = None,
    shortened: Counter[str] | None = None,
) -> list[Question]:
    """All posts of a file or folder, with what it states and asks, and the photos that are found.

    Args:
        source: a name of `SOURCES`, or ``auto`` to tell by the name and content.
        left_out, shortened: as in `Format.read`.

    Raises:
        InputError: the file cannot be read so, or names a photo outside its folders.
    """
    path, photos = Path(path), photos or Photos()
    found = find_format(guess(path, dataset) if source == "auto" else source, SOURCES)
    rows = _with_photos(found.read(path, dataset, left_out, shortened), path, dataset, photos)
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


# ---------------------------------------------------------------- photos


def _with_photos(
    rows: Sequence[Question], path: Path, dataset: Dataset | None, photos: Photos
) -> list[Question]:
    """The rows with the photo they name, else the one that their photo id finds, else none."""
    roots = _roots(path, photos)
    lookup = None
    if photos.folder is not None or photos.pairs is not None:
        lookup = photo_lookup(photos.folder, photos.pairs, dataset, photos.split)
    found = []
    for row in rows:
        image: ImageSource = _named(row.post.image, roots, str(path)) if row.post.image else None
        if image is None and lookup is not None:
            image = lookup(row.post.image_id)
        found.append(replace(row, post=replace(row.post, image=image)))
    return found


def with_found(
    rows: Iterable[Question], path: Path, dataset: Dataset | None, photos: Photos, more: Sequence[Path] = ()
) -> Iterator[Question]:
    """The rows of a file with their photos, which may also lie in ``more`` folders."""
    trusted = replace(photos, trusted=(*photos.trusted, *more))
    lookups = [photo_lookup(folder, None, None, photos.split) for folder in more]
    rest = iter(rows)
    while chunk := list(islice(rest, _CHUNK)):
        for row in _with_photos(chunk, path, dataset, trusted):
            found = (lookup(row.post.image_id) for lookup in lookups)
            if row.post.image is None or not is_file(Path(str(row.post.image))):
                image = next((path for path in found if path is not None), row.post.image)
                row = replace(row, post=replace(row.post, image=image))
            yield row


def _roots(path: Path, photos: Photos) -> tuple[Path, ...]:
    folders = [path if path.is_dir() else path.parent, *photos.trusted]
    return tuple(folder.resolve() for folder in ([photos.folder] if photos.folder else []) + folders)


def _named(name: ImageSource, roots: Sequence[Path], where: str) -> Path:
    """The photo that a file names: an existing one in ``roots``, or one that is missing there."""
    try:
        paths = [(root / str(name)).resolve() for root in roots]
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{where} names a photo {quoted(name)}, which is no path") from error
    inside = [path for path in paths if any(path.is_relative_to(root) for root in roots)]
    if not inside:
        raise InputError(f"{where} names a photo outside its folders: {quoted(name)}")
    return next((path for path in inside if is_file(path)), inside[0])

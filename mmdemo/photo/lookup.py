"""Photos: find those of a dataset, by the ids that its posts name."""

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mmdemo.datasets.schema import Dataset
from mmdemo.photo.names import SUFFIXES, file_name, spelling, spellings, without_suffix
from mmdemo.types import InputError, Post, quoted

#: Files below a folder that `photos_below` looks at.
MAX_FILES = 500_000


@dataclass(frozen=True)
class PhotoLookup:
    """image id -> photo path or None. Ids count with or without an image suffix such as ``.jpg``.

    A name that is not there as it is, is looked for in its other spellings (`mmdemo.photo.names`): composed
    or not, URL-encoded, in other case, with its folder or as a link. Two photos of one spelling are none: no
    post gets somebody else's. Only listed files are found, so an id such as ``../x`` reaches nothing.
    ``files`` are the photos by their whole names, for ids that state a suffix.
    """

    paths: Mapping[str, Path] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)

    def __call__(self, image_id: str | None) -> Path | None:
        if not image_id or not (self.paths or self.files):
            return None
        exact = self.files.get(image_id) or self.paths.get(without_suffix(image_id))
        if exact is not None:
            return exact
        found = (self._spelt.get(one) for one in spellings(image_id))
        return next((path for path in found if path is not None), None)

    @cached_property
    def _spelt(self) -> dict[str, Path | None]:
        """The photos by spelling; None where several share one."""
        found: dict[str, Path | None] = {}
        for name, path in self.paths.items():
            key = spelling(name)
            found[key] = path if found.get(key, path) == path else None
        return found


def photo_name(post: Post) -> str | None:
    """A post's photo's name without suffix, by its id or the path that its file gives."""
    name = post.image_id or (str(post.image) if isinstance(post.image, str | Path) else None)
    return without_suffix(file_name(name)) if name else None


def photo_lookup(images: Path | None, pairs: Path | None, dataset: Dataset | None, split: str) -> PhotoLookup:
    """The lookup for one split: originals in a folder, stand-ins by a pairs file, or (neither) nothing.

    Args:
        images: the folder that the dataset's ``files.photos`` lie in (of several the first that has an id
            wins), or a folder of ``{image_id}.jpg`` files.
        pairs: csv with columns dataset, split, image_id, photo; photos lie in ``photos/`` beside it and an
            empty one means "no photo". A photo it names is returned even if the file is gone: that is a
            broken photo, and `load_photo` says so.

    Raises:
        InputError: both are given, or the folder or file is missing or malformed.
    """
    if images is not None and pairs is not None:
        raise InputError("give a folder of images or a pairs file, not both")
    if images is not None:
        folders = (*(dataset.files.photos if dataset else ()), ".")
        return _folder_photos(Path(images), folders, split)
    if pairs is not None:
        return PhotoLookup(_paired_photos(Path(pairs), dataset.name if dataset else "", split))
    return PhotoLookup()


def _folder_photos(images: Path, folders: Iterable[str], split: str) -> PhotoLookup:
    if not images.is_dir():
        raise InputError(f"the image folder {images} does not exist")
    return photos_in(photo_folders(images, folders, split))


def photos_in(folders: Iterable[Path]) -> PhotoLookup:
    """The photos right in these folders; of two with one name the first."""
    paths: dict[str, Path] = {}
    files: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in SUFFIXES:
                paths.setdefault(path.stem, path)
                files.setdefault(path.name, path)
    return PhotoLookup(paths, files)


def photos_below(folder: Path) -> PhotoLookup:
    """The photos in all folders below one; of two folders that have one of the same name, neither's.

    Raises:
        InputError: more than `MAX_FILES` files lie there.
    """
    paths: dict[str, Path] = {}
    twice, seen = set[str](), 0
    for place, names, files in os.walk(folder):
        names.sort()
        seen += len(files)
        if seen > MAX_FILES:
            raise InputError(f"the image folder {folder} has more than {MAX_FILES:,} files below it")
        for path in (Path(place, name) for name in sorted(files)):
            if path.suffix.lower() in SUFFIXES:
                other = paths.setdefault(path.stem, path)
                twice |= {path.stem} if other.parent != path.parent else set()
    return PhotoLookup({name: path for name, path in paths.items() if name not in twice})


def photo_folders(root: Path, patterns: Iterable[str], split: str) -> list[Path]:
    """The folders below ``root`` that may hold a split's photos and exist, in order of preference."""
    names = {"valid": ("val", "valid")}.get(split, (split,))
    found = (root / pattern.replace("{split}", name) for pattern in patterns for name in names)
    return [folder for folder in found if folder.is_dir()]


def _paired_photos(pairs: Path, dataset: str, split: str) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    try:
        with pairs.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"dataset", "split", "image_id", "photo"} <= set(rows.fieldnames or ()):
                raise InputError(f"{pairs} line 1 must name the columns dataset, split, image_id and photo")
            for row in rows:
                photo = row["photo"]
                if (row["dataset"], row["split"]) != (dataset, split) or not photo:
                    continue
                if Path(photo).name != photo:
                    raise InputError(
                        f"{pairs} line {rows.line_num} names a photo outside its folder: {quoted(photo)}"
                    )
                if row["image_id"] is None:
                    raise InputError(f"{pairs} line {rows.line_num} has fewer fields than line 1 has columns")
                paths[without_suffix(row["image_id"])] = pairs.parent / "photos" / photo
    except OSError as error:
        raise InputError(f"the pairs file {pairs} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the pairs file {pairs} is not a readable csv file: {error}") from error
    return paths


def is_file(path: Path) -> bool:
    """Whether there is such a file; not where the name is longer than any may be, nor in a closed folder."""
    try:
        return path.is_file()
    except OSError:
        return False

"""A file of what a dataset's photos show: JSON lines of an ``image_id`` and one or several descriptions.

Every other key but `ABOUT` whose value is a text, or a list of texts, describes the photo: ``description``,
``alt_text`` and ``alt`` are somebody's words; any other key is the name of the captioner that wrote it;
``photo_words`` are objects with all keys of `PhotoWords`. Several lines may be about one photo.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import cut_notes
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.photo_words import DESCRIBED, KEY, Cut, descriptions, read_words
from mmdemo.formats.text.lines import check_text, read_objects
from mmdemo.photo.lookup import is_file, photo_name
from mmdemo.photo.names import without_suffix
from mmdemo.types import InputError, PhotoWords, Post, Question, quoted

log = logging.getLogger(__name__)

#: Where a data folder has descriptions of a dataset whose record names no file.
FOLDER = "descriptions"
#: Keys that say which photo a line is about, and what its post says: not what the photo shows.
ABOUT = ("image_id", "split", "id", "image", "text", "tokens")


@dataclass(frozen=True, kw_only=True)
class Descriptions:
    """What a file says of each photo, by its id without a suffix such as ``.jpg``."""

    words: Mapping[str, tuple[PhotoWords, ...]] = field(default_factory=dict)

    def of(self, row: Question) -> tuple[PhotoWords, ...]:
        """What is said of a post's photo, which is found by its id, else by its file's name."""
        name = row.post.image_id or photo_name(row.post)
        return self.words.get(without_suffix(name), ()) if name else ()


def descriptions_file(folder: Path, dataset: Dataset) -> Path | None:
    """The file that a dataset's record names, else ``descriptions/<its name>.jsonl`` where there is one."""
    if dataset.files.descriptions:
        return Path(folder) / dataset.files.descriptions
    usual = Path(folder) / FOLDER / f"{dataset.name}.jsonl"
    return usual if is_file(usual) else None


def descriptions_of(folder: Path, dataset: Dataset) -> Descriptions:
    """What a data folder says of a dataset's photos; nothing where it has no such file.

    Raises:
        InputError: the file that the record names is missing, or as `read_descriptions`.
    """
    path = descriptions_file(folder, dataset)
    return read_descriptions(path, dataset.files.description_keys) if path else Descriptions()


def read_descriptions(path: Path, keys: Sequence[str] = ()) -> Descriptions:
    """What a file says of its photos, by these ``keys`` in this order; without any, by all that are texts.

    What is too long is cut, and logged. A file that has not changed is read once.

    Raises:
        InputError: a line is no JSON object, names no photo, or says something else than texts; or no line
            has one of the ``keys``.
    """
    try:
        found = Path(path).stat()
    except OSError as error:
        raise InputError(f"the descriptions {path} cannot be read: {error.strerror or error}") from error
    return _read(Path(path), tuple(keys), (found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=4)
def _read(path: Path, keys: tuple[str, ...], stamp: tuple[int, int]) -> Descriptions:
    left, seen, told = LeftOut(), set[str](), dict[str, tuple[PhotoWords, ...]]()
    for where, line in read_objects(path):
        name = line.get("image_id")
        if type(name) is int:
            name = str(name)
        if not name:
            raise InputError(f"{where} has no image_id")
        name = without_suffix(check_text(name, f"{where}, 'image_id',"))
        seen.update(line)
        told[name] = told.get(name, ()) + _line(line, keys, where, left.cut)
    if missing := [key for key in keys if key not in seen]:
        there = ", ".join(sorted(key for key in seen if key not in ABOUT)[:20])
        raise InputError(f"no line of {path} has the key {quoted(missing[0])}; there are {there or 'none'}")
    for note in cut_notes(left.shortened):
        log.warning("%s: %s", path.name, note)
    return Descriptions(words=told)


def _line(line: Mapping[str, Any], keys: tuple[str, ...], where: str, cut: Cut) -> tuple[PhotoWords, ...]:
    said: list[PhotoWords] = []
    for key in keys or [key for key in line if key not in ABOUT]:
        value = line.get(key)
        if key == KEY:
            said += read_words(value, where, cut)
        elif keys or _is_text(value):
            place = f"{where}, {quoted(key)},"
            if key in DESCRIBED:
                said += descriptions(value, place, cut)
            else:
                said += descriptions(value, place, cut, source="captioned", by=key)
    return tuple(said)


def read_scores(folder: Path, dataset: Dataset, key: str) -> dict[str, float]:
    """A number that a data folder's descriptions state of each photo, by its id without a suffix.

    Raises:
        InputError: as `read_descriptions`.
    """
    path = descriptions_file(folder, dataset)
    if path is None:
        return {}
    return {
        without_suffix(str(line["image_id"])): float(value)
        for _, line in read_objects(path)
        if isinstance(value := line.get(key), int | float) and line.get("image_id")
    }


def _is_text(value: Any) -> bool:
    """A text or a list of texts; a score or a count describes nothing."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(x, str) for x in value))


def with_descriptions(rows: Sequence[Question], found: Descriptions) -> list[Question]:
    """The rows, each with what is said of its photo behind the words that it has already."""
    return [
        replace(row, post=replace(row.post, photo_words=row.post.photo_words + words)) if words else row
        for row, words in ((row, found.of(row)) for row in rows)
    ]


def counted(posts: Sequence[Post]) -> dict[str, int]:
    """Posts with words of their photo, by who or what they are from, most first."""
    counts = Counter(name for post in posts for name in {one.by or one.source for one in post.photo_words})
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

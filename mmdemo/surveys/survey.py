"""What a folder of labelled files holds: which format each is in, its split, posts, labels and photos."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mmdemo.datasets.schema import SPLITS, Split
from mmdemo.datasets.toml_file import FILE
from mmdemo.formats.descriptions import read_descriptions
from mmdemo.formats.reading import recognised
from mmdemo.formats.table import SOURCES
from mmdemo.photo.lookup import photo_name
from mmdemo.photo.names import SUFFIXES
from mmdemo.types import InputError, Post, Question

#: What people call a split in file and folder names.
NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "development": "valid",
    "test": "test",
    "testing": "test",
    "tst": "test",
}
#: Files that may hold posts; others are passed over without a word.
READABLE = (".txt", ".json", ".jsonl", ".conll", ".bio", ".iob", ".tsv", ".csv")
#: How many folders deep files are looked for.
DEPTH = 3
_PLAIN = re.compile(r"readme|licen[cs]e|changelog|requirements", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A file (or brat's folder) with labelled posts. ``path`` is relative to the folder surveyed.

    ``split`` is None where no name says it. ``left_out`` counts what a post cannot hold.
    """

    path: str
    format: str
    split: Split | None
    rows: tuple[Question, ...]
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class Survey:
    """A folder's files with labelled posts, in order, those that were not read and why, and its photos.

    ``photos`` are the folders below it that hold photos of these posts, the fullest first; ``descriptions``
    is the file that says of most of them in words what they show, "" where there is none.
    """

    folder: Path
    files: tuple[FoundFile, ...]
    unread: dict[str, str]
    photos: tuple[str, ...]
    descriptions: str = ""

    @property
    def posts(self) -> list[Post]:
        return [row.post for file in self.files for row in file.rows]

    @cached_property
    def entity_counts(self) -> Counter[str]:
        return Counter(entity.label for post in self.posts for entity in post.entities or ())

    @cached_property
    def relation_counts(self) -> Counter[str]:
        return Counter(relation.label for post in self.posts for relation in post.relations or ())

    @property
    def left_out(self) -> Counter[str]:
        total = Counter[str]()
        for file in self.files:
            total.update(file.left_out)
        return total


def survey(folder: Path) -> Survey:
    """Look through a folder. Raises InputError where there is none, or no labelled post in it."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder")
    files, unread = list[FoundFile](), dict[str, str]()
    for path in _candidates(folder):
        name = path.relative_to(folder).as_posix()
        try:
            files.append(_read(path, name))
        except InputError as error:
            unread[name] = str(error).replace(f"{path} ", "").replace(str(path), path.name)
    if not files:
        why = "; ".join(f"{name}: {problem}" for name, problem in list(unread.items())[:5])
        raise InputError(f"{folder} holds no labelled posts that can be read{': ' if why else ''}{why}")
    rows = [row for file in files for row in file.rows]
    described = _descriptions(folder, unread, rows)
    unread.pop(described, None)
    return Survey(
        folder=folder,
        files=tuple(files),
        unread=unread,
        photos=_photo_folders(folder, [row.post for row in rows]),
        descriptions=described,
    )


def _candidates(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Files that may hold posts and folders of brat's, in order; brat's folders are not looked into."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == FILE or _PLAIN.match(path.name):
            continue
        if path.is_dir():
            if any(path.glob("*.ann")):
                yield path
            elif depth < DEPTH:
                yield from _candidates(path, depth + 1)
        elif path.suffix.lower() in READABLE and not (path.suffix == ".txt" and _has_notes(path)):
            yield path
    if depth == 0 and any(folder.glob("*.ann")):
        yield folder


def _has_notes(path: Path) -> bool:
    """Whether a text belongs to a folder of brat's."""
    return any(path.parent.glob("*.ann"))


def _read(path: Path, name: str) -> FoundFile:
    found = recognised(path)
    if found is None:
        raise InputError(f"it looks like none of the formats {', '.join(SOURCES)}")
    left_out = Counter[str]()
    rows = found.read(path, None, left_out)
    if not any(row.post.entities is not None or row.post.relations is not None for row in rows):
        raise InputError(f"it holds no labels (read as {found.title})")
    return FoundFile(path=name, format=found.name, split=split_of(name), rows=tuple(rows), left_out=left_out)


def split_of(name: str) -> Split | None:
    """The split that a relative path names, by its file's name, else by the nearest folder's."""
    for part in reversed(Path(name).with_suffix("").parts):
        words = re.split(r"[^a-z]+", part.lower())
        found = [NAMES[word] for word in words if word in NAMES]
        if found:
            return found[-1]
    return None


def _photo_folders(folder: Path, posts: Sequence[Post]) -> tuple[str, ...]:
    """Folders below ``folder`` that hold photos which posts name, the fullest first."""
    wanted = {name for post in posts if (name := photo_name(post))}
    counts = Counter[str]()
    for place in [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())] if wanted else []:
        there = (path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
        counts[place.relative_to(folder).as_posix()] = sum(path.stem in wanted for path in there)
    return _with_splits([name for name, count in counts.most_common() if count])


def _descriptions(folder: Path, unread: Iterable[str], rows: Sequence[Question]) -> str:
    """Of the files without posts the one that describes the photos of most posts; "" where none does."""
    counts = Counter[str]()
    for name in unread:
        if name.endswith(".jsonl"):
            with suppress(InputError):
                found = read_descriptions(folder / name)
                counts[name] = sum(bool(found.of(row)) for row in rows)
    best, count = next(iter(counts.most_common(1)), ("", 0))
    return best if count else ""


def _with_splits(folders: Sequence[str]) -> tuple[str, ...]:
    """Folders of splits that lie side by side as one, such as ``img/{split}``."""
    named = {name: Path(name).name for name in folders}
    siblings = Counter(Path(name).parent.as_posix() for name in folders if named[name] in (*SPLITS, "val"))
    found = list[str]()
    for name in folders:
        parent = Path(name).parent.as_posix()
        if siblings[parent] > 1 and named[name] in (*SPLITS, "val"):
            name = "{split}" if parent == "." else f"{parent}/{{split}}"
        found.append(name)
    return tuple(dict.fromkeys(found))

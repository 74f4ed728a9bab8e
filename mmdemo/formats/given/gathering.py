"""What a person gives: a file of posts, an archive, or a folder of several with their photos.

A folder may be as HVPNeT and UMT lay theirs out (texts here, photos there), this program's own export
with its photos, brat's. A file that is neither posts nor photo stops nothing: it is named.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.reading import guess, recognised
from mmdemo.formats.table import SOURCES, find_format
from mmdemo.formats.text.archive import is_archive, of_a_system, unpack
from mmdemo.photo.names import SUFFIXES as PHOTOS
from mmdemo.types import InputError, quoted

#: Files that may hold posts.
READABLE = (
    *(".txt", ".json", ".jsonl", ".ndjson", ".conll", ".conllu", ".bio", ".iob", ".bioes"),
    *(".tsv", ".tab", ".csv", ".xlsx", ".xlsm"),
)
#: Archives within archives, and folders within folders.
NESTED, DEEP = 2, 8
MAX_FILES = 100_000
_PLAIN = re.compile(r"readme|licen[cs]e|changelog|requirements|dataset\.toml|dataset_infos?\.json|.*\.conf$")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file (or brat's folder, or a folder of photos and texts) to read, and how."""

    path: Path
    format: Format


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What to read, the folders that photos lie in, and what nobody reads with the reason, by its name."""

    sources: tuple[Source, ...]
    photos: tuple[Path, ...] = ()
    strays: dict[str, str] = field(default_factory=dict)


def gather(path: Path, source: str, scratch: Path, dataset: Dataset | None = None) -> Gathered:
    """What there is to read in a file, archive or folder; archives are unpacked into ``scratch``.

    Args:
        source: a name of `SOURCES`, or ``auto`` to tell by name and content.

    Raises:
        InputError: there is no such file, nothing in it can be read, or an archive goes beyond its bounds.
    """
    path = Path(path)
    if source != "auto":
        find_format(source, SOURCES)
    if is_archive(path):
        unpack(path, scratch / "0")
        path = scratch / "0"
    elif not path.is_dir():
        return Gathered(sources=(Source(path=path, format=_format(path, source, dataset)),))
    of_folders = source in ("folder", "brat")
    found = _Folder("auto" if of_folders else source, scratch)
    found.walk(path)
    if of_folders:
        found.sources = [one for one in found.sources if one.format.name == source]
        found.sources = found.sources or [Source(path=path, format=SOURCES[source])]
    if not found.sources and found.plain:
        found.sources = [Source(path=folder, format=SOURCES["folder"]) for folder in found.plain]
    if not found.sources:
        raise InputError(_nothing(path, found))
    return Gathered(sources=tuple(found.sources), photos=tuple(found.photos), strays=found.strays)


def _format(path: Path, source: str, dataset: Dataset | None) -> Format:
    return find_format(guess(path, dataset) if source == "auto" else source, SOURCES)


def _nothing(path: Path, found: "_Folder") -> str:
    if found.strays:
        why = "; ".join(f"{quoted(name)}: {reason}" for name, reason in list(found.strays.items())[:5])
        return f"{path.name} holds no posts that can be read: {why}"
    if found.photos:
        return "these are photos only; add the file with their posts, or choose the format “folder”"
    return f"{path.name} has no .txt file beside its photos, and no other file of posts"


class _Folder:
    """What is found on a walk through a folder and the archives in it."""

    def __init__(self, source: str, scratch: Path) -> None:
        self.source, self.scratch = source, scratch
        self.sources: list[Source] = []
        self.photos: dict[Path, None] = {}
        self.plain: dict[Path, None] = {}
        self.strays: dict[str, str] = {}
        self.seen = self.archives = 0

    def walk(self, folder: Path, nested: int = 0, deep: int = 0) -> None:
        """Look through a folder."""
        names = sorted(folder.iterdir())
        self.seen += len(names)
        if self.seen > MAX_FILES:
            raise InputError(f"{folder.name} holds more than {MAX_FILES:,} files")
        files = [path for path in names if path.is_file() and not path.is_symlink() and not _passed(path)]
        photos = {path.stem for path in files if path.suffix.lower() in PHOTOS}
        if photos:
            self.photos[folder] = None
        if any(path.suffix == ".ann" for path in files) and self.source == "auto":
            self.sources.append(Source(path=folder, format=SOURCES["brat"]))
            return
        for path in files:
            self._take(path, path.stem in photos, nested)
        for path in names:
            if path.is_dir() and not path.is_symlink() and deep < DEEP and not of_a_system(path):
                self.walk(path, nested, deep + 1)

    def _take(self, path: Path, beside_photo: bool, nested: int) -> None:
        if path.suffix.lower() in PHOTOS:
            return
        if is_archive(path):
            self._unpack(path, nested)
        elif path.suffix.lower() not in READABLE:
            self.strays[path.name] = "neither posts nor a photo that can be read"
        else:
            try:
                found = recognised(path) if self.source == "auto" else find_format(self.source, SOURCES)
            except InputError as error:
                self.strays[path.name] = str(error)
                return
            if found is not None and not (beside_photo and path.suffix == ".txt" and found.name != "conll"):
                self.sources.append(Source(path=path, format=found))
            elif path.suffix == ".txt":
                self.plain[path.parent] = None
            else:
                self.strays[path.name] = "it looks like none of the formats"

    def _unpack(self, path: Path, nested: int) -> None:
        if nested >= NESTED:
            self.strays[path.name] = "an archive within archives"
            return
        self.archives += 1
        place = self.scratch / f"in{self.archives}"
        try:
            unpack(path, place)
        except InputError as error:
            self.strays[path.name] = str(error)
            return
        self.walk(place, nested + 1)


def _passed(path: Path) -> bool:
    """Whether nobody asks for a file: a system's, or one that says what the others are."""
    return of_a_system(path) or path.name.startswith(".") or _PLAIN.match(path.name.lower()) is not None


def names_of(found: Gathered) -> Iterator[str]:
    """What was not read, in sentences."""
    for name, why in found.strays.items():
        yield f"not read: {quoted(name)}: {why}"

"""What was read off photos, kept on disk by their content: no photo is read twice by the same model.

One small JSON file a photo. Nothing here may stop an answer: a damaged file counts as none, and where the
disk is full or closed the program goes on without.
"""

import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, get_ident
from typing import Any

from PIL import Image

from mmdemo.photo.opening import MAX_BYTES
from mmdemo.photo_words.reading import line_from_json, line_json
from mmdemo.types import InputError, PhotoSource, PhotoWords, quoted

log = logging.getLogger(__name__)

#: Photos that are kept, 2 kB each as a rule and 4 kB of disk; the least recently used go first.
MOST_PHOTOS = 50_000
#: A file's age is looked at in steps of an hour: a look-up should not write.
_FRESH_SECONDS = 3600
#: Bytes of a file that may be one of ours.
_LARGEST = 2**20


def default_folder() -> Path:
    """``$MMDEMO_CACHE``, or mmdemo's folder in the user's cache; below it, the one of photos' words."""
    if stated := os.environ.get("MMDEMO_CACHE", "").strip():
        return Path(stated).expanduser() / "photo_words"
    base = os.environ.get("XDG_CACHE_HOME", "").strip()
    try:
        return (Path(base) if base else Path.home() / ".cache") / "mmdemo" / "photo_words"
    except RuntimeError:  # nobody's home
        return Path("/nonexistent")


def photo_key(photo: str | Path | Image.Image) -> str:
    """A photo's content in 64 hex digits: of a file its bytes, of an image its pixels.

    Raises:
        InputError: there is no such file, it cannot be read, or it is larger than may be opened.
    """
    if isinstance(photo, Image.Image):
        head = f"{photo.mode} {photo.size} ".encode()
        return hashlib.sha256(head + photo.tobytes()).hexdigest()
    name = f"the photo {quoted(Path(photo).name)}"
    try:
        if Path(photo).stat().st_size > MAX_BYTES:
            raise InputError(f"{name} is larger than the {MAX_BYTES // 2**20} MB that can be read")
        with Path(photo).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise InputError(f"{name} does not exist") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one source found in one photo, before any rule, and by which version of it."""

    version: str
    words: tuple[PhotoWords, ...]


class Kept:
    """A folder of readings, bounded in number; safe for several threads and processes."""

    def __init__(self, folder: Path, most: int = MOST_PHOTOS) -> None:
        self.folder, self._most = folder, most
        self._lock = Lock()
        self._written = 0
        self._silent = False

    def get(self, key: str) -> dict[PhotoSource, Found]:
        """What is known of a photo by source; nothing where its file is missing, foreign or damaged."""
        file = self._file(key)
        try:
            with file.open("rb") as stream:
                found = _read(stream.read(_LARGEST))
                age = time.time() - os.fstat(stream.fileno()).st_mtime
        except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
            return {}
        if age > _FRESH_SECONDS:
            with suppress(OSError):
                os.utime(file)
        return found

    def put(self, key: str, found: Mapping[PhotoSource, Found]) -> None:
        """Keep what sources found beside what other sources did; the file is replaced in one step."""
        file = self._file(key)
        with self._lock:
            rows = {
                source: {"version": one.version, "words": [line_json(words) for words in one.words]}
                for source, one in {**self.get(key), **found}.items()
            }
            beside = file.with_name(f".{file.name}.{os.getpid()}.{get_ident()}.part")
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                beside.write_text(json.dumps(rows, ensure_ascii=True), encoding="ascii")
                beside.replace(file)
            except OSError as error:
                with suppress(OSError):
                    beside.unlink(missing_ok=True)
                if not self._silent:
                    log.warning("what photos say is not kept in %s: %s", self.folder, error.strerror)
                self._silent = True
                return
            self._written += 1
            if self._written % max(1, min(self._most // 50, 500)) == 1 or self._most < 50:
                self._sweep()

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def _sweep(self) -> None:
        """Delete the least recently used beyond the bound, and what writers that died left behind."""
        with suppress(OSError):
            files: list[tuple[float, str]] = []
            for entry in os.scandir(self.folder):
                with suppress(OSError):
                    when = entry.stat().st_mtime
                    if entry.name.endswith(".json") and not entry.name.startswith("."):
                        files.append((when, entry.path))
                    elif entry.name.endswith(".part") and time.time() - when > _FRESH_SECONDS:
                        os.unlink(entry.path)
            for _, path in _oldest(files, len(files) - self._most):
                with suppress(OSError):
                    os.unlink(path)


def _oldest(files: Sequence[tuple[float, str]], count: int) -> list[tuple[float, str]]:
    return sorted(files)[: max(0, count)]


def _read(data: bytes) -> dict[PhotoSource, Found]:
    """A kept file's content. Raises one of several errors where it is not one of ours (see `Kept.get`)."""
    found: dict[PhotoSource, Found] = {}
    rows: Any = json.loads(data)
    for source, row in rows.items():
        words = tuple(line_from_json(one) for one in row["words"])
        if any(one.source != source for one in words) or not isinstance(row["version"], str):
            raise ValueError(f"{source} says what others found")
        found[source] = Found(version=row["version"], words=words)
    return found

"""Archives of strangers, unpacked within bounds: zip and tar, with what these hold of the same kind.

No member leaves the folder, no link is made, and bytes are counted as they arrive: what an archive
states of itself is not believed.
"""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO

from mmdemo.types import InputError, quoted

SUFFIXES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
#: Files of one archive, and bytes of all of them together.
MAX_FILES = 20_000
MAX_BYTES = 4 * 2**30
#: How often larger than the archive its files may be, where they are more than `SMALL` bytes.
MAX_RATIO = 200
SMALL = 64 * 2**20
_BLOCK = 2**20
#: What the libraries raise of a file that is none, is locked (RuntimeError), or is packed in a way that they
#: do not know (NotImplementedError).
_UNREADABLE = (zipfile.BadZipFile, tarfile.TarError, EOFError, RuntimeError, NotImplementedError)
#: What systems put beside people's files.
_SYSTEMS = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of an archive."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def unpack(path: Path, folder: Path) -> None:
    """Write an archive's files below a folder, which is made.

    Raises:
        InputError: it is damaged or locked, or goes beyond a bound.
    """
    most = max(SMALL, min(MAX_BYTES, MAX_RATIO * path.stat().st_size))
    taken = count = 0
    try:
        for name, file in _members(path):
            count += 1
            if count > MAX_FILES:
                raise InputError(f"{path.name} holds more than {MAX_FILES:,} files")
            with closing(file):
                target = folder / _inside(name, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as out:
                    while block := file.read(_BLOCK):
                        taken += len(block)
                        if taken > most:
                            raise InputError(
                                f"{path.name} holds far more than its own size: over {most:,} bytes"
                            )
                        out.write(block)
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(f"{path.name} is no archive that can be read, or has a password") from error
    except (zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path.name} is a damaged archive") from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path.name} cannot be unpacked: {getattr(error, 'strerror', None) or error}"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """(name, bytes) of each plain file; folders, links and devices are passed over."""
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as whole:
            for member in whole.infolist():
                if not member.is_dir() and (member.external_attr >> 28) in (0, 8):
                    yield _decoded(member), whole.open(member)
        return
    with tarfile.open(path) as tape:
        for one in tape:
            file = tape.extractfile(one) if one.isreg() else None
            if file is not None:
                yield one.name, file


def _decoded(member: zipfile.ZipInfo) -> str:
    """A member's name; old programs write UTF-8 without saying so, which then reads as the DOS code page."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _inside(name: str, path: Path) -> PurePosixPath:
    """A member's place below the folder; Windows parts it by backslashes."""
    place = PurePosixPath(name.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or "\0" in name or name[1:2] == ":" or not place.parts:
        raise InputError(f"{path.name} holds a file that would lie outside its folder: {quoted(name)}")
    return place


def of_a_system(path: Path) -> bool:
    """Whether a file is one that a system leaves beside people's own."""
    return path.name.startswith("._") or any(part in _SYSTEMS for part in path.parts)

"""The photos of a review: one file each, named by the SHA-256 of its bytes, kept only if it is a photo."""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from PIL import Image

from mmdemo.types import ImageSource, InputError, quoted

#: What a stored photo ends in, by its content.
_SUFFIXES = dict(
    zip(
        ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"),
        (".jpg", ".png", ".webp", ".gif", ".bmp", ".tif", ".avif", ".heic"),
        strict=True,
    )
)


class Unkept(InputError):
    """There is no room for a photo: nothing that a post without it would make good."""


def keep_photo(source: ImageSource, folder: Path) -> str | None:
    """Copy a photo into ``folder`` and return its name there, ``ab/abcd….jpg``; None for no photo.

    The bytes are decoded once, by the one reader that bounds size and formats; the suffix is that of the
    content, not of the name. A photo that is there already is not copied again.

    Raises:
        InputError: no such file, not a photo, damaged or too large.
        Unkept: it may well be a photo, but the folder cannot be written: the disk is full.
    """
    if source is None:
        return None
    from mmdemo.photo.opening import MAX_BYTES, open_image  # here: few commands need it

    if isinstance(source, Image.Image):
        return _keep_pixels(open_image(source), folder)
    path = Path(source)
    try:
        if path.stat().st_size > MAX_BYTES:
            open_image(path)  # says why not
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"the photo {quoted(path.name)} does not exist or cannot be read") from error
    digest = hashlib.sha256(data).hexdigest()
    for suffix in _SUFFIXES.values():
        if (folder / digest[:2] / (digest + suffix)).is_file():
            return f"{digest[:2]}/{digest}{suffix}"
    copy = _write(data, folder, digest)
    try:
        open_image(copy)  # the copy: the original may change between the check and the copy
        with Image.open(copy, formats=tuple(_SUFFIXES)) as image:
            suffix = _SUFFIXES.get(image.format or "", ".jpg")  # else MPO: a JPEG with a second picture
        name = f"{digest[:2]}/{digest}{suffix}"
        os.replace(copy, folder / name)
    except InputError as error:
        raise InputError(str(error).replace(copy.name, path.name)) from error
    except OSError as error:
        raise _unkept(folder, error) from error
    finally:
        copy.unlink(missing_ok=True)
    return name


def _keep_pixels(image: Image.Image, folder: Path) -> str:
    """Keep a photo that came as pixels, as a PNG."""
    try:
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "photo.png"
            image.save(file)
            name = keep_photo(file, folder)
    except OSError as error:
        raise _unkept(folder, error) from error
    assert name is not None
    return name


def _write(data: bytes, folder: Path, name: str) -> Path:
    """Write bytes durably under a passing name in the photo's folder; or not at all."""
    path: str | None = None
    try:
        (folder / name[:2]).mkdir(parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=folder / name[:2], suffix=".new")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if path is not None:
            with suppress(OSError):
                os.unlink(path)
        raise _unkept(folder, error) from error
    return Path(path)


def _unkept(folder: Path, error: OSError) -> Unkept:
    return Unkept(f"the folder of photos {folder} cannot be written: {error.strerror or error}")

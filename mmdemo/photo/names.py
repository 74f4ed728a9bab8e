"""A photo's name as ids, columns, links and folders spell it.

One photo is ``17_06_4705``, ``photos\\17_06_4705.JPG``, ``https://host/media/17_06_4705.jpg?size=large`` or
``caf%C3%A9%2012`` in one file and something else in the next; macOS stores ``é`` as two characters.
"""

import os
import re
import unicodedata
from urllib.parse import parse_qs, unquote, urlsplit

#: What photos' files end in. The content decides what a file is, not this.
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp"),
    *(".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"),
)

_LINK = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]{1,20}://")
#: Where Label Studio serves files from, and what it puts before the name of an uploaded one.
_SERVED = "/data/"
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")
_BLANKS = re.compile(r"\s+")


def without_suffix(name: str) -> str:
    """A photo's id without an image suffix such as ``.jpg``."""
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in SUFFIXES else name


def is_link(name: str) -> bool:
    """Whether a name is a link, which nobody follows: ``https://…``, ``s3://…``, Label Studio's own."""
    return _LINK.match(name) is not None or name.startswith(_SERVED)


def file_name(name: str) -> str:
    """The last part of a path of any system, or of a link without its query; of a bare name, itself.

    Label Studio's links to local files have the path in their query, as ``?d=``.
    """
    if is_link(name):
        try:
            parts = urlsplit(name)
            local = parse_qs(parts.query).get("d")
        except ValueError:  # brackets that are no address, a query of too many fields
            return name.rstrip("/").rpartition("/")[2]
        name = local[0] if local else parts.path
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2]


def spelling(name: str) -> str:
    """What all spellings of one name have in common: no folder, suffix, escapes, case or doubled blanks."""
    plain = unicodedata.normalize("NFC", unquote(file_name(name.strip())))
    return _BLANKS.sub(" ", without_suffix(plain.strip())).strip().casefold()


def spellings(name: str) -> tuple[str, ...]:
    """`spelling`, and that without what Label Studio puts before the name of an upload."""
    first = spelling(name)
    rest = _UPLOADED.sub("", first)
    return (first,) if rest == first else (first, rest)

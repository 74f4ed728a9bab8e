"""What decoding a photo would cost, from its file and before a pixel is decoded.

The number of pixels does not bound it. Each scan of a JPEG goes over all of them again and may take 75
bytes (49 ms at 49 megapixels: a file of 282 KB held a core for a minute), and Pillow reads a
run-length-encoded BMP run by run in Python.
"""

import re
from pathlib import Path

from PIL import Image, ImageFile

from mmdemo.types import InputError

#: Scans of one JPEG. Encoders write 10 for a progressive photo; the most thorough optimisers some 20.
MAX_SCANS = 100
#: Scans times pixels: a second on one core. 20 scans of the largest photo that can be read.
MAX_SCANNED = 1_000_000_000
#: Bytes of a run-length-encoded BMP: a second too.
MAX_RUNS = 2 * 2**20

_START_OF_SCAN, _END = 0xDA, 0xD9
#: Markers that stand alone: TEM, and the restarts and start of the image.
_BARE = frozenset((0x01, *range(0xD0, 0xD9)))
#: The marker that ends a scan's data, in which 0xFF is followed by 0 or by a restart's number.
_AFTER_DATA = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")


def check_cost(image: Image.Image, path: Path, name: str) -> None:
    """Raises InputError, one sentence, for an opened photo that would take seconds to decode."""
    if image.format in ("JPEG", "MPO"):
        most = min(MAX_SCANS, MAX_SCANNED // max(1, image.width * image.height))
        data = path.read_bytes()
        # What looks like a scan's start may lie in a thumbnail or behind the photo, as a phone's film does.
        if data.count(b"\xff\xda") > most and count_scans(data, most + 1) > most:
            raise InputError(f"{name} is a JPEG of more than {most} scans; save it anew with fewer")
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else ()
    if any(tile[0] == "bmp_rle" for tile in tiles) and path.stat().st_size > MAX_RUNS:
        raise InputError(
            f"{name} is a compressed BMP of more than {MAX_RUNS // 2**20} MB; save it as PNG or JPEG"
        )


def count_scans(data: bytes, enough: int) -> int:
    """Scans of a JPEG's first picture; counts no further than ``enough``. Never raises.

    Segments are stepped over by their length, so that a thumbnail within one does not count.
    """
    at, scans = 2, 0
    while scans < enough and 0 <= (at := data.find(b"\xff", at)) < len(data) - 1:
        kind = data[at + 1]
        if kind == _END:
            break
        if kind == 0xFF:  # padding
            at += 1
        elif kind == 0 or kind in _BARE:
            at += 2
        elif kind == _START_OF_SCAN:
            scans += 1
            found = _AFTER_DATA.search(data, at + 2 + _length(data, at))
            if found is None:
                break
            at = found.end() - 2
        else:
            at += 2 + _length(data, at)
    return scans


def _length(data: bytes, at: int) -> int:
    """A segment's bytes without its marker, as it states them."""
    return max(2, int.from_bytes(data[at + 2 : at + 4], "big"))

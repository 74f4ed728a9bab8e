"""Which encoding a text file has: UTF-8 unless its first bytes say otherwise.

A mark at its start counts first, then whether it is UTF-8, and only then what `charset_normalizer` finds in
the bytes that are not. A file that has both UTF-8 letters and other bytes is UTF-8 with damaged lines.
"""

import codecs
from pathlib import Path

from charset_normalizer import from_bytes

from mmdemo.types import InputError

#: Bytes that are looked at; the name of an encoding cannot hang on what stands gigabytes on.
HEAD = 4 * 2**20
#: Bytes around the first that are no UTF-8, for `charset_normalizer`.
SAMPLE = 32_768
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def head_of(path: Path, size: int = HEAD) -> bytes:
    """The first bytes of a file. Raises InputError where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(size)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def encoding_of(data: bytes) -> str:
    """The encoding of a file that starts so, as Python calls it."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if wide := _wide(data[:4096]):
        return wide
    try:
        # A letter may be cut at the end of the head.
        codecs.getincrementaldecoder("utf-8")().decode(data)
        return "utf-8"
    except UnicodeDecodeError as error:
        at = error.start
    sample = data[max(0, at - SAMPLE // 2) : at + SAMPLE // 2]
    if _has_utf8_letters(sample):
        return "utf-8"
    return _guessed(sample)


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of plain Latin letters is NUL."""
    pairs = len(data) // 2
    if pairs < 4:
        return None
    for name, zeros in (("utf-16-le", data[1 : 2 * pairs : 2]), ("utf-16-be", data[0 : 2 * pairs : 2])):
        if zeros.count(0) > 0.6 * pairs and data.count(0) < 1.2 * pairs:
            return name
    return None


def _has_utf8_letters(data: bytes) -> bool:
    """Whether bytes hold a letter of several bytes as UTF-8 writes it."""
    text = data.decode("utf-8", "ignore")
    return any(ord(character) > 127 for character in text)


def _guessed(sample: bytes) -> str:
    """What `charset_normalizer` makes of bytes; UTF-8, with damaged lines, where it is at a loss.

    Of encodings that give the very same text the plainest is named: Windows' own for a Western file.
    """
    if sample.count(0):
        return "utf-8"
    best = from_bytes(sample).best()
    if best is None or not any(byte > 127 for byte in sample):
        return "utf-8"
    text = str(best)
    pairs = zip(text, text[1:], strict=False)
    if not any(a.isalpha() and b.isalpha() and max(a, b) > "\x7f" for a, b in pairs):
        return "utf-8"  # a stray byte: no word has such a letter
    alike = {best.encoding, *best.could_be_from_charset}
    return next((name for name in ("cp1252", "latin_1") if name in alike), best.encoding)

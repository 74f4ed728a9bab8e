"""What photos say in words, read for those checkpoints that read it, where nobody has read it before."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mmdemo.answer.predict import reads_photo_words
from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell
from mmdemo.photo_words.ahead import read_ahead
from mmdemo.photo_words.reader import READ_SOURCES, photo_reader
from mmdemo.types import PhotoWords


def words_for(
    cells: Sequence[Cell], photo: str | Path | None, stated: tuple[PhotoWords, ...] = ()
) -> tuple[PhotoWords, ...]:
    """The words of a photo: those stated, and what is read off it where one of the cells reads words.

    A photo is not read where what was read is among the stated words; somebody may have left parts out.

    Raises:
        InputError: a checkpoint or the photo cannot be opened.
    """
    if photo is None or any(one.source in READ_SOURCES for one in stated) or not any(map(_reads, cells)):
        return stated
    return *stated, *photo_reader().read(photo).words


def read_all(cell: Cell, photos: Iterable[Path]) -> None:
    """Read many photos on all cores, for a cell that reads words; `words_for` then has them at once.

    Raises:
        InputError: the checkpoint cannot be opened, or a process died; what was read is kept.
    """
    if _reads(cell):
        read_ahead(photos, sources=photo_reader().sources)


def _reads(cell: Cell) -> bool:
    return reads_photo_words(catalogue.load(cell))

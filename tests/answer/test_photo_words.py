"""Who gets a photo read for them: checkpoints that read words, of photos that nobody has read."""

from pathlib import Path

import pytest
from PIL import Image

from mmdemo.answer import photo_words
from mmdemo.cells.locate import Cell
from mmdemo.photo_words.reader import PhotoReader
from mmdemo.photo_words.reading import PhotoReading
from mmdemo.types import InputError, PhotoWords

SIGN = PhotoWords(source="ocr", text="PADRES", score=0.9)
TYPED = PhotoWords(source="described", text="a ball game")


class Signs(PhotoReader):
    """Finds a sign in every photo, and remembers which it read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ())
        self.asked: list[str] = []

    def read(self, photo: str | Path | Image.Image, *, again: bool = False) -> PhotoReading:
        self.asked.append(str(photo))
        return PhotoReading(words=(SIGN,))


@pytest.fixture
def signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Signs:
    found = Signs(tmp_path)
    monkeypatch.setattr(photo_words, "photo_reader", lambda: found)
    monkeypatch.setattr(photo_words, "_reads", lambda cell: cell == "reads")
    return found


READS: list[Cell] = ["blind", "reads"]  # type: ignore[list-item]  # only `_reads` looks at them


def test_a_photo_is_read_beside_what_was_typed_where_a_cell_reads_words(signs: Signs) -> None:
    assert photo_words.words_for(READS, "a.jpg", (TYPED,)) == (TYPED, SIGN)
    assert signs.asked == ["a.jpg"]


@pytest.mark.parametrize(
    ("cells", "photo", "stated"),
    [(READS[:1], "a.jpg", ()), (READS, None, (TYPED,)), (READS, "a.jpg", (SIGN,)), ([], "a.jpg", ())],
)
def test_nothing_is_read_for_nobody_without_a_photo_or_twice(
    signs: Signs, cells: list[Cell], photo: str | None, stated: tuple[PhotoWords, ...]
) -> None:
    assert photo_words.words_for(cells, photo, stated) == stated and signs.asked == []


def test_a_photo_that_is_none_is_said_to_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_words, "photo_reader", lambda: PhotoReader(tmp_path, ()))
    monkeypatch.setattr(photo_words, "_reads", lambda cell: True)
    with pytest.raises(InputError):
        photo_words.words_for(READS, tmp_path / "gone.jpg")

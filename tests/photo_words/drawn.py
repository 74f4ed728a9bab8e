"""Photos with text, drawn for tests; and sources that say what a test wants."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from mmdemo.photo_words.source import Source, SourceError
from mmdemo.types import PhotoSource, PhotoWords


def sign(
    *lines: tuple[str, int, int], size: tuple[int, int] = (640, 400), height: int = 40, ink: str = "black"
) -> Image.Image:
    """A white photo with lines of text at their left tops, in pixels."""
    photo = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(photo)
    for text, left, top in lines:
        pen.text((left, top), text, fill=ink, font=ImageFont.load_default(height))
    return photo


def line(text: str, source: PhotoSource = "ocr", score: float | None = 0.9, **more: Any) -> PhotoWords:
    """A line of text in the middle of a photo, a twentieth of it high."""
    box = (0.3, 0.5, 0.6, 0.55) if source == "ocr" else None
    return PhotoWords(source=source, text=text, score=score, **{"box": box, **more})


class Saying:
    """A source that gives the same words each time, and counts."""

    def __init__(self, words: Sequence[PhotoWords], name: PhotoSource = "ocr", version: str = "1") -> None:
        self.words, self.name, self.version = list(words), name, version
        self.asked = 0
        self._lock = threading.Lock()
        self.before: Callable[[], None] = lambda: None

    def __call__(self) -> Source:
        return Source(name=self.name, version=self.version, read=self._read)

    def _read(self, photo: Image.Image) -> list[PhotoWords]:
        with self._lock:
            self.asked += 1
        self.before()
        return self.words


def failing(name: PhotoSource, error: Exception) -> Callable[[], Source]:
    """A source that cannot read any photo."""

    def read(photo: Image.Image) -> list[PhotoWords]:
        raise error

    return lambda: Source(name=name, version="1", read=read)


def absent(why: str) -> Callable[[], Source]:
    """A source that cannot be had."""

    def make() -> Source:
        raise SourceError(why)

    return make

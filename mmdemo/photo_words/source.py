"""What reads words off a photo: one interface for text, objects and captions."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from mmdemo.types import PhotoSource, PhotoWords


class SourceError(Exception):
    """A source cannot be used now; the message is one clear sentence. It costs that source and no other."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One way to read a photo.

    ``version`` names the model, and so what was kept of another one is not taken for its own. ``read`` takes
    an upright RGB photo of at most `mmdemo.photo.opening.MAX_SIDE` and gives all that the source found,
    before any rule; it may be called from several threads and raises `SourceError`.
    """

    name: PhotoSource
    version: str
    read: Callable[[Image.Image], list[PhotoWords]]

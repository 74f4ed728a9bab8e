"""Where training data comes from: a data folder, photos for it, and how it is split."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdemo.formats.published import read_split
from mmdemo.models.config import SPLITS
from mmdemo.photo.image import photo_lookup, with_photos
from mmdemo.types import InputError, Post, quoted

SCHEMES = ("official", "report")


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A data folder in the layout of `mmdemo.formats.published`, with photos from ``images`` or by ``pairs``.

    With neither, ``folder/standins/pairs.csv`` is used where it exists; else posts have no photos.
    ``scheme`` is the official split, or the report's 70:15:15 of all posts shuffled with seed 1337.
    """

    folder: Path
    images: Path | None = None
    pairs: Path | None = None
    scheme: str = "official"

    @property
    def pairs_file(self) -> Path | None:
        """The pairs file in use, if any."""
        default = self.folder / "standins" / "pairs.csv"
        return self.pairs or (default if self.images is None and default.is_file() else None)

    @property
    def photo_note(self) -> str:
        """What the photos are, as cards must state it."""
        if self.images is not None:
            return "original photos"
        return "caption-matched stand-in photos" if self.pairs_file else "no photos"

    def photo_facts(self, dataset: str) -> str:
        """What decides a dataset's photos, beside the pairs: the note, and a hash of the originals.

        Of their names and sizes: a folder may move, but another download holds other photos.
        """
        if self.images is None:
            return self.photo_note
        found = [
            (split, name, path.stat().st_size)
            for split in SPLITS
            for name, path in sorted(photo_lookup(self.images, None, dataset, split).paths.items())
        ]
        return f"{self.photo_note}: {len(found)}, {hashlib.sha256(repr(found).encode()).hexdigest()}"

    def posts(self, dataset: str, split: str) -> list[Post]:
        """The posts of a split with their photos' paths. Raises InputError for bad data."""
        if self.scheme not in SCHEMES:
            raise InputError(f"unknown split scheme {quoted(self.scheme)}; known: {', '.join(SCHEMES)}")
        if split not in SPLITS:
            raise InputError(f"unknown split {quoted(split)}; known: {', '.join(SPLITS)}")
        if self.scheme == "official":
            return self._official(dataset, split)
        everything = [post for name in SPLITS for post in self._official(dataset, name)]
        order = np.random.default_rng(1337).permutation(len(everything))
        first, second = round(0.70 * len(order)), round(0.85 * len(order))
        chosen = dict(zip(SPLITS, np.split(order, [first, second]), strict=True))[split]
        return [everything[i] for i in chosen]

    def _official(self, dataset: str, split: str) -> list[Post]:
        lookup = photo_lookup(self.images, self.pairs_file, dataset, split)
        return with_photos(read_split(self.folder, dataset, split), lookup)

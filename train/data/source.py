"""Where training data comes from: a data folder, photos for it, and how it is split."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.schema import SPLITS, Dataset
from mmdemo.datasets.toml_file import FILE, read_toml
from mmdemo.formats.descriptions import descriptions_of, read_scores, with_descriptions
from mmdemo.formats.reading import read_split, with_photos
from mmdemo.photo.lookup import PhotoLookup, photo_folders, photo_lookup
from mmdemo.photo.names import without_suffix
from mmdemo.types import InputError, Post, Question, quoted
from train.data.photo_reading import Named, with_words_read
from train.data.questions import questions_of

log = logging.getLogger(__name__)

SCHEMES = ("official", "report")


def datasets_in(folder: Path) -> list[Dataset]:
    """The dataset whose record lies in a data folder, else those that come with the program."""
    return [read_toml(folder)] if (folder / FILE).is_file() else list(bundled().values())


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A data folder in the layout that a dataset's record states; photos from ``images`` or by ``pairs``.

    With neither, ``folder/standins/pairs.csv`` is used where it exists; else the photos that lie in the data
    folder where the record says; else posts have none. ``scheme`` is the official split, or the report's
    70:15:15 of all posts shuffled with seed 1337. What the folder says of the photos in words
    (`mmdemo.formats.descriptions`) goes along, each description a `PhotoWords` of its own. With
    ``photo_sources`` questions have the words of those sources alone, read off the photos where need be.
    """

    folder: Path
    images: Path | None = None
    pairs: Path | None = None
    scheme: str = "official"
    photo_sources: Named | None = None

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

    def note_of(self, dataset: Dataset) -> str:
        """As `photo_note`; photos of the dataset's own folder are named too."""
        return "the dataset's own photos" if self._own_photos(dataset) else self.photo_note

    @property
    def described(self) -> str:
        """In words, where photos are looked for."""
        if self.images is not None:
            return f"originals in {self.images}"
        if self.pairs is not None:
            return f"stand-ins by {self.pairs}"
        if self.pairs_file is not None:
            return f"stand-ins by {self.pairs_file} (found there; caption-matched, not the posts' own photos)"
        return "those in the data folder, where the dataset names a folder for them; else posts are text only"

    def photo_facts(self, dataset: Dataset) -> str:
        """What decides a dataset's photos, beside the pairs: the note, and a hash of the originals.

        Of their names and sizes: a folder may move, but another download holds other photos.
        """
        images = self._images(dataset)
        if images is None:
            return self.photo_note
        found = [
            (split, name, path.stat().st_size)
            for split in SPLITS
            for name, path in sorted(photo_lookup(images, None, dataset, split).paths.items())
        ]
        note = self.note_of(dataset)
        return f"{note}: {len(found)}, {hashlib.sha256(repr(found).encode()).hexdigest()}"

    def posts(self, dataset: Dataset, split: str) -> list[Post]:
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

    def posts_of_all(self, split: str) -> list[Post]:
        """The posts of a split over the bundled datasets that lie in the folder; the log names the others.

        Raises:
            InputError: none of them lies there, or as `posts` does.
        """
        there = [one for one in bundled().values() if (self.folder / one.files.of(split)).is_file()]
        if not there:
            raise InputError(f"{self.folder} has none of the datasets {', '.join(bundled())}")
        if absent := [name for name, one in bundled().items() if one not in there]:
            log.warning("not in %s, so left out: %s", self.folder, ", ".join(absent))
        return [post for dataset in there for post in self.posts(dataset, split)]

    def questions(self, dataset: Dataset, split: str, limit: int | None = None) -> list[Question]:
        """What the first ``limit`` posts of a split state answers to (`train.data.questions`)."""
        return questions_of(self.told(dataset, split, limit), dataset)

    def told(self, dataset: Dataset, split: str, limit: int | None = None) -> list[Post]:
        """The first ``limit`` posts of a split with their photos' words (`train.data.photo_reading`).

        Raises:
            InputError: as `posts`, or a source of the words cannot be had.
        """
        posts = self.posts(dataset, split)[:limit]
        return posts if self.photo_sources is None else with_words_read(posts, self.photo_sources)

    def scores(self, dataset: Dataset, posts: Sequence[Post], key: str) -> np.ndarray:
        """A number that the folder states of each post's photo, (posts,); NaN where it states none."""
        stated = read_scores(self.folder, dataset, key)
        names = [without_suffix(post.image_id) if post.image_id else "" for post in posts]
        return np.array([stated.get(name, np.nan) for name in names])

    def lookup(self, dataset: Dataset, split: str) -> PhotoLookup:
        """Where a split's photos lie. Raises InputError where the photos' folder or pairs cannot be used."""
        return photo_lookup(self._images(dataset), self.pairs_file, dataset, split)

    def _official(self, dataset: Dataset, split: str) -> list[Post]:
        rows = with_photos(read_split(self.folder, dataset, split), self.lookup(dataset, split))
        return [row.post for row in with_descriptions(rows, descriptions_of(self.folder, dataset))]

    def _images(self, dataset: Dataset) -> Path | None:
        return self.folder if self._own_photos(dataset) else self.images

    def _own_photos(self, dataset: Dataset) -> bool:
        """Whether the data folder itself holds photos where the dataset's record says."""
        if self.images is not None or self.pairs_file is not None:
            return False
        patterns = [pattern for pattern in dataset.files.photos if pattern not in ("", ".")]
        return any(photo_folders(self.folder, patterns, split) for split in SPLITS)

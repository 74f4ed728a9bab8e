"""A post as a model's `Example`: the same path for training, evaluation and the app."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from mmdemo.datasets.bio import output_labels
from mmdemo.formats.published import gold_tags
from mmdemo.models.batch import Example
from mmdemo.models.config import ModelConfig
from mmdemo.photo.image import to_pixels
from mmdemo.posts.cleaning import CleanWords
from mmdemo.posts.text import TextReader
from mmdemo.types import Post, Span


class PostEncoder:
    """Encodes posts for one configuration. ``normalisation`` is its image encoder's (mean, std)."""

    def __init__(
        self,
        config: ModelConfig,
        reader: TextReader,
        normalisation: tuple[tuple[float, ...], tuple[float, ...]],
    ) -> None:
        self.config = config
        self.reader = reader
        self.normalisation = normalisation
        self.image_size = config.sizes.image_size  # another one only while tuning: cards do not state it
        self.index = {label: i for i, label in enumerate(output_labels(config.dataset))}

    def encode(self, post: Post, photo: Image.Image | None, *, keep_gold: bool = False) -> Example:
        """One example. ``keep_gold`` (training only) saves gold entities' words from the cleaning."""
        words: Sequence[str] = post.tokens
        if self.config.clean_text:
            spans: list[Span] = [post.pair.head, post.pair.tail] if post.pair else []
            if keep_gold and post.entities:
                spans += [(e.start, e.end) for e in post.entities]
            words = CleanWords(words, spans)
        return Example(
            text=self.reader.read(words, post.pair if self.config.task == "re" else None),
            target=self._target(post),
            pixels_CHW=None if photo is None else self.pixels(photo),
        )

    def pixels(self, photo: Image.Image) -> np.ndarray:
        """The photo as the image encoder takes it: float32 (3, size, size)."""
        return to_pixels(photo, self.image_size, *self.normalisation)

    def _target(self, post: Post) -> tuple[int, ...] | int | None:
        if self.config.task == "re":
            return None if post.relation is None else self.index[post.relation]
        if post.tags is None and post.entities is None:
            return None
        return tuple(self.index[tag] for tag in gold_tags(post))

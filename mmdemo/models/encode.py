"""A post as a model's `Example`: the same path for training, evaluation and the app."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from mmdemo.models.batch import Example
from mmdemo.models.config import ModelConfig
from mmdemo.models.photo_text import read_photo_text
from mmdemo.models.subtokens import TextReader
from mmdemo.photo.pixels import to_pixels
from mmdemo.posts.cleaning import CleanWords
from mmdemo.posts.gold import gold_tags
from mmdemo.types import Pair, Post, Span


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
        self.index = {
            task: {label: i for i, label in enumerate(config.dataset.outputs(task))}
            for task in config.dataset.tasks
        }

    def encode(
        self, post: Post, photo: Image.Image | None, pair: Pair | None = None, *, keep_gold: bool = False
    ) -> Example:
        """One example: of the post's entities, or of the relation of a ``pair``.

        The target is what the post states; a pair's is the first stated relation of exactly these spans, or
        the dataset's ``none`` where the post states relations and none of them is theirs.
        ``keep_gold`` (training only) saves gold entities' words from the cleaning. What the photo says in
        words is read where the configuration says so, also where the photo itself is not at hand.
        """
        words: Sequence[str] = post.tokens
        if self.config.clean_text:
            spans: list[Span] = [pair.head, pair.tail] if pair else []
            if keep_gold and post.entities:
                spans += [(e.start, e.end) for e in post.entities]
            words = CleanWords(words, spans)
        return Example(
            text=self.reader.read(words, pair),
            target=self._tags(post) if pair is None else self._relation(post, pair),
            pixels_CHW=None if photo is None else self.pixels(photo),
            words=read_photo_text(self.reader, post.photo_words) if self.config.photo_words else None,
        )

    def pixels(self, photo: Image.Image) -> np.ndarray:
        """The photo as the image encoder takes it: float32 (3, size, size)."""
        return to_pixels(photo, self.image_size, *self.normalisation)

    def _tags(self, post: Post) -> tuple[int, ...] | None:
        if (post.tags is None and post.entities is None) or "entities" not in self.index:
            return None
        return tuple(self.index["entities"][tag] for tag in gold_tags(post, flat=True))

    def _relation(self, post: Post, pair: Pair) -> int | None:
        if post.relations is None or "relations" not in self.index:
            return None
        labels = [relation.label for relation in post.relations if relation.pair == pair]
        return self.index["relations"][labels[0] if labels else self.config.dataset.none]

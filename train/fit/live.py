"""Photos opened and augmented while training runs, for stages that train the image encoder too."""

from collections.abc import Sequence
from dataclasses import replace
from typing import overload

from mmdemo.models.batch import Example
from mmdemo.models.encode import PostEncoder
from mmdemo.photo.opening import load_photo
from mmdemo.photo.pixels import augment
from mmdemo.types import Post
from train.data.photo_words import one_described
from train.fit.streams import AUGMENTATION, DESCRIPTIONS, stream


class LivePhotos(Sequence[Example]):
    """A sequence of examples whose pixels are read, and augmented by seed, epoch and index, on demand.

    Each epoch shows one of the descriptions of each photo.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        posts: Sequence[Post],
        encoder: PostEncoder,
        *,
        seed: int,
        epoch: int = 0,
    ) -> None:
        self.examples, self.posts, self.encoder = examples, posts, encoder
        self.seed, self.number = seed, epoch

    def epoch(self, number: int) -> "LivePhotos":
        """The same posts as this epoch shows them."""
        rng = stream(self.seed, DESCRIPTIONS, number)
        told = one_described(self.examples, self.posts, self.encoder, rng)
        return LivePhotos(told, self.posts, self.encoder, seed=self.seed, epoch=number)

    def __len__(self) -> int:
        return len(self.examples)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        photo, _ = load_photo(self.posts[index])
        if photo is None:
            return self.examples[index]
        rng = stream(self.seed, AUGMENTATION, self.number, index)
        photo = augment(photo, self.encoder.image_size, rng)
        return replace(self.examples[index], pixels_CHW=self.encoder.pixels(photo))

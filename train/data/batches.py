"""Length-bucketed batches: posts of like length together, in an order that a seed and an epoch fix."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from mmdemo.models.batch import Batch, Example, collate
from mmdemo.posts.text import TextInput

POOL = 50  # batches' worth of shuffled posts that are sorted by length together


def bucketed_batches(
    examples: Sequence[Example], size: int, *, seed: int, epoch: int, image_dropout: float = 0.0
) -> Iterator[Batch]:
    """Shuffled batches for one training epoch; each photo is dropped with chance ``image_dropout``."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(examples))
    lengths = np.array([len(text.ids) for text in texts_of(examples)])
    batches: list[np.ndarray] = []
    for start in range(0, len(order), size * POOL):
        pool = order[start : start + size * POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    rng.shuffle(batches)
    for batch in batches:
        dropped = rng.random(len(batch)) < image_dropout
        yield collate([_maybe_blind(examples[i], drop) for i, drop in zip(batch, dropped, strict=True)])


def texts_of(examples: Sequence[Example]) -> list[TextInput]:
    """The texts alone: reading a live example's length must not open its photo."""
    return [e.text for e in getattr(examples, "examples", examples)]


def _maybe_blind(example: Example, drop: bool) -> Example:
    return replace(example, pixels_CHW=None, regions_RD=None) if drop else example


def ordered_batches(examples: Sequence[Example], size: int) -> Iterator[tuple[list[int], Batch]]:
    """All examples, longest first (so that memory peaks at once), each batch with its posts' indices."""
    order = sorted(range(len(examples)), key=lambda i: -len(examples[i].text.ids))
    for start in range(0, len(order), size):
        index = order[start : start + size]
        yield index, collate([examples[i] for i in index])

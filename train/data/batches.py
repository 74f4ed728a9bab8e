"""Length-bucketed batches: posts of like length together, in an order that a seed and an epoch fix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mmdemo.models.batch import Batch, Example, collate
from mmdemo.models.subtokens import TextInput
from train.fit.streams import ORDER, PHOTO_DROPS, stream

POOL = 50  # batches' worth of shuffled posts that are sorted by length together
SHELVES = 5  # parts of a pool by how much the photos say: a batch is as wide as its longest of both


@dataclass(frozen=True, kw_only=True)
class Mix:
    """What an epoch takes of the questions: `train.fit.recipe.Recipe` tells what its settings mean."""

    repeats: int = 1
    unrelated: float = 0.0

    def chosen(self, examples: Sequence[Example], order: np.ndarray) -> np.ndarray:
        """The places of an epoch's examples: those of ``order``, some of them several times or not at all."""
        if self.unrelated:
            texts = texts_of(examples)
            targets = [e.target for e in getattr(examples, "examples", examples)]
            none = np.array([t.markers is not None and g == 0 for t, g in zip(texts, targets, strict=True)])
            related = sum(text.markers is not None for text in texts) - int(none.sum())
            rank = np.cumsum(none[order])
            order = order[~none[order] | (rank <= round(self.unrelated * related))]
        if self.repeats > 1:
            about_entities = np.array([text.markers is None for text in texts_of(examples)], dtype=bool)
            order = np.concatenate([order, *[order[about_entities[order]]] * (self.repeats - 1)])
        return order


ALL = Mix()


@dataclass(frozen=True, kw_only=True)
class Drops:
    """What training takes away from posts at random, so that each state of a photo is one that it knows.

    Each is a chance: ``all`` takes the photo with its words, ``photo`` the picture alone, ``words`` its words
    alone, and ``some_words`` each of the words that are left.
    """

    all: float = 0.0
    photo: float = 0.0
    words: float = 0.0
    some_words: float = 0.0

    def drawn(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """The examples less what is drawn. A chance of 0 draws no number: the others get the same ones."""
        found = list(examples)
        if self.all:
            gone = rng.random(len(found)) < self.all
            found = [e.without_photo().without_words() if g else e for e, g in zip(found, gone, strict=True)]
        if self.photo:
            gone = rng.random(len(found)) < self.photo
            found = [e.without_photo() if g else e for e, g in zip(found, gone, strict=True)]
        if self.words:
            gone = rng.random(len(found)) < self.words
            found = [e.without_words() if g else e for e, g in zip(found, gone, strict=True)]
        if self.some_words:
            found = [self._fewer_words(example, rng) for example in found]
        return found

    def _fewer_words(self, example: Example, rng: np.random.Generator) -> Example:
        if example.words is None:
            return example
        return example.keeping_words((rng.random(len(example.words.words)) >= self.some_words).tolist())


NOTHING = Drops()


def bucketed_batches(
    examples: Sequence[Example],
    size: int,
    *,
    seed: int,
    epoch: int,
    drops: Drops = NOTHING,
    mix: Mix = ALL,
) -> Iterator[Batch]:
    """Shuffled batches for one training epoch, less what ``drops`` takes away.

    A batch holds questions of one kind: about entities, or about a marked pair.
    """
    rng, taken = stream(seed, ORDER, epoch), stream(seed, PHOTO_DROPS, epoch)
    order = mix.chosen(examples, rng.permutation(len(examples)))
    lengths, words = np.array([len(text.ids) for text in texts_of(examples)]), words_of(examples)
    batches: list[np.ndarray] = []
    for kind in _kinds(examples, order):
        for start in range(0, len(kind), size * POOL):
            pool = kind[start : start + size * POOL]
            pool = pool[np.argsort(words[pool], kind="stable")]
            shelves = np.array_split(pool, SHELVES) if words[pool].any() else [pool]
            pool = np.concatenate([shelf[np.argsort(lengths[shelf], kind="stable")] for shelf in shelves])
            batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    rng.shuffle(batches)
    for batch in batches:
        yield collate(drops.drawn([examples[i] for i in batch], taken))


def _kinds(examples: Sequence[Example], order: np.ndarray) -> list[np.ndarray]:
    """The order's examples about entities, and those about pairs; without an empty kind."""
    paired = np.array([text.markers is not None for text in texts_of(examples)], dtype=bool)
    return [kind for kind in (order[~paired[order]], order[paired[order]]) if len(kind)]


def count_batches(examples: Sequence[Example], size: int, mix: Mix = ALL) -> int:
    """How many batches an epoch of `bucketed_batches` has."""
    order = mix.chosen(examples, np.arange(len(examples)))
    return sum(-(-len(kind) // size) for kind in _kinds(examples, order))


def texts_of(examples: Sequence[Example]) -> list[TextInput]:
    """The texts alone: reading a live example's length must not open its photo."""
    return [e.text for e in getattr(examples, "examples", examples)]


def words_of(examples: Sequence[Example]) -> np.ndarray:
    """How many sub-tokens each example's photo says (N,)."""
    plain = getattr(examples, "examples", examples)
    return np.array([0 if e.words is None else len(e.words.ids) for e in plain], dtype=int)


def ordered_batches(examples: Sequence[Example], size: int) -> Iterator[tuple[list[int], Batch]]:
    """All examples, longest first (so that memory peaks at once), each batch with its posts' indices."""
    order = np.array(sorted(range(len(examples)), key=lambda i: -len(examples[i].text.ids)), dtype=int)
    for kind in _kinds(examples, order):
        for start in range(0, len(kind), size):
            index = kind[start : start + size].tolist()
            yield index, collate([examples[i] for i in index])

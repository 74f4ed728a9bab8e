"""Pairs of posts -> probabilities of their relations: many pairs, batch by batch, each with marks of its own.

A pair's marks stand in the text that the encoder reads, so pairs cannot share its pass: each is a row. What
does not depend on the marks is computed once a post: the photo's regions, and the states of its words.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import torch

from mmdemo.answer.predict import MOST_PAIRS
from mmdemo.cells.calibration import Calibration
from mmdemo.cells.zoo import LoadedCell
from mmdemo.models.batch import Example, collate
from mmdemo.models.decode import looks_untrained, softmax
from mmdemo.models.encode import PostEncoder
from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.models.features import TextEncoder
from mmdemo.models.photo_cache import SEEN
from mmdemo.models.seen import encoded, fused
from mmdemo.models.subtokens import OnePostsReader
from mmdemo.photo.opening import open_image
from mmdemo.types import InputError, Pair, Post

#: Of a post with more pairs than this, each is read with the words nearest to it, up to `NARROW` sub-tokens
#: with the marks: the median sentence that relations were learnt from is shorter.
MANY_PAIRS = 160
NARROW = 32

#: Is told how many of how many pairs are answered.
Progress = Callable[[int, int], None]
Stop = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class PairsOf:
    """A post in the relation cell's words, and its pairs. ``narrow``: see `MANY_PAIRS`."""

    post: Post
    pairs: tuple[Pair, ...]

    @property
    def narrow(self) -> bool:
        return len(self.pairs) > MANY_PAIRS


@dataclass(frozen=True, kw_only=True)
class ScoredPairs:
    """Probabilities (relations,) of each pair that was answered, by (post, pair), both as places.

    ``untrained``: even the best score of all is near chance.
    """

    scores: dict[tuple[int, int], np.ndarray]
    untrained: bool


def score_pairs(
    posts: Sequence[PairsOf],
    loaded: LoadedCell,
    progress: Progress | None = None,
    should_stop: Stop | None = None,
) -> ScoredPairs:
    """Every pair's calibrated probabilities; of those not answered when ``should_stop`` says so, none.

    It is asked after each batch of `MOST_PAIRS`. Pairs that stand close together come first: they are the
    likeliest to have a relation.

    Raises:
        InputError: a photo cannot be read, or the checkpoint's scores are not finite.
    """
    makers = [_maker(one, loaded) for one in posts]
    places = [(post, pair) for post, one in enumerate(posts) for pair in range(len(one.pairs))]
    places.sort(key=lambda place: (len(posts[place[0]].post.tokens), _gap(posts[place[0]].pairs[place[1]])))
    calibration = Calibration.of(loaded.card.metrics, "relations")
    scores: dict[tuple[int, int], np.ndarray] = {}
    best = 0.0
    for batch in _batches(places):
        logits = _logits([makers[post](posts[post].pairs[pair]) for post, pair in batch], loaded)
        best = max(best, float(softmax(logits).max()))
        scores |= dict(zip(batch, calibration.probabilities(logits), strict=True))
        if progress is not None:
            progress(len(scores), len(places))
        if should_stop is not None and len(scores) < len(places) and should_stop():
            break
    untrained = bool(scores) and looks_untrained(np.array([best, *[0.0] * (_classes(loaded) - 1)]))
    return ScoredPairs(scores=scores, untrained=untrained)


def _classes(loaded: LoadedCell) -> int:
    return len(loaded.dataset.relation_labels)


def _gap(pair: Pair) -> int:
    """Words between the two."""
    return max(pair.head[0], pair.tail[0]) - min(pair.head[1], pair.tail[1])


def _batches(places: Sequence[tuple[int, int]]) -> Iterator[Sequence[tuple[int, int]]]:
    return (places[start : start + MOST_PAIRS] for start in range(0, len(places), MOST_PAIRS))


def _logits(examples: Sequence[Example], loaded: LoadedCell) -> np.ndarray:
    batch = collate(examples).to(loaded.device)
    logits = fused(loaded.model, encoded(loaded.model, batch)).output.logits.float().cpu().numpy()
    if not np.isfinite(logits).all():
        raise InputError(f"the checkpoint {loaded.card.name} gave no finite scores; its files may be damaged")
    return logits


def _maker(asked: PairsOf, loaded: LoadedCell) -> Callable[[Pair], Example]:
    """What makes an example of a pair of the post; a post without pairs is not looked at."""
    if not asked.pairs:
        return lambda pair: Example(text=loaded.encoder.reader.read(()))
    plain = replace(asked.post, entities=None, tags=None, relations=None)
    photo = None if plain.image is None else open_image(plain.image)
    shared = loaded.encoder.encode(plain, photo, asked.pairs[0])
    (shared,) = SEEN.fill([shared], loaded.model.image_encoder, loaded.device)
    shared = _with_word_states(shared, loaded)
    encoder = _reading(loaded.encoder, narrow=asked.narrow)
    bare = replace(plain, photo_words=())
    return lambda pair: replace(shared, text=encoder.encode(bare, None, pair).text)


def _with_word_states(example: Example, loaded: LoadedCell) -> Example:
    """The states of the photo's words, where the encoder reads them as a text of their own."""
    encoder = loaded.model.text_encoder
    if not isinstance(encoder, TextEncoder) or isinstance(encoder, JointEncoder):
        return example
    if example.words is None or encoder.words_in_text:
        return example
    words = collate([example]).to(loaded.device).words
    assert words is not None
    with torch.no_grad():
        return replace(example, word_states_KD=encoder.alone(words)[0].float().cpu())


def _reading(encoder: PostEncoder, *, narrow: bool) -> PostEncoder:
    """The encoder for the pairs of one post; ``narrow``: of up to `NARROW` sub-tokens."""
    own, limit = copy(encoder), encoder.reader.limit
    own.reader = OnePostsReader(encoder.reader, min(NARROW, limit) if narrow else limit)
    return own

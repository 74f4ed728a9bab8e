"""What an explanation is about: one entity, one word's tag or one relation, and its score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmdemo.types import Entity, InputError, Prediction, Relation, quoted

#: Log-probabilities are kept this far below 0, so that a certain answer has finite log-odds (27.6).
_CERTAIN = -1e-12


@dataclass(frozen=True, kw_only=True)
class Target:
    """The answer to explain, as places in a cell's scores.

    ``rows`` and ``labels`` pair up: the answer holds where each row (a word; for a relation the one row)
    has its label. ``stop`` is the (row, label) that must *not* hold: the word behind an entity going on
    with it. ``positions`` are the sub-tokens at which the head reads the answer.
    """

    title: str
    rows: tuple[int, ...]
    labels: tuple[int, ...]
    positions: tuple[int, ...]
    stop: tuple[int, int] | None = None

    def log_probability(self, logits: Tensor) -> Tensor:
        """log P(the answer), (N,), of scores (N, W, T) or (N, C), as `decode.span_confidence` counts it."""
        logits_NRT = logits.double() if logits.ndim == 3 else logits.double()[:, None]
        log_NRT = logits_NRT.log_softmax(-1)
        total_N = log_NRT[:, self.rows, self.labels].sum(-1)
        if self.stop is not None:
            going_on_N = log_NRT[:, self.stop[0], self.stop[1]].clamp(max=_CERTAIN)
            total_N = total_N + torch.log(-torch.expm1(going_on_N))
        return total_N

    def log_odds(self, logits: Tensor) -> Tensor:
        """log P / (1 - P), (N,), in nats: unlike P it does not saturate, so small effects stay visible."""
        log_N = self.log_probability(logits)
        return log_N - torch.log(-torch.expm1(log_N.clamp(max=_CERTAIN)))


def relation_target(
    ranked: Sequence[Relation], chosen: int | None, labels: Sequence[str], markers: Sequence[int]
) -> Target:
    """The ``chosen`` one of a pair's relations, best first (None: the best)."""
    rank = 0 if chosen is None else chosen
    if not 0 <= rank < len(ranked):
        raise InputError(f"target {rank} is not one of the {len(ranked)} relations, from 0 on")
    label = ranked[rank].label
    return Target(title=label, rows=(0,), labels=(labels.index(label),), positions=(markers[0], markers[2]))


def entity_target(
    prediction: Prediction,
    chosen: int | None,
    labels: Sequence[str],
    first: Sequence[int],
    probabilities_WT: np.ndarray,
) -> Target:
    """The entity at word ``chosen``, or that word's likeliest tag where no entity was found.

    None takes the surest entity; where there is none, the word that is likeliest to be part of one.
    """
    words = prediction.post.tokens
    seen = [w for w, place in enumerate(first) if place >= 0]
    if chosen is None:
        if prediction.entities:
            return _of_entity(max(prediction.entities, key=lambda e: e.score or 0.0), labels, first)
        if not seen:
            raise InputError("the model reads none of the post's words: there is nothing to explain")
        chosen = min(seen, key=lambda w: probabilities_WT[w, 0])
    if not 0 <= chosen < len(words):
        raise InputError(f"target {chosen} is not one of the post's {len(words)} words, from 0 on")
    for entity in prediction.entities:
        if entity.start <= chosen < entity.end:
            return _of_entity(entity, labels, first)
    if first[chosen] < 0:
        raise InputError(f"the model does not read word {chosen} ({quoted(words[chosen])}); choose another")
    tag = int(probabilities_WT[chosen].argmax())
    return Target(
        title=f'{labels[tag]} "{words[chosen]}"', rows=(chosen,), labels=(tag,), positions=(first[chosen],)
    )


def _of_entity(entity: Entity, labels: Sequence[str], first: Sequence[int]) -> Target:
    seen = [w for w in range(entity.start, entity.end) if first[w] >= 0]
    begin, inside = labels.index(f"B-{entity.label}"), labels.index(f"I-{entity.label}")
    goes_on = entity.end < len(first) and first[entity.end] >= 0
    return Target(
        title=f'{entity.label} "{entity.text}"',
        rows=tuple(seen),
        labels=tuple(begin if w == entity.start else inside for w in seen),
        positions=tuple(first[w] for w in seen),
        stop=(entity.end, inside) if goes_on else None,
    )

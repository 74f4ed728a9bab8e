"""Weights averaged over several runs from one start: a model soup (Wortsman et al. 2022).

Runs that differ in their order of posts and their dropout end in one basin; the mean of their weights often
generalises better than each, and costs nothing at prediction.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mmdemo.models.model import MultimodalModel
from train.score.metrics import Scores, headline

Weights = dict[str, Tensor]


def greedy_soup(
    model: MultimodalModel,
    members: Sequence[tuple[float, Weights]],
    validate: Callable[[MultimodalModel], Scores],
) -> tuple[Weights, Scores]:
    """The mean of the members that validation keeps; ``model`` is left with it.

    From the best member downwards, each joins unless the mean with it scores lower on validation (the paper's
    greedy recipe). ``members`` are (validation score, trained tensors).
    """
    ranked = sorted(members, key=lambda member: -member[0])
    kept: list[Weights] = []
    best: tuple[float, Weights, Scores] | None = None
    for _, weights in ranked:
        mixed = _mean([*kept, weights])
        model.load_state_dict(mixed, strict=False)
        scores = validate(model)
        if best is None or headline(scores) >= best[0]:
            kept.append(weights)
            best = headline(scores), mixed, scores
    assert best is not None, "a soup needs a member"
    model.load_state_dict(best[1], strict=False)
    return best[1], best[2]


def _mean(members: Sequence[Weights]) -> Weights:
    return {name: torch.stack([m[name] for m in members]).mean(0) for name in members[0]}

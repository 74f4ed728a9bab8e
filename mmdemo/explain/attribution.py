"""Which parts carried an answer: integrated gradients, occlusion, and the check that deletes the top parts.

All ask a gate function (`gates`): gates (N, K) -> scores (N,).
"""

from dataclasses import dataclass

import numpy as np
import torch

from mmdemo.explain.masking import Gates

#: The first rule has one point less than this on the path; they are doubled up to so many times, while the
#: shares miss the difference by more than `GAP`.
STEPS, DOUBLINGS, GAP = 16, 2, 0.05

#: The deletion check removes this share of the parts, and as many at random, this many times.
SHARE, DRAWS = 0.2, 15


def integrated_gradients(score: Gates, parts: int) -> np.ndarray:
    """Each part's share, (K,), of score(all) - score(none).

    Sundararajan et al. 2017, on gates instead of inputs: a part's gradient with respect to its gate is the
    gradient along the way from its reference to itself. Complete by construction: the shares add up to the
    difference, but for the error of the quadrature. The gates open as time², which gives more points to the
    start of the way (near a blank region a LayerNorm turns fastest); the integral is the same for any pace.

    The rules are nested (Fejér's second, on the angles πk/n; Waldvogel 2006): a doubled one asks only half of
    its points anew, for each holds the activations of a whole pass.
    """
    difference = total(score, parts)
    slopes: dict[float, np.ndarray] = {}  # by angle over π, a fraction of a power of two: exact as a key
    for doubled in range(DOUBLINGS + 1):
        steps = STEPS << doubled
        angles = np.arange(1, steps) / steps
        new = [angle for angle in angles if angle not in slopes]
        slopes |= zip(new, _slopes(score, parts, _times(np.array(new))), strict=True)
        weights = _fejer_weights(angles) * _times(
            angles
        )  # the time's own slope is 2t, the interval's half 1/2
        shares = weights @ np.stack([slopes[angle] for angle in angles])
        if abs(shares.sum() - difference) <= GAP * abs(difference):
            break
    return shares


def _times(angles: np.ndarray) -> np.ndarray:
    """Where a rule's angles, in units of π, stand on the path from 0 to 1."""
    return (1 - np.cos(np.pi * angles)) / 2


def _fejer_weights(angles: np.ndarray) -> np.ndarray:
    """The weights of a rule's n - 1 angles πk/n over (-1, 1)."""
    steps = len(angles) + 1
    odd = np.arange(1, steps, 2)
    return 4 / steps * np.sin(np.pi * angles) * (np.sin(np.pi * np.outer(angles, odd)) / odd).sum(1)


def _slopes(score: Gates, parts: int, times: np.ndarray) -> np.ndarray:
    """Each part's gradient at each time, (times, K), `STEPS` at once: memory stays small."""
    found = []
    for some in np.split(times, range(STEPS, len(times), STEPS)):
        path_S1 = torch.from_numpy(some**2)[:, None].float()
        gates_SK = path_S1.expand(len(some), parts).clone().requires_grad_()
        with torch.enable_grad():
            (slope_SK,) = torch.autograd.grad(score(gates_SK).sum(), gates_SK)
        found.append(slope_SK.double().numpy())
    return np.concatenate(found)


def occlusion(score: Gates, parts: int) -> np.ndarray:
    """How much the score falls when one part alone is replaced by its reference, (K,)."""
    with torch.inference_mode():
        scores = score(torch.cat([torch.ones(1, parts), 1 - torch.eye(parts)]))
    return (scores[0] - scores[1:]).numpy()


def total(score: Gates, parts: int) -> float:
    """score(all) - score(none): what all parts together bring over their references."""
    with torch.inference_mode():
        everything, nothing = score(torch.stack([torch.ones(parts), torch.zeros(parts)]))
    return float(everything - nothing)


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """How much the score falls without the ``count`` parts that an attribution ranks first, and without
    as many random ones (mean of `DRAWS` draws).
    """

    count: int
    top: float
    random: float


def deletion(score: Gates, attribution: np.ndarray, share: float = SHARE, seed: int = 0) -> Deletion:
    """The check of an attribution: its top parts should matter more than random ones.

    Parts are removed as the attribution itself imagines it, by their reference, so that no other change is
    measured along with them.
    """
    parts = len(attribution)
    count = max(1, round(share * parts))
    chosen = np.random.default_rng(seed)
    removed = [np.argsort(-attribution, kind="stable")[:count]]
    removed += [chosen.choice(parts, count, replace=False) for _ in range(DRAWS)]
    gates = torch.ones(1 + len(removed), parts)
    for row, gone in enumerate(removed, start=1):
        gates[row, torch.from_numpy(gone)] = 0
    with torch.inference_mode():
        scores = score(gates)
    falls = (scores[0] - scores[1:]).numpy()
    return Deletion(count=count, top=float(falls[0]), random=float(falls[1:].mean()))

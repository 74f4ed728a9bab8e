"""Randomness by name: each random thing has a stream of its own, which the seed and its name alone decide.

So two runs that differ in one choice, as their fusion, draw the same for all else: the other parts' first
weights, the order of the posts, the photos that are dropped, each part's dropout.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import nn

from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.models.features import TextEncoder

#: The streams, beside one for each part of a model (its first weights, its dropout).
ORDER, PHOTO_DROPS, AUGMENTATION = "order of posts", "photo drops", "augmentation"
DESCRIPTIONS = "descriptions of photos"
SHARE, PARTS, VALIDATION = "share of posts", "parts of posts", "validation posts"
WEIGHTS, DROPOUT = "first weights", "dropout"


def stream_seed(seed: int, *names: str | int) -> int:
    """The seed of a named stream, below 2^63; ``names`` go from the thing to its epoch, step or post."""
    digest = hashlib.sha256(repr((seed, *names)).encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """NumPy's generator of a named stream."""
    return np.random.default_rng(stream_seed(seed, *names))


@contextmanager
def drawn(seed: int, *names: str | int) -> Iterator[None]:
    """What torch draws on the CPU meanwhile comes from a named stream; its own state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(stream_seed(seed, *names))
        yield


@contextmanager
def named_dropout(model: nn.Module, seed: int, *names: str | int) -> Iterator[None]:
    """Each part of a training model drops by a stream of its own, anew at each call of the part.

    A part is a child of the model; each head is one. Of a row (`train.fit.rows.model`) those of each cell, so
    that a cell drops the same whatever stands beside it. Without this a fusion that draws one number more
    would change what every later layer and batch drops.
    """
    hooks = []
    hooked: set[nn.Module] = set()  # the encoders that a row's cells share
    for cell in getattr(model, "cells", {"": model}).values():
        calls: Counter[str] = Counter()

        def reseed(part: str, calls: Counter[str], module: nn.Module) -> None:
            if module.training:
                torch.manual_seed(stream_seed(seed, DROPOUT, *names, part, calls[part]))
                calls[part] += 1

        for part, module in parts_of(cell).items():
            if module not in hooked:
                drops = partial(reseed, part, calls)
                hooks.append(_drops_in(module).register_forward_pre_hook(lambda m, _, drops=drops: drops(m)))
                hooked.add(module)
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _drops_in(module: nn.Module) -> nn.Module:
    """Where a part's dropout starts: a text side is read by several ways, which meet in its stack."""
    if isinstance(module, TextEncoder) and not isinstance(module, JointEncoder):
        return module.bert
    return module


def parts_of(model: nn.Module) -> dict[str, nn.Module]:
    """The model's parts by name: its children, a container's one by one."""
    found: dict[str, nn.Module] = {}
    for name, child in model.named_children():
        if isinstance(child, nn.ModuleDict):
            found |= {f"{name}.{key}": part for key, part in child.items()}
        else:
            found[name] = child
    return found

"""Posts as tensors. The one place that pads.

Shape legend, used in every name: B batch, L sub-tokens, W words, R image regions, D width, H heads,
T tags, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from mmdemo.posts.text import TextInput

IGNORED = -100  # cross-entropy's ignore_index: a padded or unseen word


@dataclass(frozen=True, kw_only=True)
class Example:
    """One post, ready to be batched. Cached states stand in for what an encoder would compute again."""

    text: TextInput
    target: tuple[int, ...] | int | None = None  # tag indices by word (NER) or a class index (RE)
    pixels_CHW: np.ndarray | None = None
    states_LD: Tensor | None = None
    regions_RD: Tensor | None = None

    @property
    def has_image(self) -> bool:
        return self.pixels_CHW is not None or self.regions_RD is not None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Padded tensors of some posts.

    ``first_BW`` holds each word's first sub-token (-1: none). ``present_B`` is False where a post has no
    photo; its pixels or regions are then zeros. Encoders are skipped where ``states_BLD`` or
    ``regions_BRD`` (their own earlier outputs) are given; with no photo in the whole batch, pixels and
    regions are both None.
    """

    ids_BL: Tensor
    features_BL: Tensor
    mask_BL: Tensor
    first_BW: Tensor
    present_B: Tensor
    markers_B4: Tensor | None = None
    targets: Tensor | None = None  # (B, W) tags or (B,) classes
    pixels_BCHW: Tensor | None = None
    states_BLD: Tensor | None = None
    regions_BRD: Tensor | None = None

    def to(self, device: torch.device | str) -> "Batch":
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v.to(device) for k, v in moved.items() if v is not None})

    def without_images(self) -> "Batch":
        """The same posts as if none had a photo; not for a joint encoder's cached states, which saw it."""
        return replace(self, present_B=torch.zeros_like(self.present_B), pixels_BCHW=None, regions_BRD=None)


def collate(examples: Sequence[Example]) -> Batch:
    """Pad examples into one `Batch`. Targets are there only when every example states one."""
    longest = max(len(e.text.ids) for e in examples)
    words = max(len(e.text.first) for e in examples)
    have_targets = all(e.target is not None for e in examples)
    return Batch(
        ids_BL=_pad([e.text.ids for e in examples], longest, 0),
        features_BL=_pad([e.text.features for e in examples], longest, 0),
        mask_BL=_pad([[1] * len(e.text.ids) for e in examples], longest, 0).bool(),
        first_BW=_pad([e.text.first for e in examples], words, -1),
        present_B=torch.tensor([e.has_image for e in examples]),
        markers_B4=_markers(examples),
        targets=_targets(examples, words) if have_targets else None,
        pixels_BCHW=_stack(
            [None if e.pixels_CHW is None else torch.from_numpy(e.pixels_CHW) for e in examples]
        ),
        states_BLD=_pad_states([e.states_LD for e in examples], longest),
        regions_BRD=_stack([e.regions_RD for e in examples]),
    )


def _pad(rows: Sequence[Sequence[int]], length: int, value: int) -> Tensor:
    return torch.tensor([[*row, *[value] * (length - len(row))] for row in rows], dtype=torch.long)


def _markers(examples: Sequence[Example]) -> Tensor | None:
    markers = [e.text.markers for e in examples if e.text.markers is not None]
    return torch.tensor(markers) if len(markers) == len(examples) else None


def _targets(examples: Sequence[Example], words: int) -> Tensor:
    if isinstance(examples[0].target, int):
        return torch.tensor([e.target for e in examples])
    rows = []
    for e in examples:
        assert isinstance(e.target, tuple)
        rows.append([t if f >= 0 else IGNORED for t, f in zip(e.target, e.text.first, strict=True)])
    return _pad(rows, words, IGNORED)


def _stack(items: Sequence[Tensor | None]) -> Tensor | None:
    given = [item for item in items if item is not None]
    if not given:
        return None
    empty = torch.zeros_like(given[0])
    return torch.stack([empty if item is None else item for item in items]).float()


def _pad_states(items: Sequence[Tensor | None], longest: int) -> Tensor | None:
    given = [item for item in items if item is not None]
    if len(given) < len(items):
        return None
    padded = torch.zeros(len(items), longest, given[0].shape[-1])
    for row, item in zip(padded, given, strict=True):
        row[: len(item)] = item
    return padded

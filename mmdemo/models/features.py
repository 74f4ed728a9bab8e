"""What encoders give and fusions take: one contract for every model (shape legend: data/batch.py)."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class TextFeatures:
    """Token states, their mask (True = a real sub-token), and their mean."""

    tokens_BLD: Tensor
    mask_BL: Tensor

    @property
    def pooled_BD(self) -> Tensor:
        mask_BL1 = self.mask_BL.unsqueeze(-1).to(self.tokens_BLD.dtype)
        return (self.tokens_BLD * mask_BL1).sum(1) / mask_BL1.sum(1).clamp(min=1)


@dataclass(frozen=True, kw_only=True)
class ImageFeatures:
    """Image regions in reading order (7x7 from top left), and whether the post has a photo at all."""

    regions_BRD: Tensor
    present_B: Tensor

    @property
    def pooled_BD(self) -> Tensor:
        return self.regions_BRD.mean(1)


@dataclass(frozen=True, kw_only=True)
class FusionOutput:
    """Fused token states, and by name what the fusion did (SPEC §4): γ, β, weights or maps.

    A fusion at decision level also gives states for the head to read a second time, and that vote's weight.
    """

    tokens_BLD: Tensor
    image_vote_BLD: Tensor | None = None
    image_weight_B: Tensor | None = None
    trace: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class JointStates:
    """What a joint encoder gives: token states that have seen the photo, its regions, and on request each
    layer's text-to-image attention (N layers, H heads).
    """

    tokens_BLD: Tensor
    regions_BRD: Tensor | None
    attention_BNHLR: Tensor | None = None


class Encoder(nn.Module):
    """One modality's encoder; ``width`` is the last axis of the states that it gives.

    ``base`` is the folder of its pretrained weights inside its preset's; "" where all models share one.
    """

    width: int
    base: str = ""


class TextEncoder(Encoder):
    """A text side. Words enter by ``embed``, so that an explanation can let them in by parts."""

    bert: Any

    def embed(self, ids_BL: Tensor, features_BL: Tensor) -> Tensor:
        """Word embeddings with the features added (B, L, width); positions are not added yet."""
        raise NotImplementedError  # an interface


class Fusion(nn.Module):
    """The signature that all fusions share.

    Where ``image.present_B`` is False the output equals the text states exactly: that is what makes
    "with and without the photo" an honest comparison.
    """

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        raise NotImplementedError  # an interface: each fusion file holds one implementation


def keep_text_where_absent(fused_BLD: Tensor, text: TextFeatures, image: ImageFeatures) -> Tensor:
    """Fused states where there is a photo, the text's own where there is none."""
    return fused_BLD.where(image.present_B[:, None, None], text.tokens_BLD)

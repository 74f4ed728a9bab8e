"""What encoders give and fusions take: one contract for every model (shape legend: models/batch.py)."""

from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from mmdemo.models.photo_text import PADDING
from mmdemo.types import PHOTO_SOURCES, InputError

#: What a region of the photo may be: a patch of the picture, or a sub-token of what it says in words.
KINDS = ("patch", "word")
PATCH, WORD = range(len(KINDS))


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
    """What stands beside the text: patches of the photo in reading order, then its words' sub-tokens.

    ``mask_BR`` is True where there is such a region; what stands elsewhere means nothing and must change
    nothing. ``kind_R`` are indices into `KINDS`.
    """

    regions_BRD: Tensor
    mask_BR: Tensor
    kind_R: Tensor

    @property
    def present_B(self) -> Tensor:
        """Whether the post has anything beside its text: a photo, its words, or both."""
        return self.mask_BR.any(1)

    @property
    def pooled_BD(self) -> Tensor:
        """The mean over the kinds that are there of each kind's mean: 49 patches do not drown one word.

        The patches' own mean where the photo says nothing; zeros where there is nothing.
        """
        means, there = [], []
        for kind in range(len(KINDS)):
            mask_BR = self.mask_BR & (self.kind_R == kind)
            count_B1 = mask_BR.sum(1, keepdim=True)
            sum_BD = self.regions_BRD.where(mask_BR[..., None], 0.0).sum(1)
            means.append(sum_BD / count_B1.clamp(min=1))
            there.append(count_B1 > 0)
        kinds_B1 = torch.stack(there).sum(0)
        return torch.stack(means).sum(0) / kinds_B1.clamp(min=1)


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
class PhotoTokens:
    """What the photos of a batch say in words, as sub-tokens (`mmdemo.models.photo_text`)."""

    ids_BK: Tensor
    features_BK: Tensor
    sources_BK: Tensor

    @property
    def mask_BK(self) -> Tensor:
        """True at sub-tokens, the start and the end of the text included."""
        return self.sources_BK > PADDING

    @property
    def said_BK(self) -> Tensor:
        """True at sub-tokens of words: those that are regions for a fusion."""
        return self.sources_BK >= 0


@dataclass(frozen=True, kw_only=True)
class EncoderStates:
    """What encoders give: token states, the photo's regions, and the states of the photo's words.

    The latter two are None where no post of the batch has any.
    """

    tokens_BLD: Tensor
    regions_BRD: Tensor | None = None
    words_BKD: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class JointStates(EncoderStates):
    """What a joint encoder gives: token states that have seen the photo, its regions, and on request each
    layer's attention from the text to the photo's patches and then its words (N layers, H heads).
    """

    attention_BNHLR: Tensor | None = None


class Encoder(nn.Module):
    """One modality's encoder; ``width`` is the last axis of the states that it gives.

    ``base`` is the folder of its pretrained weights inside its preset's; "" where all models share one.
    """

    width: int
    base: str = ""

    def add_words(self, *, in_text: bool) -> None:
        """Make ready to read what photos say in words. Raises InputError where the encoder cannot."""
        raise InputError("this text encoder cannot read what a photo says in words")


class TextEncoder(Encoder):
    """A text side. Words enter by ``embed``, so that an explanation can let them in by parts.

    It also reads what a photo says in words, once `add_words` has made it ready: as a text of its own
    (`alone`), or behind the post's text in one stack (`together`, where ``words_in_text``).
    """

    bert: Any

    def __init__(self) -> None:
        super().__init__()
        self.words_in_text = False
        self.region_source: nn.Embedding | None = None

    def embed(self, ids_BL: Tensor, features_BL: Tensor) -> Tensor:
        """Word embeddings with the features added (B, L, width); positions are not added yet."""
        raise NotImplementedError  # an interface

    def stack(self, embedded_BLD: Tensor, mask_BL: Tensor, places_BL: Tensor | None = None) -> Tensor:
        """The layers' last states of embedded sub-tokens, at their places (None: from the start)."""
        raise NotImplementedError  # an interface

    def add_words(self, *, in_text: bool) -> None:
        self.words_in_text = in_text
        if in_text:  # one stack must tell the photo's words from the post's
            self.region_source = nn.Embedding(len(PHOTO_SOURCES), self.width)
            nn.init.normal_(self.region_source.weight, std=0.02)

    def embed_words(self, words: PhotoTokens) -> Tensor:
        """As `embed`, of a photo's words; with their source where one stack reads them behind the text."""
        embedded_BKD = self.embed(words.ids_BK, words.features_BK)
        if self.region_source is None:
            return embedded_BKD
        source_BKD = self.region_source(words.sources_BK.clamp(min=0))
        return embedded_BKD + source_BKD.where(words.said_BK[..., None], 0.0)

    def alone(self, words: PhotoTokens) -> Tensor:
        """States (B, K, width) of the photos' words as texts of their own; zeros where a photo has none."""
        having_B = words.said_BK.any(1)
        embedded_BKD = self.embed_words(words)
        states_BKD = embedded_BKD.new_zeros(embedded_BKD.shape)
        if not having_B.any():
            return states_BKD
        found = self.stack(embedded_BKD[having_B], words.mask_BK[having_B])
        return states_BKD.masked_scatter(having_B[:, None, None], found)

    def together(
        self, ids_BL: Tensor, features_BL: Tensor, mask_BL: Tensor, words: PhotoTokens
    ) -> EncoderStates:
        """Text and words in one stack, each seeing the other: ITA's arrangement (Wang et al. 2022).

        The words follow each post's own text at once, whatever the batch pads it to: a stack may measure how
        far apart two sub-tokens stand.
        """
        length = ids_BL.shape[1]
        embedded_BSD = torch.cat([self.embed(ids_BL, features_BL), self.embed_words(words)], dim=1)
        mask_BS = torch.cat([mask_BL, behind_text(words)], dim=1)
        longest = int(mask_BS.sum(1).max())
        order_BS = (~mask_BS).byte().argsort(dim=1, stable=True)[:, :longest]  # what is real comes first
        order_BSD = order_BS[..., None].expand(-1, -1, self.width)
        found_BSD = self.stack(embedded_BSD.gather(1, order_BSD), mask_BS.gather(1, order_BS))
        states_BSD = torch.zeros_like(embedded_BSD, dtype=found_BSD.dtype).scatter(1, order_BSD, found_BSD)
        return EncoderStates(tokens_BLD=states_BSD[:, :length], words_BKD=states_BSD[:, length:])


def behind_text(words: PhotoTokens) -> Tensor:
    """The mask (B, K) of words that follow a text in one stack: they need no start of their own."""
    mask_BK = words.mask_BK.clone()
    mask_BK[:, 0] = False
    return mask_BK


def places_behind(mask_BL: Tensor, words: PhotoTokens) -> Tensor:
    """The places (B, K) of words that follow each post's own text, whatever the batch pads it to."""
    steps_K = torch.arange(words.ids_BK.shape[1], device=mask_BL.device) - 1
    return (mask_BL.sum(1, keepdim=True) + steps_K).clamp(min=0)


#: What a fusion takes: text and photo, or one of them alone, which says what the other one adds.
Reads = Literal["both", "text", "photo"]


class Fusion(nn.Module):
    """The signature that all fusions share.

    Where ``image.present_B`` is False the output equals the text states exactly: that is what makes
    "with and without the photo" an honest comparison. Only one that ``reads`` the photo alone differs.
    """

    reads: Reads = "both"

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        raise NotImplementedError  # an interface: each fusion file holds one implementation

    def alone(self, text: TextFeatures) -> FusionOutput:
        """What it gives where no post of the batch has anything beside its text."""
        return FusionOutput(tokens_BLD=text.tokens_BLD)


def keep_text_where_absent(fused_BLD: Tensor, text: TextFeatures, image: ImageFeatures) -> Tensor:
    """Fused states where there is a photo or its words, the text's own where there is neither."""
    return fused_BLD.where(image.present_B[:, None, None], text.tokens_BLD)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Shares over the last axis with exactly 0 where ``mask`` is False; even ones where all of it is."""
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim=-1)

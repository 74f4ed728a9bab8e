"""Two-way cross-attention: the photo looks at the text, then the text at the photo (report §4.4.3)."""

import torch
from torch import nn

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, TextFeatures, keep_text_where_absent
from mmdemo.models.fusion.cross_attention import Looking


class TwoWayCrossAttention(Fusion):
    """v = x_v + s_v ⊙ Look(x_v → x_t); h = x_t + s_t ⊙ Look(x_t → v), with `CrossAttention`'s Look.

    Each region first takes from the tweet what concerns it, so that a token can look for regions that know of
    the other tokens. §4.4.3 calls its cross-attention "two-way" and gives no formula; the scales s are learnt
    and start at 0.1.

    Trace: ``attention_BHLR`` (token x region), ``attention_BHRL`` (region x token).
    """

    def __init__(self, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.image_side = Looking(width, dropout)
        self.text_side = Looking(width, dropout)
        self.image_scale = nn.Parameter(torch.full((width,), 0.1))
        self.scale = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        told_BRD, back_BHRL = self.image_side.look(image.regions_BRD, text.tokens_BLD, text.mask_BL)
        regions_BRD = image.regions_BRD + self.image_scale * told_BRD
        mixed_BLD, attention_BHLR = self.text_side.look(text.tokens_BLD, regions_BRD, image.mask_BR)
        return FusionOutput(
            tokens_BLD=keep_text_where_absent(text.tokens_BLD + self.scale * mixed_BLD, text, image),
            trace={"attention_BHLR": attention_BHLR, "attention_BHRL": back_BHRL},
        )

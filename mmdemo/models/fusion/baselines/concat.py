"""The baselines of two encoders: concatenation (report eqs. 3.23-3.24) or averaging (§4.3.2, SPEC §4)."""

import torch
from torch import nn

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, TextFeatures, keep_text_where_absent


class Concat(Fusion):
    """h = x_t + s ⊙ ReLU(W[x_t; x_v] + b), with the photo's mean region as x_v beside every token.

    The report writes the ReLU term alone. Its residual with a learnt scale s (started at 0.1; LayerScale,
    Touvron et al. 2021) keeps the text's states, so that the photo cannot cost what the text knows.
    Trace: none; a concatenation has nothing of its own to show.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Linear(2 * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        image_BLD = image.pooled_BD[:, None].expand_as(text.tokens_BLD)
        mixed_BLD = self.mix(torch.cat([text.tokens_BLD, image_BLD], dim=-1)).relu()
        fused_BLD = text.tokens_BLD + self.scale * mixed_BLD
        return FusionOutput(tokens_BLD=keep_text_where_absent(fused_BLD, text, image))


class Average(Fusion):
    """h = (x_t + x_v) / 2. Nothing of it is learnt but the projections before it. Trace: none."""

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        fused_BLD = (text.tokens_BLD + image.pooled_BD[:, None]) / 2
        return FusionOutput(tokens_BLD=keep_text_where_absent(fused_BLD, text, image))

"""Low-rank bilinear fusion: text and photo multiplied in a shared space (report eq. 3.31, SPEC §4)."""

import torch
from torch import nn

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, TextFeatures, keep_text_where_absent


class Bilinear(Fusion):
    """h = x_t + s ⊙ P(tanh(U x_t) ⊙ tanh(V x_v)), of rank width/4 (Kim et al. 2017, MLB).

    The full bilinear form x_tᵀ W x_v has width³ weights; this one has a rank. s is learnt and starts at 0.1.
    Trace: none.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        rank = width // 4
        self.text = nn.Linear(width, rank)
        self.image = nn.Linear(width, rank)
        self.out = nn.Linear(rank, width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        product_BLD = self.text(text.tokens_BLD).tanh() * self.image(image.pooled_BD).tanh()[:, None]
        fused_BLD = text.tokens_BLD + self.scale * self.out(product_BLD)
        return FusionOutput(tokens_BLD=keep_text_where_absent(fused_BLD, text, image))

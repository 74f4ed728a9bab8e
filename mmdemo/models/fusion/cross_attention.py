"""Cross-attention fusion: every token looks at the photo's regions (SPEC §4, `cross-attention`)."""

import torch
from torch import Tensor, nn

from mmdemo.models.features import (
    Fusion,
    FusionOutput,
    ImageFeatures,
    TextFeatures,
    keep_text_where_absent,
    masked_softmax,
)

HEADS = 8


class Looking(nn.Module):
    """FFN(LayerNorm(AV + x)), A = softmax(QKᵀ/√d_k): states x that look at others (report eqs. 3.14-3.19)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # softmax over regions would cancel a bias
        self.value = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width)
        )

    def look(self, states_BLD: Tensor, seen_BRD: Tensor, mask_BR: Tensor) -> tuple[Tensor, Tensor]:
        """What the states make of what they see where ``mask_BR`` is True, and the attention (B, H, L, R)."""
        query, key, value = (
            layer(given).unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for layer, given in ((self.query, states_BLD), (self.key, seen_BRD), (self.value, seen_BRD))
        )
        scores_BHLR = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        attention_BHLR = masked_softmax(scores_BHLR, mask_BR[:, None, None])
        found_BLD = (attention_BHLR @ value).transpose(1, 2).flatten(2)
        return self.feed_forward(self.norm(found_BLD + states_BLD)), attention_BHLR


class CrossAttention(Looking, Fusion):
    """A = softmax(QKᵀ/√d_k), Q = x_t W_Q, K, V = x_v W_K, x_v W_V; h = x_t + s ⊙ FFN(LayerNorm(AV + x_t)).

    Report eqs. 3.14-3.19 (8 heads, FFN with ReLU). The outer residual with a learnt scale s (started at
    0.1; LayerScale, Touvron et al. 2021) is ours: it keeps the text's states where the photo says nothing.

    Trace: ``attention_BHLR``, each row a distribution over the photo's regions.
    """

    def __init__(self, width: int, dropout: float = 0.1) -> None:
        super().__init__(width, dropout)
        self.scale = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        mixed_BLD, attention_BHLR = self.look(text.tokens_BLD, image.regions_BRD, image.mask_BR)
        return FusionOutput(
            tokens_BLD=keep_text_where_absent(text.tokens_BLD + self.scale * mixed_BLD, text, image),
            trace={"attention_BHLR": attention_BHLR},
        )

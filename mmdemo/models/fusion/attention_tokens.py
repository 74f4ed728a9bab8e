"""Image-guided attention over tokens, alone (report eqs. 3.28-3.30, SPEC §4, a variant of `attention`)."""

import torch
from torch import nn

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, TextFeatures, keep_text_where_absent
from mmdemo.models.fusion.attention import TOKEN_SCORES


class AttentionTokens(Fusion):
    """h = x_t + s ⊙ Σ_l w_l x_l, with w_l = softmax_l(eᵀ x_l) and e = W_e x_v + b_e.

    The photo only chooses among the tweet's own tokens; nothing of its content enters the states. The report
    writes the sum alone, one vector a post, which could not tell one word from another; the residual with a
    learnt scale s (started at 0.1) keeps each token's own state.

    Trace: ``tokens_BL`` (w).
    """

    def __init__(self, width: int, token_score: str = "dot") -> None:
        super().__init__()
        self.token_attention = TOKEN_SCORES[token_score](width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        tokens_BL, summary_BD = self.token_attention(text, image)
        fused_BLD = text.tokens_BLD + self.scale * summary_BD[:, None]
        return FusionOutput(
            tokens_BLD=keep_text_where_absent(fused_BLD, text, image), trace={"tokens_BL": tokens_BL}
        )

"""Hybrid fusion: FiLM, then concatenation, then attention weights (report §3.6 and §6.6, SPEC §4)."""

import torch
from torch import nn

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, TextFeatures, keep_text_where_absent
from mmdemo.models.fusion.attention import TOKEN_SCORES
from mmdemo.models.fusion.film import ModalityAttention


class Hybrid(Fusion):
    """m = γ⊙x_v + β; z = ReLU(W[x_t; m] + b); h = α_t x_t + α_z (z + Σ_l w_l x_l).

    γ and β come from each token, as in `FiLM`'s report form; α weighs the text against the mix by attention
    nets; w are the image-guided token weights of `TOKEN_SCORES`. The report gives no formula for its
    hybrid, only the order of its three parts.

    Trace: ``gamma_BLD``, ``beta_BLD``, ``modality_BL2`` (text, mix), ``tokens_BL``.
    """

    def __init__(self, width: int, dropout: float = 0.1, token_score: str = "dot") -> None:
        super().__init__()
        self.generator_gamma = nn.Linear(width, width)
        self.generator_beta = nn.Linear(width, width)
        for layer in (self.generator_gamma, self.generator_beta):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.ones_(self.generator_gamma.bias)
        self.mix = nn.Linear(2 * width, width)
        self.token_attention = TOKEN_SCORES[token_score](width)
        self.attend_text = ModalityAttention(width, dropout, start=1.0)
        self.attend_mix = ModalityAttention(width, dropout, start=-1.0)

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        gamma_BLD, beta_BLD = self.generator_gamma(text.tokens_BLD), self.generator_beta(text.tokens_BLD)
        modulated_BLD = gamma_BLD * image.pooled_BD[:, None] + beta_BLD
        mixed_BLD = self.mix(torch.cat([text.tokens_BLD, modulated_BLD], dim=-1)).relu()
        tokens_BL, summary_BD = self.token_attention(text, image)
        mixed_BLD = mixed_BLD + summary_BD[:, None]
        scores_BL2 = torch.cat([self.attend_text(text.tokens_BLD), self.attend_mix(mixed_BLD)], dim=-1)
        modality_BL2 = scores_BL2.softmax(dim=-1)
        fused_BLD = modality_BL2[..., :1] * text.tokens_BLD + modality_BL2[..., 1:] * mixed_BLD
        return FusionOutput(
            tokens_BLD=keep_text_where_absent(fused_BLD, text, image),
            trace={
                "gamma_BLD": gamma_BLD,
                "beta_BLD": beta_BLD,
                "modality_BL2": modality_BL2,
                "tokens_BL": tokens_BL,
            },
        )

"""Gated hybrid: FiLM and cross-attention, weighed against the text by a gate a token (report §6.6)."""

import torch
from torch import nn

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, TextFeatures, keep_text_where_absent
from mmdemo.models.fusion.cross_attention import Looking


class GatedHybrid(Fusion):
    """f = γ⊙x_v + β; u = Look(x_t → regions); g = softmax(W[x_t; f; u] + b); h = g₁ x_t + g₂ f + g₃ u.

    γ and β come from each token, as in `FiLM`'s report form, and modulate the photo's mean region; Look is
    `CrossAttention`'s. The report proposes the three parts as what comes next, without a formula. The gate
    starts towards the text (b = 2, 0, 0), so that training starts near the text's own states.

    Trace: ``gamma_BLD``, ``beta_BLD``, ``attention_BHLR``, ``gate_BL3`` (text, FiLM, cross-attention).
    """

    def __init__(self, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.generator_gamma = nn.Linear(width, width)
        self.generator_beta = nn.Linear(width, width)
        for layer in (self.generator_gamma, self.generator_beta):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.ones_(self.generator_gamma.bias)
        self.looking = Looking(width, dropout)
        self.gate = nn.Linear(3 * width, 3)
        with torch.no_grad():
            self.gate.bias.copy_(torch.tensor([2.0, 0.0, 0.0]))

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        gamma_BLD, beta_BLD = self.generator_gamma(text.tokens_BLD), self.generator_beta(text.tokens_BLD)
        modulated_BLD = gamma_BLD * image.pooled_BD[:, None] + beta_BLD
        seen_BLD, attention_BHLR = self.looking.look(text.tokens_BLD, image.regions_BRD, image.mask_BR)
        parts = (text.tokens_BLD, modulated_BLD, seen_BLD)
        gate_BL3 = self.gate(torch.cat(parts, dim=-1)).softmax(dim=-1)
        fused_BLD = (torch.stack(parts, dim=-1) * gate_BL3[:, :, None]).sum(-1)
        return FusionOutput(
            tokens_BLD=keep_text_where_absent(fused_BLD, text, image),
            trace={
                "gamma_BLD": gamma_BLD,
                "beta_BLD": beta_BLD,
                "attention_BHLR": attention_BHLR,
                "gate_BL3": gate_BL3,
            },
        )

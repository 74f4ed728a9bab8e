"""Attention fusion: how much of each modality, and to which tokens the photo speaks (SPEC §4)."""

from collections.abc import Callable

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


class TokenAttention(nn.Module):
    """Image-guided weights over tokens: e = W_e x_v + b_e, w_l = softmax_l(eᵀ x_l) (report eqs. 3.28-3.30).

    Gives the weights (B, L), which sum to 1 over real sub-tokens, and the summary Σ w_l x_l (B, D).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.guide = nn.Linear(width, width)

    def forward(self, text: TextFeatures, image: ImageFeatures) -> tuple[Tensor, Tensor]:
        scores_BL = torch.einsum("bld,bd->bl", text.tokens_BLD, self.guide(image.pooled_BD))
        return _weighed(scores_BL, text)


class AdditiveTokenAttention(nn.Module):
    """The same with an additive score, vᵀ tanh(W_t x_t + W_v x_v) (Bahdanau et al. 2015).

    Not the report's; cells that were trained with it keep answering by it.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.text = nn.Linear(width, width // 2)
        self.image = nn.Linear(width, width // 2)
        self.score = nn.Linear(width // 2, 1, bias=False)

    def forward(self, text: TextFeatures, image: ImageFeatures) -> tuple[Tensor, Tensor]:
        hidden_BLD = (self.text(text.tokens_BLD) + self.image(image.pooled_BD)[:, None]).tanh()
        return _weighed(self.score(hidden_BLD).squeeze(-1), text)


def _weighed(scores_BL: Tensor, text: TextFeatures) -> tuple[Tensor, Tensor]:
    weights_BL = masked_softmax(scores_BL, text.mask_BL)
    return weights_BL, torch.einsum("bl,bld->bd", weights_BL, text.tokens_BLD)


TOKEN_SCORES: dict[str, Callable[[int], nn.Module]] = {
    "dot": TokenAttention,
    "additive": AdditiveTokenAttention,
}


class Attention(Fusion):
    """h = α_t x_t + α_v x_v + s ⊙ Σ_l w_l x_l, with (α_t, α_v) = softmax(W[x_t; x_v]) (eqs. 3.6-3.7).

    x_v is the photo's mean region, s a learnt scale (started at 0.1) of the image-guided summary of the
    tweet. W's bias starts towards the text, so that training starts near the text's own states.

    Trace: ``modality_BL2`` (weights of text and photo for each token), ``tokens_BL`` (w).
    """

    def __init__(self, width: int, token_score: str = "dot") -> None:
        super().__init__()
        self.modality = nn.Linear(2 * width, 2)
        with torch.no_grad():
            self.modality.bias.copy_(torch.tensor([1.0, -1.0]))
        self.token_attention = TOKEN_SCORES[token_score](width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        image_BLD = image.pooled_BD[:, None].expand_as(text.tokens_BLD)
        modality_BL2 = self.modality(torch.cat([text.tokens_BLD, image_BLD], dim=-1)).softmax(dim=-1)
        tokens_BL, summary_BD = self.token_attention(text, image)
        fused_BLD = modality_BL2[..., :1] * text.tokens_BLD + modality_BL2[..., 1:] * image_BLD
        fused_BLD = fused_BLD + self.scale * summary_BD[:, None]
        return FusionOutput(
            tokens_BLD=keep_text_where_absent(fused_BLD, text, image),
            trace={"modality_BL2": modality_BL2, "tokens_BL": tokens_BL},
        )

"""Bimodal fusion: both modalities projected and mixed by one learnt weight (SPEC §4, `bimodal`)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, TextFeatures, keep_text_where_absent

#: What σ may be: "e.g., ReLU or tanh" in the report. Cells of before were trained with the logistic function.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


class Bimodal(Fusion):
    """F = α P_t x_t + (1 - α) P_v x_v; h = x_t + s ⊙ σ(W_f F + b) (report eqs. 3.8-3.12).

    α = sigmoid(a) stays in [0, 1] and starts at ½; x_v is the photo's mean region; σ is one of `ACTIVATIONS`.
    The report writes the σ term alone; its residual with a learnt scale s (started at 0.1) keeps what the
    text knows.

    Trace: ``alpha_B1``, the text's share, the same for every token and post of a checkpoint.
    """

    def __init__(self, width: int, activation: str = "relu") -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.text = nn.Linear(width, width)
        self.image = nn.Linear(width, width)
        self.alpha_logit = nn.Parameter(torch.zeros(1))
        self.mix = nn.Linear(width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        alpha_1 = self.alpha_logit.sigmoid()
        mixed_BLD = (
            alpha_1 * self.text(text.tokens_BLD) + (1 - alpha_1) * self.image(image.pooled_BD)[:, None]
        )
        fused_BLD = text.tokens_BLD + self.scale * self.activation(self.mix(mixed_BLD))
        return FusionOutput(
            tokens_BLD=keep_text_where_absent(fused_BLD, text, image),
            trace={"alpha_B1": alpha_1.expand(len(text.tokens_BLD), 1)},
        )

"""Late fusion: text and photo decide apart, and their scores are mixed (report §2.5.1, SPEC §4)."""

import torch
from torch import nn

from mmdemo.models.features import Fusion, FusionOutput, ImageFeatures, TextFeatures


class Late(Fusion):
    """scores = (1 - w) head(x_t) + w head(x_v), with w = sigmoid(a) learnt, started at 0.1.

    The photo's mean region stands at every token, so its vote is the same for all words: a photo by itself
    cannot say which word it speaks of. w is 0 where there is no photo.

    Trace: ``modality_BL2``, the weights (1 - w, w) of the two votes.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.image = nn.Linear(width, width)
        self.weight_logit = nn.Parameter(torch.tensor([0.1]).logit())

    def forward(self, text: TextFeatures, image: ImageFeatures) -> FusionOutput:
        vote_BLD = self.image(image.pooled_BD)[:, None].expand_as(text.tokens_BLD)
        weight_B = self.weight_logit.sigmoid() * image.present_B
        modality_B12 = torch.stack([1 - weight_B, weight_B], dim=-1)[:, None]
        return FusionOutput(
            tokens_BLD=text.tokens_BLD,
            image_vote_BLD=vote_BLD,
            image_weight_B=weight_B,
            trace={"modality_BL2": modality_B12.expand(-1, text.tokens_BLD.shape[1], -1)},
        )

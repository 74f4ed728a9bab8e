"""Task heads, each with its loss (report §4.6.1: Linear D->512, ReLU, dropout 0.1, Linear 512->classes).

Unlike the report's, they drop out of the fused states too, before the first layer.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mmdemo.models.batch import IGNORED, Batch


class Head(nn.Module):
    """Scores from fused token states, and the loss against a batch's targets."""

    def __init__(self, width: int, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )

    def loss(self, logits: Tensor, batch: Batch, label_smoothing: float = 0.0) -> Tensor:
        """Mean cross-entropy over words that have a sub-token (NER) or over posts (RE)."""
        assert batch.targets is not None
        return cross_entropy(
            logits.flatten(0, -2).float(),
            batch.targets.flatten(),
            ignore_index=IGNORED,
            label_smoothing=label_smoothing,
        )


class NerHead(Head):
    """A tag score for each word, read at its first sub-token: (B, L, D) -> (B, W, T)."""

    def forward(self, tokens_BLD: Tensor, batch: Batch) -> Tensor:
        if batch.first_BW.shape[1] > tokens_BLD.shape[1]:  # 100,000 words, of which 126 sub-tokens are read
            return _at(batch.first_BW, self.layers(tokens_BLD))
        return self.layers(_at(batch.first_BW, tokens_BLD))


def _at(first_BW: Tensor, values_BLX: Tensor) -> Tensor:
    """The values at each word's first sub-token, (B, W, X); those of a word that has none mean nothing."""
    return values_BLX.gather(1, first_BW.clamp(min=0)[..., None].expand(-1, -1, values_BLX.shape[-1]))


class ReHead(Head):
    """A relation score from the states at the marks [E1] and [E2]: (B, L, D) -> (B, C)."""

    def __init__(self, width: int, hidden: int, classes: int, dropout: float) -> None:
        super().__init__(2 * width, hidden, classes, dropout)

    def forward(self, tokens_BLD: Tensor, batch: Batch) -> Tensor:
        assert batch.markers_B4 is not None, "relation posts carry marks"
        rows_B = torch.arange(len(tokens_BLD), device=tokens_BLD.device)
        head_BD = tokens_BLD[rows_B, batch.markers_B4[:, 0]]
        tail_BD = tokens_BLD[rows_B, batch.markers_B4[:, 2]]
        return self.layers(torch.cat([head_BD, tail_BD], dim=-1))

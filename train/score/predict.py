"""Predictions of a model over many examples, and their scores."""

from collections.abc import Sequence

import numpy as np
import torch

from mmdemo.datasets.bio import bio_tags, output_labels
from mmdemo.models.batch import Example
from mmdemo.models.decode import best_tags, softmax
from mmdemo.models.model import MultimodalModel
from train.data.batches import ordered_batches
from train.score.metrics import Scores, score_relations, score_tags


def probabilities(
    model: MultimodalModel, examples: Sequence[Example], *, batch_size: int, device: torch.device
) -> list[np.ndarray]:
    """For each example (words, tags) with NaN rows for unseen words, or (classes,). No gradients."""
    model.eval()
    found: list[np.ndarray | None] = [None] * len(examples)
    with torch.inference_mode():
        for index, batch in ordered_batches(examples, batch_size):
            logits = model(batch.to(device)).logits.float().cpu().numpy()
            for i, row in zip(index, softmax(logits), strict=True):
                first = np.array(examples[i].text.first)
                found[i] = np.where(first[:, None] >= 0, row[: len(first)], np.nan) if row.ndim == 2 else row
    return [row for row in found if row is not None]


def score(
    dataset: str, gold: Sequence[Sequence[str]] | Sequence[str], probabilities: Sequence[np.ndarray]
) -> Scores:
    """Scores of decoded probabilities against gold tags (NER) or relations (RE)."""
    labels = output_labels(dataset)
    if probabilities[0].ndim == 1:
        predicted = [labels[int(row.argmax())] for row in probabilities]
        return score_relations([str(g) for g in gold], predicted, labels)
    tags = bio_tags(dataset)
    return score_tags([list(g) for g in gold], [best_tags(row, tags) for row in probabilities])

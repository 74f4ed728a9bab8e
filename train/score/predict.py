"""Predictions of a model over many examples, and their scores."""

from collections.abc import Sequence

import numpy as np
import torch

from mmdemo.datasets.schema import Dataset
from mmdemo.models.batch import Example
from mmdemo.models.decode import best_tags, softmax
from mmdemo.models.model import MultimodalModel
from train.data.batches import ordered_batches
from train.data.questions import Gold
from train.score.metrics import Scores, merged, score_relations, score_tags


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
                found[i] = as_answer(row, examples[i])
    return [row for row in found if row is not None]


def as_answer(row: np.ndarray, example: Example) -> np.ndarray:
    """A batch's row without its padding; NaN where a word has no sub-token."""
    if row.ndim == 1:
        return row
    first = np.array(example.text.first)
    return np.where(first[:, None] >= 0, row[: len(first)], np.nan)


def score(dataset: Dataset, gold: Sequence[Gold], probabilities: Sequence[np.ndarray]) -> Scores:
    """Scores of decoded probabilities against gold tags and relations, by the dataset's tasks."""
    scores = []
    pairs = list(zip(gold, probabilities, strict=True))
    if dataset.has_entities:
        rows = [(answer, row) for answer, row in pairs if row.ndim == 2]
        tags = [best_tags(row, dataset.tags) for _, row in rows]
        scores.append(score_tags([list(answer) for answer, _ in rows], tags))
    if dataset.has_relations:
        rows = [(answer, row) for answer, row in pairs if row.ndim == 1]
        labels = dataset.relation_labels
        found = [labels[int(row.argmax())] for _, row in rows]
        scores.append(score_relations([str(answer) for answer, _ in rows], found, labels))
    return merged(scores)

"""Many predictions at once: in the posts' order, blind to padding, with nothing said of unseen words."""

import numpy as np
import pytest
import torch

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import Example, collate
from mmdemo.models.config import ModelConfig
from mmdemo.models.decode import softmax
from mmdemo.types import Pair
from tests.tiny import lively_model
from train.score.predict import probabilities, score

RELATIONS = find_dataset("mnre").relation_labels


TAGS = find_dataset("twitter2017").tags
CPU = torch.device("cpu")


def found(model, examples, size: int = 2) -> list[np.ndarray]:
    return probabilities(model, examples, batch_size=size, device=CPU)


def test_tags_come_in_the_posts_order_with_a_row_for_each_word(reader, tmp_path):
    model, _ = lively_model(ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny"), tmp_path)
    texts = ("Go", "Ann sees \ufe0f Oakland", "Bob in Paris", "a b c d e f")
    examples = [Example(text=reader.read(text.split(" "))) for text in texts]
    rows = found(model.train(), examples)
    assert not model.training
    assert [row.shape for row in rows] == [(1, 9), (4, 9), (3, 9), (6, 9)]
    for example, row in zip(examples, rows, strict=True):
        with torch.inference_mode():
            alone = softmax(model(collate([example])).logits[0].numpy())
        seen = np.array(example.text.first) >= 0
        assert row[seen] == pytest.approx(alone[seen], abs=1e-3)
        assert np.isnan(row[~seen]).all()
    assert np.isnan(rows[1][2]).all()


def test_relations_come_in_the_posts_order(reader, tmp_path):
    model, _ = lively_model(ModelConfig(dataset=find_dataset("mnre"), preset="tiny"), tmp_path)
    pair = Pair(head=(0, 1), tail=(1, 2))
    examples = [Example(text=reader.read(t.split(), pair)) for t in ("Ann Bob", "Oakland in it", "a b c d e")]
    rows = found(model, examples)
    assert [row.shape for row in rows] == [(23,)] * 3
    assert all(row.sum() == pytest.approx(1) for row in rows)
    for row, other in zip(rows, found(model, examples, size=1), strict=True):
        assert row == pytest.approx(other, abs=1e-3)


def one_hot(*indices: int, width: int) -> np.ndarray:
    return np.eye(width)[list(indices)]


def test_scores_count_decoded_spans():
    rows = one_hot(TAGS.index("B-PER"), TAGS.index("I-PER"), 0, width=9)
    rows[1] = np.nan  # unseen, yet between two words of the name
    rows[2] = np.eye(9)[TAGS.index("I-PER")]
    scores = score(find_dataset("twitter2017"), [["B-PER", "I-PER", "I-PER"]], [rows])
    assert scores["entity"]["f1"] == 1


def test_scores_count_the_likeliest_relation():
    rows = list(one_hot(0, 1, 1, width=23))
    scores = score(find_dataset("mnre"), [RELATIONS[0], RELATIONS[1], RELATIONS[2]], rows)
    assert scores["accuracy"] == pytest.approx(2 / 3)

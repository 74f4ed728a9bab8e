"""Where the heads read, and what their loss counts."""

from dataclasses import replace

import pytest
import torch

from mmdemo.models.batch import IGNORED, Example, collate
from mmdemo.models.heads import EntityHead, Head, RelationHead
from mmdemo.models.subtokens import TextInput

TEXT = TextInput(ids=tuple(range(8)), features=(0,) * 8, first=(2, -1, 5), markers=(1, 3, 4, 6))
#: State i of the text is (i, 10 i).
STATES_BLD = torch.arange(8.0)[None, :, None] * torch.tensor([1.0, 10.0])


def read_out(head: Head) -> Head:
    """A head whose scores are the states that it reads."""
    head.layers = torch.nn.Identity()
    return head


def test_tags_are_read_at_each_words_first_subtoken():
    head = read_out(EntityHead(2, 4, 3, 0.0))
    scores = head(STATES_BLD, collate([Example(text=TEXT)]))
    assert scores[0, [0, 2]].tolist() == [[2.0, 20.0], [5.0, 50.0]]


def test_words_beyond_what_the_model_reads_cost_nothing_and_change_nothing():
    head = EntityHead(2, 4, 3, 0.0).eval()
    long = replace(TEXT, first=(*TEXT.first, *[-1] * 50_000))
    scored = []
    head.layers.register_forward_hook(lambda _, given, __: scored.append(given[0].shape[1]))
    with torch.inference_mode():
        few, many = (head(STATES_BLD, collate([Example(text=text)])) for text in (TEXT, long))
    assert torch.equal(many[0, [0, 2]], few[0, [0, 2]]) and many.shape == (1, 50_003, 3)
    assert scored == [3, 8], "words, or sub-tokens where those are fewer"


def test_relations_are_read_at_the_opening_marks_head_first():
    head = read_out(RelationHead(2, 4, 3, 0.0))
    assert head(STATES_BLD, collate([Example(text=TEXT)])).tolist() == [[1.0, 10.0, 4.0, 40.0]]
    tail_first = replace(TEXT, markers=(4, 6, 1, 3))
    assert head(STATES_BLD, collate([Example(text=tail_first)])).tolist() == [[4.0, 40.0, 1.0, 10.0]]


def test_the_loss_is_the_mean_over_words_that_were_seen():
    batch = collate([Example(text=TEXT, target=(0, 1, 2))])
    assert batch.targets.tolist() == [[0, IGNORED, 2]]
    shares = torch.tensor([[[0.5, 0.25, 0.25], [1.0, 0.0, 0.0], [0.5, 0.25, 0.25]]])
    loss = EntityHead(2, 4, 3, 0.0).loss(shares.log(), batch)
    assert loss.item() == pytest.approx((0.6931472 + 1.3862944) / 2)  # ln 2, ln 4


def test_label_smoothing_moves_the_target():
    batch = collate([Example(text=TEXT, target=0)])
    shares = torch.tensor([[0.5, 0.5]])
    smooth = RelationHead(2, 4, 2, 0.0).loss(torch.tensor([[0.9, 0.1]]).log(), batch, 0.2)
    assert smooth.item() == pytest.approx(0.9 * 0.1053605 + 0.1 * 2.3025851)  # 0.2 spread over two classes
    assert RelationHead(2, 4, 2, 0.0).loss(shares.log(), batch, 0.2).item() == pytest.approx(0.6931472)

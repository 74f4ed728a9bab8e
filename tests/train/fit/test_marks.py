"""Marks that nobody taught enter a frozen encoder as signs that it knows."""

import pytest
import torch

from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.text import FIRST_MARK
from mmdemo.models.model import build_model
from mmdemo.models.subtokens import FEATURES
from mmdemo.types import InputError
from train.fit.marks import SIGNS, read_marks_as_signs


@pytest.fixture
def parts(tiny_zoo):
    config = ModelConfig(dataset=find_dataset("mnre"), preset="tiny")
    encoder = build_model(config).text_encoder
    return encoder, post_encoder(config, tiny_zoo).reader


def embedded(encoder, ids, features):
    return encoder.embed(torch.tensor([ids]), torch.tensor([features]))[0]


def test_a_mark_enters_as_its_sign_does(parts):
    encoder, reader = parts
    read_marks_as_signs(encoder, reader)
    marks = embedded(encoder, list(reader.mark_ids), [*range(FIRST_MARK, len(FEATURES))])
    signs = embedded(encoder, [reader.tokenizer.token_to_id(sign) for sign in SIGNS], [0] * len(SIGNS))
    assert torch.allclose(marks, signs, atol=1e-6)


def test_a_mark_that_was_taught_keeps_its_meaning(parts):
    encoder, reader = parts
    torch.nn.init.normal_(encoder.feature_embedding.weight)
    before = encoder.feature_embedding.weight.clone()
    read_marks_as_signs(encoder, reader)
    assert torch.equal(encoder.feature_embedding.weight, before)


def test_a_vocabulary_without_the_sign_is_refused(parts, monkeypatch):
    encoder, reader = parts
    monkeypatch.setattr("train.fit.marks.SIGNS", ("(", ")", "no such word", "]"))
    with pytest.raises(InputError, match="no such word"):
        read_marks_as_signs(encoder, reader)

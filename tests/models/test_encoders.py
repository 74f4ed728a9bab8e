"""The encoders: what each gives, what the pretrained ones know, and that padding is invisible."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.cells.pretrained_base import load_base
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import Example, collate
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.image import EfficientNetLite, TinyImageEncoder
from mmdemo.models.encoders.text import MarkedBert
from mmdemo.models.model import build_model
from mmdemo.models.subtokens import FEATURES


@pytest.fixture(scope="module")
def lite(shipped):
    model = build_model(ModelConfig(dataset=find_dataset("mnre")))
    load_base(shipped, model, "lite")
    return model.eval()


def test_the_lite_image_encoder_gives_49_regions(lite):
    assert isinstance(lite.image_encoder, EfficientNetLite)
    with torch.inference_mode():
        regions_BRD = lite.image_encoder(torch.zeros(2, 3, 224, 224))
    assert regions_BRD.shape == (2, 49, 256)
    assert regions_BRD.isfinite().all() and regions_BRD.std() > 0


def test_regions_are_in_reading_order():
    encoder = TinyImageEncoder().eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.abs_()
        dark = torch.zeros(1, 3, 64, 64)
        light = dark.clone()
        light[..., :8, -8:] = 1  # top right
        change_R = (encoder(light) - encoder(dark)).sum(-1)[0].reshape(7, 7)
    assert change_R.argmax() == 6 and change_R[3:].eq(0).all()


def test_marks_start_without_a_meaning_and_leave_minilm_as_it_is(lite):
    embedding = lite.text_encoder.feature_embedding.weight
    assert embedding.shape == (len(FEATURES), 384) and embedding.eq(0).all()
    ids, mask = torch.tensor([[101, 5001, 2003, 102]]), torch.ones(1, 4, dtype=torch.bool)
    with torch.inference_mode():
        ours = lite.text_encoder(ids, torch.tensor([[0, 3, 1, 0]]), mask)
        plain = lite.text_encoder.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state
    torch.testing.assert_close(ours, plain)


def test_lite_knows_what_words_mean(lite, reader):
    """The base weights are really MiniLM's: mean-pooled sentences lie near their paraphrase."""

    def sentence(text: str) -> torch.Tensor:
        batch = collate([Example(text=reader.read(text.split()))])
        with torch.inference_mode():
            states = lite.text_encoder(batch.ids_BL, torch.zeros_like(batch.features_BL), batch.mask_BL)
        return torch.nn.functional.normalize(states.mean(1)[0], dim=0)

    dog, puppy, bank = map(sentence, ("a dog plays", "the puppy is playing", "the bank raised its rates"))
    assert dog @ puppy > 0.6 > 0.3 > dog @ bank


@given(st.lists(st.integers(1000, 30000), min_size=1, max_size=8))
def test_padding_does_not_change_token_states(ids):
    torch.manual_seed(0)
    encoder = MarkedBert("tiny", cased=True).eval()
    length = len(ids)
    padded = torch.tensor([[*ids, *[0] * 5]])
    mask = torch.tensor([[True] * length + [False] * 5])
    with torch.inference_mode():
        with_padding = encoder(padded, torch.zeros_like(padded), mask)[:, :length]
        alone = encoder(padded[:, :length], torch.zeros_like(padded[:, :length]), mask[:, :length])
    torch.testing.assert_close(with_padding, alone, rtol=1e-4, atol=1e-5)

"""The whole model at tiny sizes, for each fusion and task: scores, loss, photos, batches; the encoders."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.base import load_base
from mmdemo.checkpoint import cell_folder, load_card, load_model, save_cell, save_trunk
from mmdemo.config import FUSIONS, ModelConfig
from mmdemo.data.batch import Example, collate
from mmdemo.data.text import FEATURES
from mmdemo.labels import output_labels
from mmdemo.models.image_encoders import EfficientNetLite, TinyImageEncoder
from mmdemo.models.model import build_model
from mmdemo.models.text_encoders import MarkedBert
from mmdemo.types import Pair
from mmdemo.zoo import SHIPPED
from tests.tiny import build_cell, lively_model

TEXTS = {
    "twitter2017": ("Kevin Durant enters Oracle Arena", "Go", "in Oakland , \ufe0f tonight"),
    "mnre": ("Ann of Oakland", "see Bob and Key Largo today", "Paris Paris"),
}
PAIRS = (Pair(head=(0, 1), tail=(2, 3)), Pair(head=(3, 5), tail=(1, 2)), Pair(head=(0, 1), tail=(1, 2)))


@pytest.fixture(params=[(d, f) for d in TEXTS for f in FUSIONS], ids="-".join)
def config(request) -> ModelConfig:
    return ModelConfig(dataset=request.param[0], fusion=request.param[1], preset="tiny")


@pytest.fixture
def model(config, tmp_path):
    return lively_model(config, tmp_path)[0]


@pytest.fixture
def examples(config, reader) -> list[Example]:
    """Three posts; the middle one has no photo."""
    rng = np.random.default_rng(3)
    found = []
    for i, text in enumerate(TEXTS[config.dataset]):
        words = text.split(" ")
        target: tuple[int, ...] | int = tuple(range(len(words))) if config.task == "ner" else 5 * i
        found.append(
            Example(
                text=reader.read(words, PAIRS[i] if config.task == "re" else None),
                target=target,
                pixels_CHW=None if i == 1 else rng.standard_normal((3, 64, 64)).astype(np.float32),
            )
        )
    return found


def test_scores_have_a_row_for_each_word_or_post(config, model, examples):
    output = model(collate(examples))
    labels = len(output_labels(config.dataset))
    assert output.logits.shape == ((3, 5, labels) if config.task == "ner" else (3, labels))
    assert output.logits.isfinite().all()


def test_loss_is_finite_and_every_part_learns(config, model, examples):
    batch = collate(examples)
    loss = model.head.loss(model.train()(batch).logits, batch)
    loss.backward()
    assert loss.isfinite() and loss > 0
    parts = ("text_encoder", "image_encoder", "text_projection", "image_projection", "fusion", "head")
    for part in parts:
        grads = [p.grad for p in getattr(model, part).parameters() if p.grad is not None]
        assert sum(g.abs().sum() for g in grads) > 0, part


def test_a_post_answers_alike_alone_and_in_a_batch(config, model, examples):
    together = model(collate(examples)).logits
    for row, example in enumerate(examples):
        alone = model(collate([example])).logits[0]
        seen = together[row, : len(alone)] if config.task == "ner" else together[row]
        torch.testing.assert_close(alone, seen, rtol=1e-4, atol=1e-4)


def test_no_photo_is_the_same_whether_absent_or_dropped(model, examples):
    batch = collate(examples)
    dropped = model(batch.without_images())
    assert dropped.trace == {}
    states_BLD, regions_BRD = model.encode(batch)
    hidden = model.fuse(states_BLD, regions_BRD, batch.without_images()).logits
    torch.testing.assert_close(dropped.logits, hidden, rtol=0, atol=0)


def test_the_photo_matters_where_there_is_one_and_only_there(model, examples):
    batch = collate(examples)
    with_photo, without = model(batch).logits, model(batch.without_images()).logits
    changed = [not torch.allclose(a, b, atol=1e-3) for a, b in zip(with_photo, without, strict=True)]
    assert changed == [True, False, True]


def test_cached_states_give_the_same_scores(model, examples):
    batch = collate(examples)
    states_BLD, regions_BRD = model.encode(batch)
    cached = [
        Example(
            text=e.text,
            states_LD=states_BLD[i, : len(e.text.ids)].detach(),
            regions_RD=None if e.pixels_CHW is None else regions_BRD[i].detach(),
        )
        for i, e in enumerate(examples)
    ]
    torch.testing.assert_close(model(collate(cached)).logits, model(batch).logits, rtol=1e-4, atol=1e-4)


def test_evaluation_is_deterministic(model, examples):
    batch = collate(examples)
    assert torch.equal(model(batch).logits, model(batch).logits)


def test_head_and_tail_are_told_apart(reader, tmp_path):
    model, _ = lively_model(ModelConfig(dataset="mnre", preset="tiny"), tmp_path)
    words = ["Ann", "and", "Bob"]
    there = Example(text=reader.read(words, Pair(head=(0, 1), tail=(2, 3))))
    back = Example(text=reader.read(words, Pair(head=(2, 3), tail=(0, 1))))
    scores = model(collate([there, back])).logits
    assert not torch.allclose(scores[0], scores[1], atol=1e-2)


# ---------------------------------------------------------------- save and load


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_a_saved_model_answers_alike(config, examples, tmp_path, bits):
    original = build_cell(tmp_path, config, bits=bits)
    folder = cell_folder(tmp_path, config)
    loaded = load_model(tmp_path, folder, load_card(folder))
    batch = collate(examples)
    difference = (loaded(batch).logits - original(batch).logits).abs().max()
    assert difference < {4: 2.0, 8: 0.1, 16: 0.01}[bits]
    assert original(batch).logits.abs().max() > 5
    assert not loaded.training


def test_what_is_stored_once_is_stored_exactly(config, tmp_path):
    build_cell(tmp_path, config)
    folder = cell_folder(tmp_path, config)
    first = load_model(tmp_path, folder, load_card(folder))
    base = build_model(config)
    load_base(tmp_path, base, "tiny")
    again = tmp_path / "again"
    save_trunk(again / "trunk.safetensors", first, dict(base.named_parameters()), 8)
    save_cell(again, first, config, trunk="trunk.safetensors", training={}, metrics={})
    second = dict(load_model(tmp_path, again, load_card(again)).named_parameters())
    for name, parameter in first.named_parameters():
        # A trunk is added to its base, which rounds in float32.
        near = 1e-6 if name.startswith(("text_encoder", "image_encoder")) else 0
        assert (parameter - second[name]).abs().max() <= near, name


def test_two_loads_are_equal(config, tiny_zoo):
    folder = cell_folder(tiny_zoo, config)
    models = [load_model(tiny_zoo, folder, load_card(folder)) for _ in range(2)]
    for (name, a), b in zip(models[0].state_dict().items(), models[1].state_dict().values(), strict=True):
        assert torch.equal(a, b), name


# ---------------------------------------------------------------- encoders


@pytest.fixture(scope="module")
def lite():
    model = build_model(ModelConfig(dataset="mnre"))
    load_base(SHIPPED, model, "lite")
    return model.eval()


def test_the_lite_image_encoder_gives_49_regions(lite):
    assert isinstance(lite.image_encoder, EfficientNetLite)
    with torch.inference_mode():
        regions_BRD = lite.image_encoder(torch.zeros(2, 3, 224, 224))
    assert regions_BRD.shape == (2, 49, 1280)
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

"""The preset ``full``: read through the base folder, its encoders give what the published models give."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import (
    BertModel,
    BlipForQuestionAnswering,
    BlipVisionModel,
    CLIPVisionModel,
    RobertaModel,
    ViltModel,
)

from mmdemo.cells.pretrained_base import load_base
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.models.fusion.table import fusions_of
from mmdemo.models.model import MultimodalModel, build_model
from mmdemo.models.subtokens import FEATURES
from mmdemo.posts.marks import MARKS
from tests.shrunk import publish, shrink, small_resnet
from train.bases.full_base import Origin, build_full_base

IDS = torch.tensor([[5, 901, 77, 2045, 6, 12], [5, 33, 6, 1, 1, 1]])
MASK = IDS != 1  # RoBERTa counts places by it
PLAIN = torch.zeros_like(IDS)
BOTH = torch.tensor([True, True])


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Iterator[Path]:
    """Published weights, small, while the preset is shrunk to their size."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        yield publish(tmp_path_factory.mktemp("weights"), patch)


@pytest.fixture(scope="module")
def read(weights, tmp_path_factory):
    """Model name -> the model with the published weights in it, by way of its base folder."""
    root = tmp_path_factory.mktemp("root")

    def load(name: str) -> MultimodalModel:
        config = ModelConfig(
            dataset=find_dataset("mnre"), model=name, fusion=fusions_of(name)[0], preset="full"
        )
        build_full_base(root, config, Origin(weights_root=weights))
        model = build_model(config)
        load_base(root, model, "full")
        return model.eval()

    return load


def library(kind, folder: Path, **options):
    return kind.from_pretrained(folder, dtype=torch.float32, **options).eval()


def pixels(size: int) -> torch.Tensor:
    return torch.randn(2, 3, size, size)


@pytest.mark.parametrize(
    ("name", "kind", "folder"),
    [
        ("roberta-resnet50", RobertaModel, "roberta-large"),
        ("bert-resnet50", BertModel, "bert-base-uncased"),
        ("clip-bert", BertModel, "bert-base-uncased"),
    ],
)
def test_text_sides_give_what_the_library_gives(read, weights, name, kind, folder):
    plain = library(kind, weights / folder)(input_ids=IDS, attention_mask=MASK.long()).last_hidden_state
    ours = read(name).text_encoder(IDS, PLAIN, MASK)
    torch.testing.assert_close(ours[MASK], plain[MASK], rtol=1e-5, atol=1e-5)


def test_a_mark_is_read_and_letter_case_is_not(read):
    encoder = read("roberta-resnet50").text_encoder
    with torch.no_grad():
        encoder.feature_embedding.weight.normal_()
        encoder.feature_embedding.weight[0] = 0
    cased, marked = PLAIN.clone(), PLAIN.clone()
    cased[0, 2], marked[0, 2] = FEATURES.index("upper"), FEATURES.index(MARKS[2])
    plain = encoder(IDS, PLAIN, MASK)
    assert torch.equal(encoder(IDS, cased, MASK), plain)
    assert not torch.allclose(encoder(IDS, marked, MASK)[0], plain[0], atol=1e-3)


def test_resnets_map_is_what_stands_before_its_pooling(read, weights):
    net = small_resnet()
    net.load_state_dict(torch.load(next((weights / "resnet50").iterdir()), weights_only=True))
    photo = pixels(64)
    regions = read("bert-resnet50").image_encoder(photo)
    assert regions.shape == (2, 4, 2048)
    torch.testing.assert_close(net.eval().fc(regions.mean(1)), net(photo))


def test_vision_towers_give_their_patches(read, weights):
    photo = pixels(64)
    clip = library(CLIPVisionModel, weights / "clip-vit-base-patch32")(photo).last_hidden_state
    torch.testing.assert_close(read("clip-bert").image_encoder(photo), clip[:, 1:], rtol=1e-5, atol=1e-5)
    whole = library(BlipForQuestionAnswering, weights / "blip-vqa-base").vision_model
    assert isinstance(whole, BlipVisionModel)
    blip = whole(photo, interpolate_pos_encoding=True).last_hidden_state
    torch.testing.assert_close(read("blip").image_encoder(photo), blip[:, 1:], rtol=1e-5, atol=1e-5)


def test_blip_looks_at_the_photo_of_those_that_have_one(read, weights):
    ours, regions = read("blip").text_encoder, torch.randn(2, 16, 32)
    plain = library(BlipForQuestionAnswering, weights / "blip-vqa-base").text_encoder
    mask = MASK.long()
    seeing = plain(input_ids=IDS, attention_mask=mask, encoder_hidden_states=regions).last_hidden_state
    blind = plain(input_ids=IDS, attention_mask=mask).last_hidden_state
    near = {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(ours(IDS, PLAIN, MASK, regions, BOTH).tokens_BLD[MASK], seeing[MASK], **near)
    torch.testing.assert_close(ours(IDS, PLAIN, MASK, None, ~BOTH).tokens_BLD[MASK], blind[MASK], **near)
    one = torch.tensor([False, True])
    mixed = ours(IDS, PLAIN, MASK, regions, one, with_attention=True)
    torch.testing.assert_close(mixed.tokens_BLD[0], blind[0], **near)
    torch.testing.assert_close(mixed.tokens_BLD[1][MASK[1]], seeing[1][MASK[1]], **near)
    assert mixed.attention_BNHLR.shape == (2, 2, 2, 6, 16) and mixed.attention_BNHLR[0].eq(0).all()
    torch.testing.assert_close(mixed.attention_BNHLR[1].sum(-1), torch.ones(2, 2, 6))


@pytest.mark.parametrize("size", [96, 64])
def test_vilt_reads_text_and_patches_as_the_library_does(read, weights, size):
    model, photo = read("vilt"), pixels(size)
    plain = library(ViltModel, weights / "vilt-b32-mlm")(
        input_ids=IDS,
        attention_mask=MASK.long(),
        pixel_values=photo,
        pixel_mask=torch.ones(2, size, size, dtype=torch.long),
    ).last_hidden_state
    assert isinstance(model.text_encoder, JointEncoder)
    regions = model.image_encoder(photo)
    ours = model.text_encoder(IDS, PLAIN, MASK, regions, BOTH, with_attention=True)
    torch.testing.assert_close(ours.tokens_BLD[MASK], plain[:, :6][MASK], rtol=1e-4, atol=1e-4)
    count = (size // 16) ** 2
    assert ours.regions_BRD.shape == (2, count, 32)
    assert ours.attention_BNHLR.shape == (2, 2, 2, 6, count) and ours.attention_BNHLR.sum(-1).max() < 1
    blind = model.text_encoder(IDS, PLAIN, MASK, None, ~BOTH).tokens_BLD
    hidden = model.text_encoder(IDS, PLAIN, MASK, regions, ~BOTH).tokens_BLD
    torch.testing.assert_close(blind[MASK], hidden[MASK], rtol=1e-4, atol=1e-4)


def test_vilts_places_beyond_its_forty_start_as_the_last(read, weights):
    places = read("vilt").text_encoder.bert.embeddings.text_embeddings.position_embeddings.weight
    plain = library(ViltModel, weights / "vilt-b32-mlm").embeddings.text_embeddings.position_embeddings
    assert places.shape == (128, 32) and torch.equal(places[:40], plain.weight)
    assert torch.equal(places[40:], plain.weight[-1:].expand(88, -1))

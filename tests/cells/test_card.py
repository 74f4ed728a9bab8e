"""What a card says of settings that came later: older cards mean what they meant, and stay readable."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmdemo.cells.card import card_json, load_card
from mmdemo.cells.checkpoint import cell_folder, load_model
from mmdemo.cells.zoo import trunk_hash
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import Example, collate
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.fusion.attention import AdditiveTokenAttention, TokenAttention
from mmdemo.models.fusion.table import FUSIONS, buildable
from mmdemo.models.model import build_fusion
from mmdemo.models.photo_text import read_photo_text
from mmdemo.types import InputError, Pair, PhotoWords
from tests.tiny import build_cell, write_card

FILM = ModelConfig(dataset=find_dataset("mnre"), preset="tiny")
LATER = {"photo_words", "words_in_text", "bimodal_activation", "token_score"}
SAID = [PhotoWords(source="ocr", text="PADRES win")]


def read_back(root: Path, config: ModelConfig, *less: str) -> ModelConfig:
    """The configuration of a card that was written for ``config``, without the settings ``less``."""
    folder = write_card(root, config)
    file = folder / "config.json"
    stated = json.loads(file.read_text())
    stated["config"] = {name: value for name, value in stated["config"].items() if name not in less}
    file.write_text(json.dumps(stated))
    (folder / "metrics.json").write_text(json.dumps({"cell": config.cell}))
    return load_card(folder).config


@pytest.mark.parametrize("fusion", FUSIONS)
def test_an_older_card_is_a_cell_of_photos_alone_by_the_formula_of_then(tmp_path, fusion):
    model = next(name for name in MODELS if fusion in buildable(name))
    config = read_back(tmp_path, replace(FILM, model=model, fusion=fusion), *LATER)
    assert not config.photo_words and not config.words_in_text
    built = build_fusion(config)
    if fusion == "bimodal":
        assert config.bimodal_activation == "sigmoid" and built.activation is torch.sigmoid
    if fusion in ("attention", "hybrid"):
        assert config.token_score == "additive"
        assert isinstance(built.token_attention, AdditiveTokenAttention)


@pytest.mark.parametrize("fusion", buildable("roberta-resnet50"))
@pytest.mark.parametrize("words", [{}, {"photo_words": True}, {"photo_words": True, "words_in_text": True}])
def test_what_a_card_says_is_read_back(tmp_path, fusion, words):
    config = replace(FILM, fusion=fusion, **words)
    assert read_back(tmp_path, config) == config
    built = build_fusion(config)
    if hasattr(built, "token_attention"):
        assert isinstance(built.token_attention, TokenAttention), "new cells score by the dot product"


def test_an_older_program_reads_the_cards_of_cells_that_it_can_run():
    assert not LATER & card_json(FILM, {}, {})["config"].keys()
    assert card_json(replace(FILM, fusion="bimodal"), {}, {})["config"]["bimodal_activation"] == "relu"
    assert card_json(replace(FILM, photo_words=True), {}, {})["config"]["photo_words"] is True


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"photo_words": "yes"}, "photo_words is 'yes'; it must be true or false"),
        ({"words_in_text": True}, "words_in_text .* needs photo_words too"),
        ({"bimodal_activation": "gelu"}, "unknown bimodal activation 'gelu'; known: relu, tanh, sigmoid"),
        ({"token_score": "cosine"}, "unknown token score 'cosine'; known: dot, additive"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(changes, match):
    with pytest.raises(InputError, match=match):
        replace(FILM, **changes)


@pytest.mark.parametrize(
    ("model", "in_text"),
    [("roberta-resnet50", False), ("roberta-resnet50", True), ("blip", False), ("vilt", False)],
)
def test_a_cell_that_reads_words_is_saved_with_all_that_it_takes(tmp_path, reader, model, in_text):
    config = replace(FILM, model=model, photo_words=True, words_in_text=in_text)
    original = build_cell(tmp_path, config, bits=16)
    folder = cell_folder(tmp_path, config)
    card = load_card(folder)
    loaded = load_model(tmp_path, folder, card)
    text = reader.read(["Ann", "of", "Oakland"], Pair(head=(0, 1), tail=(2, 3)))
    said = collate([Example(text=text, words=read_photo_text(reader, SAID))])
    with torch.inference_mode():
        torch.testing.assert_close(loaded(said).logits, original(said).logits, rtol=1e-2, atol=2e-2)
        assert not torch.allclose(loaded(said).logits, loaded(said.without_words()).logits, atol=1e-2)
    lent = load_model(tmp_path, folder, card, loaded)
    with torch.inference_mode():
        assert torch.equal(lent(said).logits, loaded(said).logits)


def test_encoders_are_lent_to_cells_of_their_own_shape_alone(tmp_path):
    """A joint encoder that reads words has parts that one of photos alone lacks; two encoders have not."""
    for model, shared in (("roberta-resnet50", True), ("blip", False), ("vilt", False)):
        config = replace(FILM, model=model)
        build_cell(tmp_path, config)
        plain = load_card(cell_folder(tmp_path, config))
        words = replace(plain, config=replace(config, photo_words=True))
        assert (trunk_hash(plain) == trunk_hash(words)) is shared

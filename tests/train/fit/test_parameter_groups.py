"""Which parameters train, at which rate, and which are spared weight decay."""

import pytest

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import build_model
from train.fit.parameter_groups import parameter_groups
from train.fit.recipe import Recipe

RATES = Recipe(
    text_lr=0.1,
    embedding_lr=0.2,
    image_lr=0.3,
    fusion_lr=0.4,
    head_lr=0.5,
    weight_decay=0.01,
    layer_decay=1.0,
)


def settings(recipe: Recipe, fusion: str = "film") -> dict[str, tuple[float, float]]:
    """Name -> (rate, decay) of every parameter that trains."""
    model = build_model(ModelConfig(dataset=find_dataset("mnre"), fusion=fusion, preset="tiny"))
    names = {id(p): name for name, p in model.named_parameters()}
    groups = parameter_groups(model, recipe)
    found = [(names[id(p)], (g["lr"], g["weight_decay"])) for g in groups for p in g["params"]]
    assert len(found) == len(dict(found)), "a parameter stands in two groups"
    assert set(dict(found)) == {name for name, p in model.named_parameters() if p.requires_grad}
    return dict(found)


@pytest.mark.parametrize(
    ("name", "rate", "decay"),
    [
        ("text_encoder.bert.encoder.layer.0.attention.self.query.weight", 0.1, 0.01),
        ("text_encoder.bert.encoder.layer.0.attention.self.query.bias", 0.1, 0.0),
        ("text_encoder.bert.encoder.layer.1.output.LayerNorm.weight", 0.1, 0.0),
        ("text_encoder.bert.embeddings.word_embeddings.weight", 0.2, 0.01),
        ("text_encoder.feature_embedding.weight", 0.5, 0.01),
        ("image_encoder.net.0.weight", 0.3, 0.01),
        ("image_encoder.net.0.bias", 0.3, 0.0),
        ("image_projection.0.weight", 0.4, 0.0),
        ("image_projection.1.weight", 0.4, 0.01),
        ("fusion.generator_gamma.weight", 0.4, 0.0),
        ("fusion.generator_beta.weight", 0.4, 0.0),
        ("fusion.generator_gamma.bias", 0.4, 0.0),
        ("fusion.attend_text.score.0.weight", 0.4, 0.01),
        ("text_projection.weight", 0.5, 0.01),
        ("heads.relations.layers.1.weight", 0.5, 0.01),
        ("heads.relations.layers.4.bias", 0.5, 0.0),
    ],
)
def test_each_part_has_its_rate_and_decay(name, rate, decay):
    assert settings(RATES)[name] == (rate, decay)


def test_every_parameter_trains_when_no_rate_is_zero():
    model = build_model(ModelConfig(dataset=find_dataset("mnre"), preset="tiny"))
    assert len(settings(RATES)) == len(list(model.parameters()))


@pytest.mark.parametrize(
    ("field", "prefix"),
    [
        ("embedding_lr", "text_encoder.bert.embeddings."),
        ("image_lr", "image_encoder."),
        ("fusion_lr", ("fusion.", "image_projection.")),
        ("head_lr", ("heads.", "text_projection.", "text_encoder.feature_embedding.")),
    ],
)
def test_a_rate_of_zero_freezes_its_part(field, prefix):
    frozen = settings(RATES).keys() - settings(Recipe(**{**vars(RATES), field: 0.0})).keys()
    model = build_model(ModelConfig(dataset=find_dataset("mnre"), preset="tiny"))
    assert frozen == {name for name, _ in model.named_parameters() if name.startswith(prefix)}


def test_a_frozen_text_encoder_is_frozen_whole():
    trained = settings(Recipe(**{**vars(RATES), "text_lr": 0.0, "embedding_lr": 0.0}))
    assert not [name for name in trained if name.startswith("text_encoder.")]


def test_with_a_frozen_input_no_gradient_reaches_the_frozen_layers():
    recipe = Recipe(**{**vars(RATES), "frozen_layers": 1, "frozen_input": True})
    text = {name for name in settings(recipe) if name.startswith("text_encoder.")}
    assert text and all(name.startswith("text_encoder.bert.encoder.layer.1.") for name in text)


def test_lower_layers_learn_slower():
    found = settings(Recipe(**{**vars(RATES), "layer_decay": 0.5}))
    weight = "text_encoder.bert.encoder.layer.{}.output.dense.weight"
    assert found[weight.format(0)][0] == pytest.approx(found[weight.format(1)][0] / 2)
    assert found["heads.relations.layers.1.weight"][0] == 0.5


def test_concat_has_no_generators_to_spare():
    found = settings(RATES, "concat")
    assert found["fusion.mix.weight"] == (0.4, 0.01) and found["fusion.scale"] == (0.4, 0.0)

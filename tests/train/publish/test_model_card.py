"""What a cell's card says of its splits and its scores."""

import pytest
from typer.testing import CliRunner

from mmdemo.cells.checkpoint import Card
from mmdemo.models.config import ModelConfig
from train.__main__ import app
from train.publish.model_card import cell_card, figures, root_card


def card(scheme: str) -> Card:
    config = ModelConfig(dataset="mnre", preset="tiny")
    return Card(config=config, training={"split_scheme": scheme})


@pytest.mark.parametrize("told", [lambda c: cell_card(c, "me/cells"), lambda c: root_card([c], "me/cells")])
def test_a_card_of_the_reports_splits_says_what_they_share(told):
    assert "52 % of its test rows" in told(card("report"))
    assert "52 %" not in told(card("official"))


@pytest.mark.parametrize("command", ["run", "zoo", "tune", "analyse"])
def test_the_scheme_s_help_says_it_too(command):
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout
    assert "the sentences of 52 % of the test rows into train" in " ".join(shown.split())


def test_what_is_calibrated_is_named():
    stated = {"temperature": 1.25, "entity": None, "before": {"ece": 0.1}, "after": {"ece": 0.02}}
    relations = figures({"calibration": stated}, "re")
    assert "Logits are divided by a temperature of 1.25" in relations and "a map" not in relations
    entities = figures({"calibration": stated | {"entity": {"a": 1.0}}}, "ner")
    assert "Logits are divided" in entities and "entity scores then pass a map" in entities
    assert "0.100 before, 0.020 after" in entities

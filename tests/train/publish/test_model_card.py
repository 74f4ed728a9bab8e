"""What a cell's card says of its splits and its scores."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from mmdemo.cells.card import Card
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.models.config import ModelConfig
from train.__main__ import app
from train.publish.model_card import cell_card, figures, root_card


def card(scheme: str) -> Card:
    config = ModelConfig(dataset=find_dataset("mnre"), preset="tiny")
    return Card(config=config, training={"split_scheme": scheme})


@pytest.mark.parametrize("told", [lambda c: cell_card(c, "me/cells"), lambda c: root_card([c], "me/cells")])
def test_a_card_of_the_reports_splits_says_what_they_share(told):
    assert "may stand in the training rows and in the test rows" in told(card("report"))
    assert "test rows" not in told(card("official"))


@pytest.mark.parametrize("told", [lambda c: cell_card(c, "me/cells"), lambda c: root_card([c], "me/cells")])
def test_a_card_says_whose_the_data_are(told):
    assert "MNRE: the public research release of MNRE, version 2 (thecharm/MNRE)." in told(card("official"))
    for name in bundled():
        own = replace(card("official").config, dataset=find_dataset(name))
        without = replace(own, dataset=replace(own.dataset, source=""))  # as older cells' records are
        for config in (own, without):
            assert find_dataset(name).source in told(Card(config=config, training={})), name
    foreign = replace(own, dataset=replace(own.dataset, name="mine", title="Mine", source=""))
    assert "Mine: its source is not stated." in told(Card(config=foreign, training={}))


def test_figures_of_a_card_stand_with_their_conditions_and_marks():
    scores = {"micro_without_none": {"f1": 0.5}}
    stated = {"limit": 300, "recipe": "small", "commit": "abcdef0", "commit_exists": False}
    metrics = {"splits": {"test": {"photo": scores}}, "conditions": stated}
    marked = replace(card("official"), metrics=metrics)
    own, whole = cell_card(marked, "me/cells"), root_card([marked], "me/cells")
    assert "**Marked: limited: 300 posts; commit unknown here.**" in own
    assert "| Recipe | small |" in own and "| Hardware | not stated |" in own
    assert "| 50.00 (limited: 300 posts; commit unknown here) |" in whole
    clean = {"limit": None, "commit": "abcdef0", "commit_exists": True}
    full = replace(marked, metrics={**metrics, "conditions": clean})
    assert "Marked" not in cell_card(full, "me/cells") and "| 50.00 |" in root_card([full], "me/cells")


@pytest.mark.parametrize("command", ["zoo", "tune", "analyse", "run"])
def test_the_scheme_s_help_says_it_too(command):
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout
    assert "a text with several rows may stand in train and test" in " ".join(shown.split())


def test_what_is_calibrated_is_named():
    stated = {"temperature": 1.25, "entity": None, "before": {"ece": 0.1}, "after": {"ece": 0.02}}
    relations = figures({"calibration": stated}, ["relations"])
    assert "Logits are divided by a temperature of 1.25" in relations and "a map" not in relations
    entities = figures({"calibration": stated | {"entity": {"a": 1.0}}}, ["entities"])
    assert "Logits are divided" in entities and "entity scores then pass a map" in entities
    assert "0.100 before, 0.020 after" in entities
    both = figures({"calibration": {"entities": stated, "relations": stated}}, ["entities", "relations"])
    assert "Of entities: Logits are divided" in both and "Of relations: Logits are divided" in both

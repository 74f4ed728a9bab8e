"""``python -m train diff``: what differs between two cells."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdemo.cells.card import load_card
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.types import InputError
from tests.tiny import write_card
from train.__main__ import app
from train.cells.differences import differences, find_card

TWEETS = find_dataset("twitter2017")
TRAINING = {"limit": None, "commit": "abcdef0", "recipes": {"cell": {"epochs": 2, "seed": 7}}, "data": "none"}
SCORES = {"entity": {"f1": 0.75}, "token": {"accuracy": 0.9}}


def put(root: Path, config: ModelConfig, training: dict, f1: float = 0.75, **stated: object) -> Path:
    folder = write_card(root, config, training)
    splits = {"test": {"posts": 9, "photo": SCORES | {"entity": {"f1": f1}}}}
    metrics = {"cell": config.cell, "splits": splits, **stated}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return put(tmp_path, ModelConfig(dataset=TWEETS, preset="tiny"), TRAINING)


def found(a: Path, b: Path) -> dict[str, tuple]:
    return {f"{one.part}.{one.name}": (one.a, one.b) for one in differences(load_card(a), load_card(b))}


def test_a_cell_does_not_differ_from_itself(film):
    assert found(film, film) == {}
    shown = CliRunner().invoke(app, ["diff", str(film), str(film)], catch_exceptions=False)
    assert shown.stdout.splitlines()[-1] == "no difference"


def test_every_part_is_compared(film, tmp_path):
    types = tuple(
        replace(kind, meaning="someone") if kind.label == "PER" else kind for kind in TWEETS.entities
    )
    other = ModelConfig(dataset=replace(TWEETS, entities=types), fusion="concat", preset="tiny")
    training = TRAINING | {"limit": 300, "recipes": {"cell": {"epochs": 3, "seed": 7}}, "extra_posts": 4}
    calibration = {"temperature": 1.5}
    folder = put(tmp_path, other, training, 0.5, calibration=calibration, conditions={"tree": "dirty"})
    stated = json.loads((folder / "config.json").read_text())
    stated["files"]["model.safetensors"] = "1" * 64
    (folder / "config.json").write_text(json.dumps(stated))
    assert found(film, folder) == {
        "config.fusion": ("film", "concat"),
        "dataset.entities.PER.meaning": ("person", "someone"),
        "conditions.limit": ("none", 300),
        "conditions.tree": (None, "dirty"),
        "training.extra_posts": (None, 4),
        "recipe.cell.epochs": (2, 3),
        "metrics.test.photo.entity_f1": (0.75, 0.5),
        "metrics.calibration.temperature": (None, 1.5),
        "files.model.safetensors": ("0" * 64, "1" * 64),
    }
    assert found(folder, film) == {name: (b, a) for name, (a, b) in found(film, folder).items()}


def test_the_table_and_the_json(film, tmp_path):
    config = ModelConfig(dataset=TWEETS, fusion="concat", preset="tiny")
    put(tmp_path, config, TRAINING | {"limit": 300}, 0.5)
    arguments = ["diff", str(film), config.cell, "--root", str(tmp_path)]
    table = CliRunner().invoke(app, arguments, catch_exceptions=False).stdout.splitlines()
    assert table[1] == f"B: {config.cell} (limited: 300 posts; commit not checked)"
    rows = [" ".join(line.split()) for line in table]
    assert {"config A B", "fusion film concat", "limit none 300", "test.photo.entity_f1 0.7500 0.5000"} <= {
        *rows
    }
    stated = json.loads(CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False).stdout)
    assert stated["a"]["place"] == str(film) and stated["b"]["cell"] == config.cell
    assert {"part": "config", "name": "fusion", "a": "film", "b": "concat"} in stated["differences"]


@pytest.mark.parametrize("place", ["/no/such/cell", "lite/x/y/z", "x", "../../a/b", ""])
def test_a_cell_that_is_not_there_is_one_sentence(tmp_path, place):
    with pytest.raises(InputError, match="there is no cell|is missing or cannot be read"):
        find_card(place, tmp_path)


def test_a_damaged_card_is_named(film):
    (film / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json is damaged"):
        find_card(str(film), Path())

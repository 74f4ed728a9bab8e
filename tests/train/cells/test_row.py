"""A row: its trunk trained with all of its fusions at once, from posts to cells."""

import json
from pathlib import Path

import pytest

from mmdemo.answer.predict import predict
from mmdemo.cells.card import load_card
from mmdemo.cells.catalogue import find_cell
from mmdemo.cells.conditions import Conditions
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig, fusions_of
from mmdemo.posts.question import read_post
from tests.tiny import write_data
from tests.train.cells.test_words import Described
from train.cells.recipes import read_recipes
from train.cells.row import row_fusions, run_row
from train.cells.settings import Settings
from train.score.calibrate import calibrate_all
from train.score.evaluate import evaluate

SHAPE = {"photo_words": True, "words_in_text": True}
FAST = {"row": {"epochs": 2}}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), 24)


def settings(data: Path, place: Path, *, dataset: str = "twitter2017", **options) -> Settings:
    shape = SHAPE | options.pop("shape", {})
    config = ModelConfig(dataset=find_dataset(dataset), preset="tiny", **shape)
    return Settings(
        config=config,
        source=Described(folder=data),
        out=place / "out",
        work=place / "work",
        device="cpu",
        **{"changes": FAST, "book": read_recipes("words")} | options,
    )


@pytest.mark.parametrize(
    ("dataset", "model"), [("twitter2017", "roberta-resnet50"), ("mnre", "blip"), ("twitter2017", "vilt")]
)
def test_a_row_leaves_a_cell_of_each_fusion_on_one_trunk(data, tmp_path, monkeypatch, dataset, model):
    own = settings(data, tmp_path, dataset=dataset, shape={"model": model})
    fusions = row_fusions(model)
    assert fusions == (*fusions_of(model), "text-only", "image-only")
    folders = list(run_row(own, fusions))
    assert [folder.name for folder in folders] == list(fusions)
    cards = [load_card(folder) for folder in folders]
    assert len({card.files["../trunk.safetensors"] for card in cards}) == 1
    for card in cards:
        assert set(card.training["recipes"]) == {"row"}
        assert Conditions.of(card.metrics).trained_with == fusions
        assert {"photo", "none", "words"} <= card.metrics["splits"]["test"].keys()
    log = [
        json.loads(line)
        for line in (own.work / "training" / "tiny" / dataset / model / "row" / "epochs" / "log.jsonl")
        .read_text()
        .splitlines()
    ]
    epochs = [line["validation"] for line in log if "validation" in line]
    assert len(epochs) == 2 and epochs[0]["headlines"].keys() == set(fusions)
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(own.out))
    text = "[E1] Ann [/E1] loves [E2] Paris [/E2]" if dataset == "mnre" else "Ann loves Paris"
    for fusion in fusions:
        cell = find_cell(dataset, model, fusion, "tiny")
        assert cell.problem is None
        assert predict(read_post(text, cell.dataset), cell).checkpoint == cell.name
    again = evaluate(folders[0], own.source, "test", cache=own.cache)
    assert again["photo"] == cards[0].metrics["splits"]["test"]["photo"]
    assert len(list(calibrate_all(own.out, own.work, own.source, "tiny"))) == len(fusions)

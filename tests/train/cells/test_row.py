"""A row: its trunk trained with all of its fusions at once, from posts to cells."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from mmdemo.answer.predict import predict
from mmdemo.cells.card import load_card
from mmdemo.cells.catalogue import find_cell
from mmdemo.cells.checkpoint import load_model
from mmdemo.cells.conditions import Conditions
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.models.config import ModelConfig, fusions_of
from mmdemo.posts.question import read_post
from mmdemo.types import InputError
from tests.tiny import write_data
from tests.train.cells.test_words import Described
from train.__main__ import app
from train.cells.recipes import read_recipes
from train.cells.row import row_fusions, run_row
from train.cells.settings import Settings
from train.cells.zoo import build, plan
from train.fit.rows import stage as row_stage
from train.fit.rows.stage import fresh_row
from train.fit.starts import best_of
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


def test_a_row_that_was_cut_off_ends_as_an_unbroken_one(data, tmp_path, monkeypatch):
    names = ["cross-attention", "text-only"]
    whole = list(run_row(settings(data, tmp_path / "whole"), names))
    plain, calls = row_stage.row_probabilities, []

    def killed(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return plain(*arguments, **options)

    broken = settings(data, tmp_path / "broken")
    monkeypatch.setattr(row_stage, "row_probabilities", killed)
    with pytest.raises(KeyboardInterrupt):
        list(run_row(broken, names))
    torch.manual_seed(4)  # another process has drawn other numbers
    resumed = list(run_row(broken, names))
    for one, two in zip(whole, resumed, strict=True):
        assert (one / "model.safetensors").read_bytes() == (two / "model.safetensors").read_bytes()
        assert (one.parent / "trunk.safetensors").read_bytes() == (
            two.parent / "trunk.safetensors"
        ).read_bytes()
    with pytest.raises(InputError, match="holds a run with other settings"):
        list(run_row(broken, names[:1]))


def test_a_row_starts_from_another_rows_run(data, tmp_path):
    first = settings(data, tmp_path)
    list(run_row(first, ["film"]))
    start = first.work / "training" / "tiny" / "twitter2017" / "roberta-resnet50" / "row"
    own = settings(
        data, tmp_path, dataset="mnre", start=start, changes={"row": {"epochs": 1, "text_lr": 0.0}}
    )
    [folder] = list(run_row(own, ["concat"]))
    before, after = (
        best_of(own.work / "training" / "tiny" / d / "roberta-resnet50" / "row")
        for d in ("twitter2017", "mnre")
    )
    name = "text_encoder.bert.encoder.layer.0.attention.self.query.weight"
    assert torch.equal(before[name], after[name])
    assert load_card(folder).training["start"].endswith("row")


def test_one_fusion_alone_keeps_its_trunk_and_leaves_another_rows(data, tmp_path):
    both = list(run_row(settings(data, tmp_path), ["film", "concat"]))
    shared = both[0].parent / "trunk.safetensors"
    before = shared.read_bytes()
    own = replace(settings(data, tmp_path), work=tmp_path / "other")
    [folder] = list(run_row(own, ["text-only"]))
    assert folder.parent == shared.parent and shared.read_bytes() == before
    assert (
        list(load_card(folder).trunks) == ["trunk.safetensors"] and (folder / "trunk.safetensors").is_file()
    )
    for one in (folder, *both):
        load_model(tmp_path / "out", one, load_card(one))


def test_a_stored_trunk_is_added_once_whatever_stands_on_it(data, tmp_path):
    first = settings(data, tmp_path)
    list(run_row(first, ["film", "concat"]))
    start = first.out / "tiny" / "twitter2017" / "roberta-resnet50"
    recipe, config = first.recipe("row"), replace(first.config, dataset=find_dataset("mnre"))
    one, many = (
        fresh_row(config, names, recipe, first.out, start) for names in (["film"], ["film", "concat"])
    )
    for name, value in one.text_encoder.state_dict().items():
        assert torch.equal(value, many.text_encoder.state_dict()[name]), name


@pytest.mark.parametrize("names", [[], ["film", "film"], ["nonsense"], ["native"]])
def test_fusions_that_a_row_cannot_train_are_refused(data, tmp_path, names):
    with pytest.raises(InputError, match="name each fusion once|unknown fusion|has no fusion"):
        list(run_row(settings(data, tmp_path), names))
    assert not (tmp_path / "work").exists()


def test_a_row_is_one_model(data, tmp_path):
    with pytest.raises(InputError, match="members is 2"):
        list(run_row(settings(data, tmp_path, changes={"row": {"members": 2}}), ["film"]))


@pytest.mark.parametrize("weight", ["align", "r_drop", "ema"])
def test_weights_of_a_row_are_settings(data, tmp_path, weight):
    plain = {"row": {"epochs": 1, "align": 0.0}}
    changed = {"row": plain["row"] | {weight: 0.5}}
    found = []
    for place, changes in (("plain", plain), ("changed", changed)):
        own = settings(data, tmp_path / place, changes=changes)
        [folder, _] = run_row(own, ["film", "text-only"])
        found.append((folder.parent / "trunk.safetensors").read_bytes())
    assert found[0] != found[1]


def test_the_command_trains_a_row(data, tmp_path):
    arguments = ["row", "--dataset", "twitter2017", "--data", str(data), "--fusions", "film, text-only"]
    arguments += ["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    for setting in ("preset=tiny", "device=cpu", "row.epochs=1", "limit=8"):
        arguments += ["--set", setting]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    folder = tmp_path / "out" / "tiny" / "twitter2017" / "roberta-resnet50"
    assert done.stdout.strip().splitlines()[-2:] == [str(folder / "film"), str(folder / "text-only")]


def test_a_zoo_of_rows_trains_each_after_its_start_and_leaves_current_ones_alone(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    shutil.copytree(data / "twitter2017", tmp_path / "data" / "twitter2015")
    own = settings(tmp_path / "data", tmp_path, changes={"": {"epochs": 1}})
    only = "*/twitter201?/roberta-resnet50/film,*/twitter201?/roberta-resnet50/text-only"
    wanted = plan("tiny", only, rows=True)
    assert list(wanted.groups) == [(d, "roberta-resnet50") for d in ("twitter2015", "twitter2017")]
    folders = list(build(own, wanted))
    before = [(folder / "config.json").stat().st_mtime_ns for folder in folders]
    assert load_card(folders[-1]).training["start"].endswith("twitter2015/roberta-resnet50/row")
    assert list(build(own, wanted)) == folders
    assert [(folder / "config.json").stat().st_mtime_ns for folder in folders] == before
    (folders[0] / "model.safetensors").write_bytes(b"damaged")
    list(build(own, wanted))
    assert [
        (folder / "config.json").stat().st_mtime_ns != time
        for folder, time in zip(folders, before, strict=True)
    ] == [True, True, False, False]


def test_rows_of_a_plan_hold_each_side_alone():
    for preset, models in (("lite", 5), ("base", 1)):
        groups = plan(preset, rows=True).groups
        assert len(groups) == models * len(bundled())
        assert all(fusions == row_fusions(model) for (_, model), fusions in groups.items())

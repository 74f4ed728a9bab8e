"""A full cell from published weights to an answer: trained at once, killed and resumed, scored, asked."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

from mmdemo.__main__ import app as mmdemo_app
from mmdemo.answer.explain import explain
from mmdemo.answer.predict import predict
from mmdemo.cells.catalogue import cells, describe
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.models.config import MODELS, ModelConfig, fusions_of
from mmdemo.posts.question import read_post
from mmdemo.types import InputError
from tests.shrunk import publish, shrink
from tests.tiny import write_data
from train.__main__ import app
from train.bases.full_base import Origin
from train.cells.recipes import read_recipes
from train.cells.run import run
from train.cells.settings import Settings
from train.cells.zoo import build, plan
from train.data.source import DataSource
from train.score.calibrate import calibrate_all


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        yield publish(tmp_path_factory.mktemp("weights"), patch)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> DataSource:
    """Small data where most posts have a photo."""
    folder = write_data(tmp_path_factory.mktemp("data"), 24, valid=6)
    photos = np.random.default_rng(2)
    (folder / "photos").mkdir()
    for split, count in (("train", 20), ("valid", 5), ("test", 5)):
        for i in range(count):
            pixels = photos.integers(0, 255, (40, 60, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / f"{split}{i}.jpg")
    return DataSource(folder=folder, images=folder / "photos")


def settings(source: DataSource, place: Path, model: str, origin: Origin, dataset="twitter2017") -> Settings:
    fusion = fusions_of(model)[0]
    return Settings(
        config=ModelConfig(dataset=find_dataset(dataset), model=model, fusion=fusion, preset="full"),
        source=source,
        out=place / "out",
        work=place / "work",
        device="cpu",
        changes={"": {"epochs": 1}},
        origin=origin,
        book=read_recipes("full"),
    )


@pytest.mark.parametrize(
    ("model", "dataset"), list(zip(MODELS, cycle(["mnre", "twitter2017"]), strict=False))
)
def test_a_full_cell_is_trained_scored_and_answers(weights, source, tmp_path, monkeypatch, model, dataset):
    folder = run(settings(source, tmp_path, model, Origin(weights_root=weights), dataset))
    assert folder == tmp_path / "out" / "full" / dataset / model / fusions_of(model)[0]
    assert {f.name for f in folder.iterdir()} == {
        "config.json",
        "metrics.json",
        "model.safetensors",
        "trunk.safetensors",
    }
    training = json.loads((folder / "config.json").read_text())["training"]
    assert training["init"] == "published" and set(training["recipes"]) == {"whole"}
    splits = json.loads((folder / "metrics.json").read_text())["splits"]
    assert splits["test"]["with_photo"] == 5 and {"photo", "blank", "shuffled", "none"} < set(splits["test"])
    assert not any((tmp_path / "work" / "regions").iterdir())  # its maps serve no other cell
    assert list(calibrate_all(tmp_path / "out", tmp_path / "work", source, "full"))  # its answers are kept
    tuned = load_file(folder / "trunk.safetensors")
    assert any(n.startswith("image_encoder") for n in tuned) and any("encoder.layer.1" in n for n in tuned)

    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path / "out"))
    (cell,) = [c for c in cells() if c.preset == "full"]
    assert cell.problem is None and describe(cell)["runs"] == MODELS[model].sides["full"].runs
    text = "[E1] Ann [/E1] loves [E2] Paris [/E2]" if dataset == "mnre" else "Ann loves Paris"
    post = read_post(text, cell.dataset, source.folder / "photos" / "test0.jpg")
    answer = predict(post, cell)
    assert answer.checkpoint == cell.name and answer.image_used
    wanted = ["gamma", "token-attribution", "region-gradient", "joint-attention"]
    views = {view.name for view in explain(post, cell, views=wanted).views}
    assert views == set(wanted[: 4 if MODELS[model].kind == "joint" else 3])


def test_the_command_line_trains_and_asks_with_random_weights(weights, source, tmp_path, monkeypatch):
    options = ["--data", str(source.folder), "--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    command = [
        "run",
        "--recipe",
        "full",
        "--set",
        "init=random",
        "--dataset",
        "twitter2017",
        "--model",
        "clip-bert",
    ]
    done = CliRunner().invoke(
        app,
        [*command, *("--set", "device=cpu", "--set", "limit=6", "--set", "epochs=1"), *options],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path / "out"))
    asked = ["predict", "--preset", "full", "--dataset", "twitter2017", "--model", "clip-bert", "--json"]
    answer = CliRunner().invoke(
        mmdemo_app, [*asked, "--text", "Ann is back in Oakland"], catch_exceptions=False
    )
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["checkpoint"] == "full/twitter2017/clip-bert/film"


def test_a_killed_run_goes_on_and_other_weights_are_no_continuation(weights, source, tmp_path):
    origin = Origin(weights_root=weights)
    unbroken = run(settings(source, tmp_path / "a", "blip", origin))
    shutil.copytree(tmp_path / "a" / "work" / "training", tmp_path / "b" / "work" / "training")
    (tmp_path / "b" / "work" / "training/full/twitter2017/blip/film/whole/best.safetensors").stat()
    resumed = run(settings(source, tmp_path / "b", "blip", origin))
    for name in ("model.safetensors", "trunk.safetensors"):
        one, two = load_file(unbroken / name), load_file(resumed / name)
        assert all(torch.equal(one[n], two[n]) for n in one), name
    shutil.rmtree(tmp_path / "b" / "out")
    with pytest.raises(InputError, match="holds a run with other settings"):
        run(settings(source, tmp_path / "b", "blip", Origin(init="random")))


def test_a_full_cell_has_no_trunk_to_stop_after(source, tmp_path):
    wanted = settings(source, tmp_path, "vilt", Origin(init="random"))
    with pytest.raises(InputError, match="--trunk-only"):
        run(replace(wanted, trunk_only=True))
    with pytest.raises(InputError, match="the recipe full has no stage trunk"):
        wanted.recipe("trunk")


# ---------------------------------------------------------------- the zoo and its recipes


def test_the_full_zoo_is_planned_as_the_lite_one(source, tmp_path):
    whole, lite = plan("full"), plan("lite")
    each = sum(len(fusions_of(model)) for model in MODELS)
    assert whole.cells == lite.cells == len(bundled()) * each and whole.groups == lite.groups
    shards = [plan("full", "*", (i, 4)) for i in range(1, 5)]
    assert sorted(g for s in shards for g in s.groups) == sorted(whole.groups)
    assert plan("full", "full/mnre/*/film").cells == len(MODELS)
    command = [
        "zoo",
        "--preset",
        "full",
        "--data",
        str(source.folder),
        "--only",
        "*/mnre/vilt/*",
        "--dry-run",
    ]
    done = CliRunner().invoke(app, command)
    assert done.stdout.splitlines() == [f"full/mnre/vilt: {', '.join(fusions_of('vilt'))}"]


def test_a_zoo_of_full_cells_trains_each_once(weights, source, tmp_path, monkeypatch):
    wanted = plan("full", "full/twitter2017/vilt/*")
    wanted = replace(wanted, groups={group: fusions[:2] for group, fusions in wanted.groups.items()})
    base = settings(source, tmp_path, "vilt", Origin(weights_root=weights))
    folders = list(build(base, wanted))
    assert [f.name for f in folders] == ["film", "attention"]

    def never(*_):
        raise AssertionError("a current cell was trained again")

    monkeypatch.setattr("train.cells.zoo.run_whole", never)
    assert list(build(base, wanted)) == folders
    with pytest.raises(AssertionError, match="trained again"):  # other weights: outdated
        list(build(replace(base, origin=Origin(init="random")), wanted))


def test_the_recipes_are_the_reports():
    for dataset in bundled().values():
        for model in MODELS:
            recipe = read_recipes("full").recipe(dataset, model, "whole")
            assert (recipe.text_lr, recipe.batch_size, recipe.eval_batch_size) == (2e-5, 8, 12)
            assert (recipe.epochs, recipe.patience, recipe.warmup, recipe.clip) == (5, 2, 0.1, 1.0)
            assert recipe.layers == (24 if model == "roberta-resnet50" else 12)
            assert recipe.image_lr == (1e-4 if "resnet" in model else 2e-5)

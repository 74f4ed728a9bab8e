"""What a trunk stands on and depends on: the user's start or the zoo's, and photos where it sees them."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdemo.cells.checkpoint import load_card
from mmdemo.models.config import ModelConfig
from mmdemo.types import InputError
from tests.tiny import write_data
from train.bases.align import EPOCHS
from train.cells.run import run, run_trunk
from train.cells.settings import Settings
from train.cells.zoo import trunk_of
from train.data.source import DataSource
from train.publish.model_card import cell_card


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    """Of tiny's clip-bert, whose image tower stays as it is: only lite's can be aligned."""
    monkeypatch.setattr("train.cells.run.align", lambda *_: {})
    return Settings(
        config=ModelConfig(dataset="twitter2017", model="clip-bert", preset="tiny"),
        source=DataSource(folder=write_data(tmp_path / "data", 12)),
        out=tmp_path / "out",
        work=tmp_path / "work",
        device="cpu",
        changes={"": {"epochs": 1, "members": 1, "share": 1.0}},
    )


def text_run(settings: Settings) -> Path:
    return settings.work / "training/tiny/twitter2017/bert-resnet50/trunk"


def test_clip_bert_trains_its_text_trunk_from_a_users_start(settings, tmp_path):
    before = replace(settings.config, model="roberta-resnet50")
    start = run_trunk(replace(settings, config=before, work=tmp_path / "before")).run
    assert (start / "best.safetensors").exists()  # as the zoo's own start has it
    assert run_trunk(replace(settings, start=start)).run == text_run(settings)
    assert json.loads((text_run(settings) / "stage.json").read_text())["start"] == str(start)
    assert (text_run(settings) / "best.safetensors").exists()


def test_clip_bert_takes_the_zoos_text_trunk_as_it_is(settings):
    data = settings.source.folder
    (data / "twitter2017").rename(data / "twitter2015")  # whose trunks start from no other dataset's
    own = replace(settings, config=replace(settings.config, dataset="twitter2015"))
    run = trunk_of(own).run
    assert run == settings.work / "training/tiny/twitter2015/bert-resnet50/trunk"
    stated = json.loads((run / "stage.json").read_text())
    assert stated["start"].endswith("twitter2015/roberta-resnet50/trunk")


def test_clip_berts_card_tells_the_stages_that_ran(settings):
    folder = run(settings)
    card = load_card(folder)
    recipes = card.training["recipes"]
    assert list(recipes) == ["trunk of bert-resnet50", "align", "cell"]
    text = replace(settings, config=replace(settings.config, model="bert-resnet50"))
    assert recipes["trunk of bert-resnet50"] == asdict(text.recipe("trunk"))
    assert recipes["align"]["epochs"] == EPOCHS and "CLIP" in recipes["align"]["loss"]
    assert card.metrics["seed"] == recipes["align"]["seed"] == 1337
    told = cell_card(card, "me/cells")
    assert "aligned with captions" in told and '"trunk of bert-resnet50"' in told


# ---------------------------------------------------------------- photos


def with_photos(settings: Settings, folder: Path) -> Settings:
    """The settings with an original photo for each training post, another for each name of a folder."""
    folder.mkdir()
    shape = (40, 60 + len(folder.name), 3)
    noise = np.random.default_rng(len(folder.name)).integers(0, 255, shape, dtype=np.uint8)
    for i in range(12):
        Image.fromarray(noise).save(folder / f"train{i}.jpg")
    return replace(settings, source=replace(settings.source, images=folder))


@pytest.mark.parametrize("model", ["blip", "vilt", "clip-bert"])
def test_a_trunk_that_sees_photos_is_not_taken_for_one_of_other_photos(settings, tmp_path, model):
    settings = replace(settings, config=replace(settings.config, model=model))
    run_trunk(settings)
    seeing = with_photos(settings, tmp_path / "photos")
    with pytest.raises(InputError, match="holds a run with other settings"):
        run_trunk(seeing)
    seeing = replace(seeing, work=tmp_path / "seeing")
    assert run_trunk(seeing) == run_trunk(seeing)
    with pytest.raises(InputError, match="holds a run with other settings"):
        run_trunk(with_photos(seeing, tmp_path / "other photos"))


def test_a_text_trunk_is_the_same_for_all_photos(settings, tmp_path):
    settings = replace(settings, config=replace(settings.config, model="bert-resnet50"))
    assert run_trunk(settings) == run_trunk(with_photos(settings, tmp_path / "photos"))

"""Cells that read what photos say in words, and cells of one side alone, from posts to checkpoints."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdemo.answer.compare import compare, side_by_side
from mmdemo.answer.predict import predict
from mmdemo.cells import catalogue
from mmdemo.cells.card import load_card
from mmdemo.cells.conditions import Conditions
from mmdemo.cells.files import file_hash
from mmdemo.cells.locate import list_cells
from mmdemo.datasets.discovery import find_dataset
from mmdemo.datasets.schema import Dataset
from mmdemo.models.config import ModelConfig
from mmdemo.posts.question import read_post
from mmdemo.types import PHOTO_SOURCES, InputError, PhotoWords, Post
from tests.tiny import write_data
from train.__main__ import app
from train.cells.recipes import config_of, read_recipes, sources_of
from train.cells.run import run, run_cells, run_trunk
from train.cells.settings import Settings, sources_stated, stage_folder
from train.cells.zoo import _determinants, plan
from train.data.source import DataSource

FAST = {"": {"epochs": 1, "members": 1}, "trunk": {"image_dropout": 0.2}}


@dataclass(frozen=True, kw_only=True)
class Described(DataSource):
    """Every second post has something in words beside it."""

    def posts(self, dataset: Dataset, split: str) -> list[Post]:
        said = (PhotoWords(source="described", text="a man in Oakland"), PhotoWords(source="ocr", text="GO"))
        return [
            replace(post, photo_words=said if number % 2 else ())
            for number, post in enumerate(super().posts(dataset, split))
        ]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), 24)


def settings(data: Path, place: Path, *, source: type[DataSource] = DataSource, **shape) -> Settings:
    config = ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny", **shape)
    return Settings(
        config=config,
        source=source(folder=data),
        out=place / "out",
        work=place / "work",
        device="cpu",
        changes=FAST,
    )


@pytest.mark.parametrize(
    ("model", "in_text"),
    [("roberta-resnet50", False), ("roberta-resnet50", True), ("blip", False), ("vilt", False)],
)
def test_a_run_with_words_leaves_a_cell_that_reads_them(data, tmp_path, monkeypatch, model, in_text):
    shape = {"model": model, "fusion": "gated-hybrid", "photo_words": True, "words_in_text": in_text}
    folder = run(settings(data, tmp_path, source=Described, **shape))
    card = load_card(folder)
    assert card.config.photo_words and card.config.words_in_text is in_text
    assert {"photo", "none", "picture", "words"} <= card.metrics["splits"]["test"].keys()
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path / "out"))
    cell = catalogue.find_cell("twitter2017", model, "gated-hybrid", "tiny")
    silent = read_post("Ann loves Oakland", card.config.dataset, None)
    said = replace(
        silent, post=replace(silent.post, photo_words=(PhotoWords(source="ocr", text="PARIS PARIS"),))
    )
    assert predict(silent, cell).entropy != predict(said, cell).entropy
    assert predict(said, cell).trace["attention_BHLR"].shape[-1] >= 2


def test_end_to_end_with_words(data, tmp_path):
    shape = {"photo_words": True, "words_in_text": True}
    folder = run(replace(settings(data, tmp_path, source=Described, **shape), end_to_end=True))
    assert load_card(folder).config.words_in_text


@pytest.mark.parametrize("model", ["roberta-resnet50", "vilt"])
def test_a_trunk_is_the_same_whatever_side_its_first_fusion_reads(data, tmp_path, model):
    hashes = set()
    for fusion in ("film", "text-only", "image-only"):
        place = tmp_path / fusion
        folder = run(settings(data, place, model=model, fusion=fusion))
        assert folder.name == fusion
        hashes.add(file_hash(folder.parent / "trunk.safetensors"))
    assert len(hashes) == 1


def test_one_sided_cells_stand_beside_the_others_on_one_trunk(data, tmp_path, monkeypatch):
    """The shared pass of a comparison gives each what it gets alone, whatever stands first."""
    own = settings(data, tmp_path, model="vilt", fusion="film")
    names = ["text-only", "native", "image-only", "film-residual"]
    list(run_cells(own, run_trunk(own), names))
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path / "out"))
    cells = side_by_side(own.config.dataset, across="fusions", model="vilt", fusion="film", preset="tiny")
    ready = [cell for cell in cells if not cell.problem]
    assert {cell.fusion for cell in ready} == set(names)
    assert {c.fusion for c in list_cells(tmp_path / "out", "tiny") if not c.problem} == set(names)
    question = read_post("Ann loves Oakland", own.config.dataset, None)
    together = compare(question, ready)
    for cell, answer in zip(ready, together.answers, strict=True):
        assert answer.prediction.entropy == pytest.approx(predict(question, cell).entropy, abs=1e-5)
    assert len({answer.pass_number for answer in together.answers}) == 3, "text, photo, and both"
    assert catalogue.pickable("vilt", preset="tiny")[-3:] == ("film-residual", "text-only", "image-only")
    assert "late" not in catalogue.pickable("vilt")


@pytest.mark.parametrize("variant", ["swapped", "residual", "relu"])
def test_a_variant_of_film_never_writes_into_films_folder(data, tmp_path, variant):
    arguments = ["run", "--dataset", "twitter2017", "--data", str(data), "--out", str(tmp_path / "out")]
    arguments += ["--work", str(tmp_path / "work")]
    for setting in (f"film_variant={variant}", "preset=tiny", "device=cpu", "epochs=1", "members=1"):
        arguments += ["--set", setting]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    folder = tmp_path / "out" / "tiny" / "twitter2017" / "roberta-resnet50" / f"film-{variant}"
    assert str(folder) in result.output and not folder.with_name("film").exists()
    stated = json.loads((folder / "config.json").read_text())["config"]
    assert (stated["fusion"], stated["film_variant"]) == (f"film-{variant}", "report")


def test_what_a_run_picks_makes_its_configuration():
    dataset = find_dataset("mnre")
    picked = {
        "preset": "tiny",
        "photo_words": True,
        "limit": 3,
        "bimodal_activation": "tanh",
        "fusion": "bimodal",
    }
    config = config_of(dataset, picked)
    assert (config.preset, config.photo_words, config.bimodal_activation) == ("tiny", True, "tanh")
    assert config_of(dataset, {"fusion": "late", "film_variant": "relu"}).fusion == "late"
    with pytest.raises(InputError, match="unknown film variant 'odd'"):
        config_of(dataset, {"film_variant": "odd"})


def test_the_recipe_for_words_states_what_it_drops():
    book = read_recipes("words")
    assert config_of(find_dataset("twitter2017"), book.run).photo_words
    for dataset in map(find_dataset, ("twitter2017", "mnre")):
        for stage in book.stages:
            recipe = book.recipe(dataset, "roberta-resnet50", stage)
            assert 0 < recipe.drop_photo < 1 and 0 < recipe.drop_words < 1 and 0 < recipe.drop_some_words < 1
    for name in ("lite", "small", "full"):
        assert "drop_" not in read_recipes(name).text, "off where no words are read"


def test_a_zoo_takes_another_fusion_only_by_its_name():
    named = plan("tiny", "*/twitter2017/vilt/late")
    assert named.groups == {("twitter2017", "vilt"): ("late",)}
    assert "late" not in plan("tiny", "*/twitter2017/vilt/*").groups["twitter2017", "vilt"]


# ---------------------------------------------------------------- where the words are from


def describe(data: Path, text: str) -> None:
    """A file that describes every training photo."""
    (data / "descriptions").mkdir(exist_ok=True)
    lines = [{"image_id": f"train{i}", "blip2": text, "alt": "a person"} for i in range(24)]
    file = data / "descriptions" / "twitter2017.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def key_of(own: Settings) -> str:
    return _determinants(own, None)


@pytest.mark.parametrize("in_text", [False, True])
def test_another_word_of_a_photo_is_another_key(tmp_path, in_text):
    data = write_data(tmp_path / "data", 24)
    own = settings(data, tmp_path, photo_words=True, words_in_text=in_text)
    describe(data, "a man in Oakland")
    before = key_of(own)
    folders = [stage_folder(own, stage) for stage in ("trunk", "cell")]
    assert key_of(own) == before and folders == [stage_folder(own, stage) for stage in ("trunk", "cell")]
    describe(data, "a man in Toronto!")
    assert key_of(own) != before
    with pytest.raises(InputError, match="a run with other settings"):
        stage_folder(own, "cell")
    if in_text:  # the trunk read the words
        with pytest.raises(InputError, match="a run with other settings"):
            stage_folder(own, "trunk")
    else:
        stage_folder(own, "trunk")


def test_words_that_a_run_does_not_take_are_in_no_key(tmp_path):
    data = write_data(tmp_path / "data", 24)
    plain = settings(data, tmp_path)
    files = replace(plain.source, photo_sources=("described",))
    told = replace(settings(data, tmp_path, photo_words=True), source=files)
    keys = set()
    for text in ("a man in Oakland", "a man in Toronto!"):
        describe(data, text)
        keys |= {key_of(plain), key_of(told)}
    assert len(keys) == 2, "one each: a model that reads no words, and one that takes no captions"
    assert "words" not in json.loads((stage_folder(plain, "cell") / "stage.json").read_text())


def test_where_the_words_are_from_stands_in_the_cards_conditions(tmp_path):
    data = write_data(tmp_path / "data", 24)
    describe(data, "a man in Oakland")
    arguments = ["run", "--dataset", "twitter2017", "--data", str(data), "--out", str(tmp_path / "out")]
    arguments += ["--work", str(tmp_path / "work"), "--recipe", "words"]
    changes = ("preset=tiny", "device=cpu", "epochs=1", "photo_sources=captioned,described")
    for setting in changes:
        arguments += ["--set", setting]
    CliRunner().invoke(app, arguments, catch_exceptions=False)
    folder = tmp_path / "out" / "tiny" / "twitter2017" / "roberta-resnet50" / "cross-attention"
    conditions = Conditions.of(load_card(folder).metrics)
    assert conditions.photo_sources == "described,captioned"
    assert conditions.facts["Words of photos"] == "described,captioned"
    assert sources_stated(conditions.photo_sources) == ("described", "captioned")
    scored = CliRunner().invoke(
        app,
        ["evaluate", "--checkpoint", str(folder), "--data", str(data), "--work", str(tmp_path), "--json"],
        catch_exceptions=False,
    )
    assert json.loads(scored.stdout)["conditions"]["photo_sources"] == "described,captioned"


def test_files_alone_are_told_apart_from_all_sources():
    assert sources_stated("files") is None and sources_stated(None) is None
    assert sources_of({"photo_words": True}) == PHOTO_SOURCES and sources_of({}) is None
    assert sources_of(read_recipes("words").run) == PHOTO_SOURCES
    with pytest.raises(InputError, match="needs photo_words=true"):
        sources_of({"photo_sources": "ocr"})

"""Comparing: each answer is what predicting gives, cells on one trunk share one encoder pass."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.answer import predict as answering
from mmdemo.answer.compare import compare, side_by_side
from mmdemo.cells import catalogue
from mmdemo.cells.card import load_card
from mmdemo.cells.locate import Cell
from mmdemo.cells.zoo import trunk_hash
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.encoders.table import MODELS, models_of
from mmdemo.posts.question import read_post
from mmdemo.types import InputError
from mmdemo.ui.shell.titles import own_titles

TWEET = "Kevin Durant enters Oracle Arena with Nike"
MARKED = "[E1] Kevin Durant [/E1] enters [E2] Oracle Arena [/E2]"


@pytest.fixture(autouse=True)
def zoo(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))


@pytest.fixture
def photo() -> Image.Image:
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (60, 80, 3), dtype=np.uint8))


def fusions(dataset: str) -> tuple[Cell, ...]:
    cells = side_by_side(dataset, across="fusions", model="roberta-resnet50", fusion="film", preset="tiny")
    return tuple(cell for cell in cells if cell.problem is None)


@pytest.mark.parametrize(("dataset", "text"), [("twitter2017", TWEET), ("mnre", MARKED)])
@pytest.mark.parametrize("with_photo", [True, False])
def test_every_answer_is_what_predicting_gives(dataset, text, with_photo, photo):
    cells = fusions(dataset)
    post = read_post(text, find_dataset(dataset), photo if with_photo else None)
    comparison = compare(post, cells)
    assert [a.prediction.checkpoint for a in comparison.answers] == [cell.name for cell in cells]
    for answer, cell in zip(comparison.answers, cells, strict=True):
        alone = answering.predict(post, cell)
        assert answer.prediction.entities == alone.entities
        assert answer.prediction.relations == alone.relations
        assert answer.prediction.warnings == alone.warnings
        assert answer.prediction.trace.keys() == alone.trace.keys()
    assert comparison.total_ms > 0


def test_cells_on_one_trunk_share_one_encoder_pass(photo, monkeypatch):
    film = fusions("twitter2017")[0]
    twin = fusions("twitter2017")[1]
    other = catalogue.find_cell("twitter2017", "bert-resnet50", "film", "tiny")
    assert trunk_hash(load_card(film.folder)) == trunk_hash(load_card(twin.folder))
    assert trunk_hash(load_card(film.folder)) != trunk_hash(load_card(other.folder))
    passes = []
    model = catalogue.load(film).model
    whole = type(model).encode
    monkeypatch.setattr(type(model), "encode", lambda self, batch: passes.append(1) or whole(self, batch))
    comparison = compare(read_post(TWEET, find_dataset("twitter2017"), photo), [film, twin, other])
    assert [answer.pass_number for answer in comparison.answers] == [0, 0, 1]
    assert len(passes) == 2
    first, second, third = comparison.answers
    assert first.encode_ms == second.encode_ms
    expected = first.encode_ms + third.encode_ms + sum(a.fuse_ms for a in comparison.answers)
    assert comparison.total_ms == pytest.approx(expected)


def test_the_photo_is_opened_once_and_a_broken_one_is_refused(tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG nothing")
    question = read_post(TWEET, find_dataset("twitter2017"))
    post = replace(question, post=replace(question.post, image=broken))
    with pytest.raises(InputError, match="broken.png"):
        compare(post, fusions("twitter2017"))


def test_what_cannot_be_compared_is_one_sentence():
    post = read_post(TWEET, find_dataset("twitter2017"))
    with pytest.raises(InputError, match="at least one"):
        compare(post, ())
    with pytest.raises(InputError, match="twitter2017 and mnre"):
        compare(post, [fusions("twitter2017")[0], fusions("mnre")[0]])
    with pytest.raises(InputError, match="fusions or models"):
        side_by_side("mnre", across="datasets", model="roberta-resnet50", fusion="film")
    for wrong in ({"dataset": "x"}, {"model": "x"}):
        names = {"dataset": "mnre", "across": "fusions", "model": "roberta-resnet50", "fusion": "film"}
        with pytest.raises(InputError, match="'x'"):
            side_by_side(**names | wrong)


def test_models_that_a_preset_lacks_stand_beside_its_own_as_lite_has_them():
    row = side_by_side("twitter2017", across="models", model="", fusion="film", preset="base")
    assert [(cell.preset, cell.model) for cell in row] == [
        ("base" if model in models_of("base") else "lite", model) for model in MODELS
    ]
    titles = own_titles([cell.name for cell in row])
    assert titles[0] == "RoBERTa + ResNet50 (base)" and titles[1] == "BERT + ResNet50"


def test_models_stand_side_by_side_and_baselines_in_one_row():
    row = side_by_side("mnre", across="models", model="", fusion="concat", preset="tiny")
    assert {cell.fusion for cell in row} <= {"concat", "native"}
    assert len({cell.model for cell in row}) == len(row)


# ---------------------------------------------------------------- the command


def run(*options: str):
    arguments = ["compare", "--preset", "tiny", "--dataset", "twitter2017", "--text", TWEET, *options]
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_the_command_prints_json(photo, tmp_path):
    photo.save(tmp_path / "photo.png")
    done = run("--json", "--image", str(tmp_path / "photo.png"))
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert {"rows", "answers", "total_ms", "not_ready"} <= found.keys()
    names = [answer["checkpoint"] for answer in found["answers"]]
    for row in found["rows"]:
        assert row["agreement"] in ("types", "some", "all") and list(row["answers"]) == names


def test_the_command_prints_a_table_and_writes_a_page(tmp_path):
    page = tmp_path / "comparison.html"
    done = run("--html", str(page))
    assert done.exit_code == 0 and "encoder passes" in done.stdout
    written = page.read_text(encoding="utf-8")
    assert written.startswith("<!doctype html>") and "<script" not in written
    with pytest.raises(InputError, match="cannot be written"):
        run("--html", str(tmp_path / "no" / "folder.html"))

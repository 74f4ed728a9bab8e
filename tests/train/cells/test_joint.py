"""Rows of several datasets on one trunk, from posts to cells."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from mmdemo.answer.predict import predict
from mmdemo.cells.card import joint_trunk, load_card
from mmdemo.cells.catalogue import find_cell
from mmdemo.cells.checkpoint import load_model
from mmdemo.cells.conditions import Conditions
from mmdemo.cells.locate import Cell
from mmdemo.cells.zoo import Zoo
from mmdemo.posts.question import read_post
from mmdemo.types import InputError
from tests.tiny import write_data
from tests.train.cells.test_row import settings
from train.cells.joint import run_rows
from train.cells.row import run_row
from train.cells.run import ensure_base, material_of
from train.cells.settings import Settings
from train.fit.rows import stage as row_stage
from train.fit.rows.joint import JointRows
from train.fit.rows.stage import RowData, fresh_row
from train.fit.starts import best_of, cell_on, part_of

NAMES = ("twitter2017", "mnre")
FUSIONS = ("film", "concat")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), 24)


def runs(data: Path, place: Path, **options) -> list[Settings]:
    return [settings(data, place, dataset=name, **options) for name in NAMES]


def test_each_dataset_gets_its_cells_on_one_trunk(data, tmp_path, monkeypatch):
    folders = list(run_rows(runs(data, tmp_path), FUSIONS))
    out = tmp_path / "out"
    assert folders == [out / "tiny" / name / "roberta-resnet50" / f for name in NAMES for f in FUSIONS]
    trunk = out / "tiny" / "base" / "roberta-resnet50" / "trunk.safetensors"
    assert trunk.is_file() and not list(out.glob("tiny/*/roberta-resnet50/trunk.safetensors"))[1:]
    cards = [load_card(folder) for folder in folders]
    place = joint_trunk("roberta-resnet50")
    assert len({card.trunks[place] for card in cards}) == 1
    for card in cards:
        conditions = Conditions.of(card.metrics)
        assert conditions.datasets == NAMES and conditions.trained_with == FUSIONS
        assert conditions.facts["Trunk trained on"] == "twitter2017, mnre"
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(out))
    cells: list[Cell] = [find_cell(name, "roberta-resnet50", "film", "tiny") for name in NAMES]
    for cell, text in zip(cells, ("Ann met Bob", "[E1] Ann [/E1] met [E2] Bob [/E2]"), strict=True):
        answer = predict(read_post(text, cell.dataset), cell)
        assert answer.checkpoint == cell.name
    zoo = Zoo(out)
    one, two = (zoo.load(cell).model for cell in cells)
    assert one.text_encoder is two.text_encoder and one.fusion is not two.fusion


def test_a_killed_joint_run_goes_on_to_the_same_bytes(data, tmp_path, monkeypatch):
    whole = list(run_rows(runs(data, tmp_path / "whole"), FUSIONS))
    calls, plain = iter(range(99)), row_stage.row_probabilities

    def killed(*arguments, **options):
        if next(calls) == 3:  # each epoch scores both rows: in the middle of the second one
            raise KeyboardInterrupt
        return plain(*arguments, **options)

    monkeypatch.setattr(row_stage, "row_probabilities", killed)
    with pytest.raises(KeyboardInterrupt):
        list(run_rows(runs(data, tmp_path / "cut"), FUSIONS))
    monkeypatch.undo()
    for one, two in zip(whole, run_rows(runs(data, tmp_path / "cut"), FUSIONS), strict=True):
        assert (one / "model.safetensors").read_bytes() == (two / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match="holds a run with other settings"):
        list(run_rows(runs(data, tmp_path / "cut"), FUSIONS[:1]))


def test_both_start_from_what_one_row_has_learnt(data, tmp_path):
    list(run_row(settings(data, tmp_path), ["film"]))
    start = tmp_path / "work" / "training" / "tiny" / "twitter2017" / "roberta-resnet50" / "row"
    list(
        run_rows(runs(data, tmp_path, start=start, changes={"row": {"epochs": 1, "text_lr": 0.0}}), ["film"])
    )
    own = best_of(tmp_path / "work" / "training" / "tiny" / "+".join(NAMES) / "roberta-resnet50" / "row")
    name = "text_encoder.bert.encoder.layer.0.attention.self.query.weight"
    assert torch.equal(own[name], best_of(start)[name])


def test_from_a_joint_trunk_its_cells_go_on_with_their_own_parts(data, tmp_path):
    folders = list(run_rows(runs(data, tmp_path), FUSIONS))
    out = tmp_path / "out"
    start = out / "tiny" / "base" / "roberta-resnet50"
    first, second = runs(data, tmp_path)
    recipe = first.recipe("row")
    one = fresh_row(first.config, (*FUSIONS, "bimodal"), recipe, out, start)
    two = fresh_row(second.config, FUSIONS, recipe, out, start, beside=one)
    stored = [load_model(out, folder, load_card(folder)).state_dict() for folder in folders]
    cells = [row.by_fusion()[fusion].state_dict() for row in (one, two) for fusion in FUSIONS]
    for own, kept in zip(cells, stored, strict=True):
        assert all(torch.equal(own[name], value) for name, value in kept.items())
    fresh = fresh_row(first.config, ("bimodal",), recipe, out)
    new = one.by_fusion()["bimodal"].state_dict()
    assert all(
        torch.equal(value, new[name])
        for name, value in fresh.by_fusion()["bimodal"].state_dict().items()
        if not name.startswith(("text_encoder", "image_encoder"))
    )


def test_a_trunk_near_the_root_of_the_disk_has_no_cells(data, tmp_path):
    assert cell_on(Path("/trunk"), settings(data, tmp_path).config) is None


def test_a_row_goes_on_from_a_joint_run_with_its_own_cells(data, tmp_path):
    list(run_rows(runs(data, tmp_path), FUSIONS))
    run = tmp_path / "work" / "training" / "tiny" / "+".join(NAMES) / "roberta-resnet50" / "row"
    own = settings(data, tmp_path, dataset="mnre")
    row = fresh_row(own.config, FUSIONS, own.recipe("row"), tmp_path / "out", run)
    best = best_of(run)
    for fusion in FUSIONS:
        cell = row.by_fusion()[fusion].state_dict()
        kept = part_of(best, f"mnre/{fusion}")
        assert any(name.startswith("heads.") for name in kept)
        assert all(torch.equal(cell[name], value) for name, value in kept.items())


def test_joint_rows_hold_every_cell_beside_one_pair_of_encoders(data, tmp_path):
    first, second = runs(data, tmp_path)
    recipe = first.recipe("row")
    one = fresh_row(first.config, FUSIONS, recipe, tmp_path)
    two = fresh_row(second.config, FUSIONS, recipe, tmp_path, beside=one)
    model = JointRows({"twitter2017": one, "mnre": two})
    assert {name.split(".")[0] for name, _ in model.named_parameters()} == {
        "text_encoder",
        "image_encoder",
        "cells",
    }
    assert set(model.cells) == {f"{name}/{fusion}" for name in NAMES for fusion in FUSIONS}


def test_parts_make_up_a_pass(data, tmp_path):
    own = settings(data, tmp_path, changes={"row": {"parts": 3}})
    recipe = own.recipe("row")
    ensure_base(own)
    row = fresh_row(own.config, ["film"], recipe, tmp_path)
    rows = RowData(material_of(own, recipe), row, recipe, tmp_path, own.cache, Accelerator(cpu=True))
    order = list(range(len(rows.plain)))
    passes = [[rows._part(order, 3 * n + part) for part in range(3)] for n in range(2)]
    for parts in passes:
        assert sorted(sum(map(list, parts), [])) == order
    assert passes[0] != passes[1] and len(passes[0][0]) == len(order) // 3
    whole = RowData(
        material_of(own, recipe), row, replace(recipe, parts=1), tmp_path, own.cache, Accelerator(cpu=True)
    )
    assert whole._part(order, 5) == order


@pytest.mark.parametrize(("names", "match"), [(("mnre", "mnre"), "name each dataset once")])
def test_what_cannot_train_together_is_told(data, tmp_path, names, match):
    with pytest.raises(InputError, match=match):
        list(run_rows([settings(data, tmp_path, dataset=name) for name in names], FUSIONS))
    aligned = [settings(data, tmp_path, dataset=name, shape={"model": "clip-bert"}) for name in NAMES]
    with pytest.raises(InputError, match="no aligned photo side"):
        list(run_rows(aligned, FUSIONS))

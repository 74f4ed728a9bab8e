"""A row whose trunk is stored as its difference to one that several datasets share."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from mmdemo.answer.predict import predict
from mmdemo.cells import pretrained_base
from mmdemo.cells.card import joint_trunk, load_card
from mmdemo.cells.catalogue import find_cell
from mmdemo.cells.checkpoint import load_model, load_trunk, trunk_below
from mmdemo.cells.files import read_tensors
from mmdemo.posts.question import read_post
from mmdemo.types import InputError
from tests.tiny import write_data
from tests.train.cells.test_row import FAST, settings
from train.cells.joint import run_rows
from train.cells.row import run_row
from train.fit.starts import best_of, cell_on, untrained_model

MODEL = "roberta-resnet50"
SHARED, OWN = joint_trunk(MODEL), "../trunk.safetensors"
UPPER = {"row": FAST["row"] | {"frozen_layers": 1, "frozen_input": True}}
FUSIONS = ("film", "concat")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, Path, list[Path]]:
    """The place of a joint run, that of a row from its trunk, and the row's cells. Read only."""
    place = tmp_path_factory.mktemp("runs")
    data = write_data(place / "data", 24)
    names = ("twitter2017", "mnre")
    list(run_rows([settings(data, place / "joint", dataset=name) for name in names], FUSIONS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pretrained_base.LAYERS_APART, "tiny", "bert.encoder.")
        start = place / "joint" / "out" / "tiny" / "base" / MODEL
        row = settings(data, place / "row", dataset="mnre", start=start, changes=UPPER)
        folders = list(run_row(row, FUSIONS))
    return place / "joint", place / "row", folders


@pytest.fixture
def cells(trained, tmp_path) -> list[Path]:
    """A copy of the row's cells, with the trunks that they stand on."""
    shutil.copytree(trained[1] / "out", tmp_path / "out")
    return [tmp_path / folder.relative_to(trained[1]) for folder in trained[2]]


def test_its_cells_name_both_trunks_and_answer(cells, monkeypatch):
    cards = [load_card(folder) for folder in cells]
    assert all(list(card.trunks) == [SHARED, OWN] for card in cards)
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(cells[0].parents[3]))
    cell = find_cell("mnre", MODEL, "film", "tiny")
    assert predict(read_post("[E1] Ann [/E1] met [E2] Bob [/E2]", cell.dataset), cell).relations


def test_its_own_file_holds_what_it_changed_and_the_shared_one_is_as_it_was(trained):
    joint, row, folders = trained
    shared = joint / "out" / "tiny" / "base" / MODEL / "trunk.safetensors"
    assert (folders[0] / SHARED).read_bytes() == shared.read_bytes()
    changed = {name.rsplit(".", 1)[0] for name in read_tensors(folders[0] / OWN)[0]}
    layers = {name for name in changed if ".layer." in name}
    assert layers and all(".layer.1." in name for name in layers)
    assert all("feature_embedding" in name for name in changed - layers)


def test_both_together_are_what_was_trained(trained):
    _, row, folders = trained
    best = best_of(row / "work" / "training" / "tiny" / "mnre" / MODEL / "row")
    card = load_card(folders[0])
    stored = load_model(row / "out", folders[0], card)
    parts = untrained_model(card.config, settings(row, row).recipe("row"), row / "out")
    load_trunk(folders[0] / OWN, parts)  # finds the one below by itself
    for name, value in stored.text_encoder.state_dict().items():
        assert torch.equal(parts.text_encoder.state_dict()[name], value)
        trained_to = best[f"text_encoder.{name}"].float()
        assert (value - trained_to).norm() <= 0.02 * trained_to.norm() + 1e-6, name


def test_its_cell_is_no_start_for_the_shared_trunk(cells):
    card = load_card(cells[0])
    assert cell_on((cells[0] / SHARED).parent.resolve(), card.config) is None


def test_without_the_trunk_below_nothing_is_answered(cells):
    file = (cells[0] / SHARED).resolve()
    config = json.loads((cells[0] / "config.json").read_text())
    del config["files"][SHARED]
    (cells[0] / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="lacks the trunk that .* stands on"):
        load_model(cells[0].parents[3], cells[0], load_card(cells[0]))
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(InputError, match="stands on a trunk that is not at"):
        trunk_below((cells[0] / OWN).resolve())
    with pytest.raises(InputError, match="damaged or belongs to another"):
        load_model(cells[1].parents[3], cells[1], load_card(cells[1]))


def test_another_shared_trunk_in_its_place_is_not_replaced(trained, tmp_path, monkeypatch):
    joint, row, _ = trained
    monkeypatch.setitem(pretrained_base.LAYERS_APART, "tiny", "bert.encoder.")
    shutil.copytree(row, tmp_path / "row")
    place = tmp_path / "row" / "out" / "tiny" / "base" / MODEL / "trunk.safetensors"
    place.write_bytes(b"another")
    start = joint / "out" / "tiny" / "base" / MODEL
    again = settings(joint.parent / "data", tmp_path / "row", dataset="mnre", start=start, changes=UPPER)
    with pytest.raises(InputError, match="choose another --out"):
        list(run_row(again, FUSIONS))
    assert place.read_bytes() == b"another"

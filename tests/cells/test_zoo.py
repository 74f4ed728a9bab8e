"""Cells that can be picked: what is ready, what is not and why, and what stays in memory."""

import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmdemo.cells import catalogue
from mmdemo.cells import locate as locate_module
from mmdemo.cells import zoo as zoo_module
from mmdemo.cells.hub import HubRepo
from mmdemo.cells.locate import SHIPPED, checkpoints_root, list_cells
from mmdemo.cells.zoo import Zoo
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.fusion.table import fusions_of
from mmdemo.types import InputError
from tests.tiny import build_cell


def cell(root: Path, dataset: str = "twitter2017", fusion: str = "film", model: str = "roberta-resnet50"):
    wanted = (dataset, model, fusion)
    return next(c for c in list_cells(root, "tiny") if (c.dataset.name, c.model, c.fusion) == wanted)


@pytest.fixture
def loads(monkeypatch) -> list[str]:
    """The cells that have been read from disk so far."""
    done: list[str] = []
    read = zoo_module.load_model

    def counted(root, folder, card, encoders_of):
        done.append(f"{card.config.dataset.name}/{card.config.fusion}")
        return read(root, folder, card, encoders_of)

    monkeypatch.setattr(zoo_module, "load_model", counted)
    return done


@pytest.fixture
def root(tiny_zoo, tmp_path) -> Path:
    """A copy of the zoo, to be changed."""
    shutil.copytree(tiny_zoo, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_every_combination_is_listed_once(tiny_zoo):
    cells = list_cells(tiny_zoo, "tiny")
    wanted = {f"tiny/{d}/{m}/{f}" for d in bundled() for m in MODELS for f in fusions_of(m)}
    assert {c.name for c in cells} == wanted and len(cells) == len(wanted)
    assert [c.problem for c in cells] == [None] * len(cells)
    assert all(c.folder == tiny_zoo / c.name for c in cells)


def test_cells_that_are_not_there_say_so(tiny_zoo):
    for found in list_cells(tiny_zoo, "lite"):
        assert "is not among the checkpoints here; train it with python -m train run" in found.problem


def test_an_unknown_preset_is_refused(tiny_zoo):
    with pytest.raises(InputError, match="unknown preset 'huge'"):
        list_cells(tiny_zoo, "huge")


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("film/config.json", "config.json is missing"),
        ("film/metrics.json", "metrics.json is missing"),
        ("film/model.safetensors", "model.safetensors is missing"),
        ("trunk.safetensors", "trunk.safetensors is missing"),
        ("../../../lite/base/tokenizer.json", "tokenizer.json is missing"),
    ],
)
def test_a_missing_file_is_a_problem_in_words_and_an_error_to_load(root, path, problem):
    (root / "tiny" / "twitter2017" / "roberta-resnet50" / path).unlink()
    found = cell(root)
    assert problem in found.problem and "\n" not in found.problem
    with pytest.raises(InputError, match=Path(path).name):
        Zoo(root).load(found)


def test_a_missing_base_is_a_problem_of_every_lite_cell(root):
    shutil.copytree(root / "tiny" / "mnre", root / "lite" / "mnre")
    for fusion in fusions_of("roberta-resnet50"):
        folder = root / "lite" / "mnre" / "roberta-resnet50" / fusion
        for name in ("config.json", "metrics.json"):
            (folder / name).write_text((folder / name).read_text().replace("tiny", "lite"))
    ours = [c for c in list_cells(root, "lite") if (c.dataset.name, c.model) == ("mnre", "roberta-resnet50")]
    problems = {c.problem for c in ours}
    assert problems == {f"the checkpoint file {root / 'lite' / 'base' / 'base.json'} is missing"}


def test_a_cell_in_anothers_place_is_refused(root):
    there = cell(root, "mnre").folder
    shutil.rmtree(there)
    shutil.copytree(cell(root, "twitter2017").folder, there)
    found = cell(root, "mnre")
    assert "holds another checkpoint (tiny/twitter2017/roberta-resnet50/film)" in found.problem
    with pytest.raises(InputError, match="holds another checkpoint"):
        Zoo(root).load(found)


def test_a_card_is_read_once_for_as_long_as_its_files_stay(root, monkeypatch):
    read: list[str] = []
    load_card = locate_module.load_card
    monkeypatch.setattr(locate_module, "load_card", lambda place: read.append(place.name) or load_card(place))
    first = cell(root)
    assert read and cell(root) == first
    count = len(read)
    assert cell(root) == first and len(read) == count, "nothing was read again"
    file = first.folder / "metrics.json"
    whole = file.read_bytes()
    for _ in range(2):  # a failure is not kept
        file.write_bytes(b"{")
        assert "metrics.json is damaged" in cell(root).problem
    file.write_bytes(whole)
    assert cell(root) == first


def test_a_cell_is_loaded_once(tiny_zoo, loads):
    zoo = Zoo(tiny_zoo)
    assert zoo.load(cell(tiny_zoo)) is zoo.load(cell(tiny_zoo))
    assert loads == ["twitter2017/film"]


def test_the_least_recently_used_trunk_makes_room(tiny_zoo, loads):
    zoo = Zoo(tiny_zoo, size=2)
    first, second = cell(tiny_zoo, fusion="film"), cell(tiny_zoo, fusion="hybrid", model="vilt")
    third = cell(tiny_zoo, fusion="attention", model="blip")
    for wanted in (first, second, first, third, first, second):
        zoo.load(wanted)
    assert loads == [f"twitter2017/{fusion}" for fusion in ("film", "hybrid", "attention", "hybrid")]


def test_all_fusions_of_a_trunk_take_one_place(tiny_zoo, loads):
    zoo = Zoo(tiny_zoo, size=1)
    for fusion in ("film", "hybrid", "film", "hybrid"):
        zoo.load(cell(tiny_zoo, fusion=fusion))
    assert loads == ["twitter2017/film", "twitter2017/hybrid"]


def test_a_cell_trained_again_is_loaded_again(root):
    zoo = Zoo(root)
    before = zoo.load(cell(root, fusion="concat"))
    torch.manual_seed(99)
    build_cell(
        root, ModelConfig(dataset=find_dataset("twitter2017"), fusion="concat", preset="tiny"), own_trunk=True
    )
    after = zoo.load(cell(root, fusion="concat"))
    weights = [loaded.model.heads["entities"].layers[-1].weight for loaded in (before, after)]
    assert not torch.equal(*weights)
    assert zoo.load(cell(root, fusion="concat")) is after


def test_a_cell_that_was_removed_is_an_error_and_one_that_comes_back_loads(root):
    zoo = Zoo(root)
    wanted = cell(root)
    zoo.load(wanted)
    wanted.folder.rename(root / "away")
    with pytest.raises(InputError, match="there is no checkpoint tiny/twitter2017"):
        zoo.load(wanted)
    (root / "away").rename(wanted.folder)
    assert zoo.load(wanted).dataset.name == "twitter2017"


def test_a_failed_load_is_not_remembered(root):
    zoo, wanted = Zoo(root), cell(root)
    file = wanted.folder / "model.safetensors"
    good = file.read_bytes()
    file.write_bytes(b"damage")
    for _ in range(2):
        with pytest.raises(InputError, match="model.safetensors is damaged"):
            zoo.load(wanted)
    file.write_bytes(good)
    assert zoo.load(wanted).card.config.fusion == "film"


def test_many_threads_share_one_load(tiny_zoo, loads):
    zoo = Zoo(tiny_zoo)
    wanted = [cell(tiny_zoo), cell(tiny_zoo, "mnre")]
    found: list[object] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for i in range(10):
            found.append(zoo.load(wanted[(number + i) % 2]))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80 and len({id(f) for f in found}) == 2
    assert sorted(loads) == ["mnre/film", "twitter2017/film"]


def test_a_slow_download_keeps_no_other_cell_waiting(tiny_zoo, monkeypatch):
    cell, other = list_cells(tiny_zoo, "tiny")[:2]
    distant = replace(cell, source=HubRepo(name="someone/cells", revision="a" * 40), folder=Path("nowhere"))
    asked, arrived = threading.Event(), threading.Event()

    def fetch(*_):
        asked.set()
        assert arrived.wait(300)
        raise InputError("the Hub went away")

    monkeypatch.setattr(zoo_module, "_fetch", fetch)
    zoo = Zoo(tiny_zoo)
    failed = []

    def load_distant():
        try:
            zoo.load(distant)
        except InputError as error:
            failed.append(str(error))

    thread = threading.Thread(target=load_distant)
    thread.start()
    assert asked.wait(300)
    here = threading.Thread(target=zoo.load, args=(other,))
    here.start()
    here.join(300)
    waited = here.is_alive()
    arrived.set()
    thread.join()
    here.join()
    assert not waited and failed == ["the Hub went away"]


def test_the_root_is_the_shipped_folder_unless_the_environment_says_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv("MMDEMO_CHECKPOINTS", raising=False)
    assert checkpoints_root() == SHIPPED
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path))
    assert checkpoints_root() == tmp_path


def test_a_name_from_outside_cannot_be_loaded(tiny_zoo):
    stranger = replace(cell(tiny_zoo), model="../../x", folder=tiny_zoo / "tiny" / "../../x")
    with pytest.raises(InputError, match="there is no checkpoint"):
        Zoo(tiny_zoo).load(stranger)


@pytest.mark.parametrize(
    ("processors", "stated", "found"),
    [
        (8, "", ("base", "lite")),
        (1, "", ("lite",)),
        (8, "lite", ("lite",)),
        (1, "base", ("base", "lite")),
        (8, "tiny", ("tiny",)),
    ],
)
def test_base_answers_by_default_where_it_is_quick(monkeypatch, processors, stated, found):
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert catalogue.default_presets({"MMDEMO_PRESET": stated}) == found


def test_a_default_that_is_no_preset_is_refused():
    with pytest.raises(InputError, match="MMDEMO_PRESET is 'huge'; known: base, lite"):
        catalogue.default_presets({"MMDEMO_PRESET": "huge"})

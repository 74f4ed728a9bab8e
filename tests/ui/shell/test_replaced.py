"""A checkpoint replaced while people ask: each gets the old answer, the new one or a sentence, no mix."""

import json
import shutil
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import torch

from mmdemo.datasets.discovery import default_for
from mmdemo.models.config import ModelConfig
from mmdemo.types import InputError
from mmdemo.ui.shell import api as endpoints
from tests.tiny import build_cell

CELL = ModelConfig(dataset=default_for("entities"), fusion="concat", preset="tiny")
ASKED = (CELL.dataset.name, CELL.model, CELL.fusion, "Kevin Durant visits Oakland !", None, CELL.preset)
CLIENTS, REPLACED = 3, 6


def said() -> str:
    """The whole answer; scores to three digits, below which threads may differ."""
    answer = endpoints.predict(*ASKED)
    for entity in answer["entities"]:
        entity["score"] = round(entity["score"], 3)
    return json.dumps(answer)


@pytest.fixture
def versions(tiny_zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The served cell's folder, and a copy of each of two versions of it."""
    root = tmp_path / "zoo"
    shutil.copytree(tiny_zoo, root)
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(root))
    served = root / CELL.cell
    shutil.copytree(served, tmp_path / "old")
    torch.manual_seed(99)
    build_cell(root, CELL, own_trunk=True)
    shutil.copytree(served, tmp_path / "new")
    return [served, tmp_path / "old", tmp_path / "new"]


def replace_files(served: Path, version: Path) -> None:
    """As training writes: each file whole, the weights first, the files that name them last."""
    for name in ("trunk.safetensors", "model.safetensors", "config.json", "metrics.json"):
        shutil.copyfile(version / name, served / "part")
        (served / "part").rename(served / name)


def test_a_checkpoint_is_replaced_while_it_serves(versions):
    served, old, new = versions
    answers = []
    for version in (old, new):
        replace_files(served, version)
        answers.append(said())
    assert len(set(answers)) == 2, "the two versions must differ for this test to see anything"
    counted: Counter[str] = Counter()
    failures: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                counted[said()] += 1
            except Exception as error:
                if isinstance(error.__cause__, InputError):
                    counted["a sentence"] += 1
                else:
                    failures.append(error)

    clients = [threading.Thread(target=ask, daemon=True) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for turn in range(REPLACED):
        replace_files(served, (old, new)[turn % 2])
        asked, deadline = counted.total(), time.monotonic() + 60
        while counted.total() < asked + CLIENTS and not failures and time.monotonic() < deadline:
            done.wait(0.01)
    done.set()
    for client in clients:
        client.join()
    assert failures == []
    assert set(counted) - {*answers, "a sentence"} == set()
    assert counted[answers[0]] and counted[answers[1]]
    assert said() == answers[1], "the last version holds"

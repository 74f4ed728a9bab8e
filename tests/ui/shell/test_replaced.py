"""A checkpoint replaced while people ask: each gets the old answer, the new one or a sentence, no mix."""

import json
import shutil
import threading
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
SENTENCE = "a sentence"
HANGS = 300  # seconds; nothing is waited for that long but an answer that never comes


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


class Client:
    """Asks without a pause. Of each question it keeps how many replacements were whole when it was begun."""

    def __init__(self, crowd: "Crowd") -> None:
        self.crowd = crowd
        self.told: list[tuple[int, str]] = []
        self.thread = threading.Thread(target=self._ask_on, daemon=True)

    def _ask_on(self) -> None:
        while not self.crowd.done:
            begun = self.crowd.replaced
            try:
                answer = said()
            except Exception as error:
                if not isinstance(error.__cause__, InputError):
                    self.crowd.fail(error)
                    return
                answer = SENTENCE
            with self.crowd.news:
                self.told.append((begun, answer))
                self.crowd.news.notify_all()

    def first_since(self, replaced: int) -> str | None:
        """The answer to the first question begun once so many replacements were whole."""
        return next((answer for begun, answer in self.told if begun == replaced), None)


class Crowd:
    """Clients that ask at once, and how many replacements are whole."""

    def __init__(self, clients: int) -> None:
        self.news = threading.Condition()
        self.replaced, self.done = 0, False
        self.failures: list[BaseException] = []
        self.clients = [Client(self) for _ in range(clients)]
        for client in self.clients:
            client.thread.start()

    def fail(self, error: BaseException) -> None:
        with self.news:
            self.failures.append(error)
            self.news.notify_all()

    def after_replacement(self) -> list[str | None]:
        """What each client is told when it asks anew now that one more replacement is whole."""
        self.replaced += 1
        with self.news:
            self.news.wait_for(lambda: self.failures or all(self._firsts()), HANGS)
            return self._firsts()

    def _firsts(self) -> list[str | None]:
        return [client.first_since(self.replaced) for client in self.clients]

    def leave(self) -> set[str]:
        """Stop asking; all that anybody was told."""
        self.done = True
        for client in self.clients:
            client.thread.join()
        return {answer for client in self.clients for _, answer in client.told}


def test_a_checkpoint_is_replaced_while_it_serves(versions):
    served, old, new = versions
    answers = []
    for version in (old, new):
        replace_files(served, version)
        answers.append(said())
    assert len(set(answers)) == 2, "the two versions must differ for this test to see anything"
    crowd = Crowd(CLIENTS)
    for turn in range(REPLACED):
        replace_files(served, (old, new)[turn % 2])
        told = crowd.after_replacement()
        assert crowd.failures == []
        assert told == [answers[turn % 2]] * CLIENTS, "whoever asks now is answered by the version of now"
    told_ever = crowd.leave()
    assert crowd.failures == []
    assert told_ever <= {*answers, SENTENCE}, "no mix of two versions"

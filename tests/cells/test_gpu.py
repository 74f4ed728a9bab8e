"""ZeroGPU by a stand-in of `spaces`, and the choice of device: what must hold where no GPU is at hand."""

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from mmdemo.answer import explain as explaining
from mmdemo.answer import predict as answering
from mmdemo.cells import catalogue, gpu
from mmdemo.cells.zoo import Zoo
from mmdemo.datasets.discovery import find_dataset
from mmdemo.posts.question import read_post
from mmdemo.types import InputError

ROOT = Path(__file__).resolve().parents[2]
CELL = ("twitter2017", "roberta-resnet50", "film", "tiny")


@pytest.fixture
def calls(monkeypatch, tiny_zoo) -> list[str]:
    """`spaces.GPU` as it behaves: arguments and results by copy, and our errors not at all."""
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    made: list[str] = []

    def decorate(task):
        def call(*args, **kwargs):
            made.append(task.__name__)
            args, kwargs = pickle.loads(pickle.dumps((args, kwargs)))
            try:
                return pickle.loads(pickle.dumps(task(*args, **kwargs)))
            except Exception as error:
                raise RuntimeError(f"ZeroGPU worker error: {type(error).__name__}") from None

        return call

    monkeypatch.setattr(gpu, "_spaces", SimpleNamespace(GPU=lambda duration: decorate))
    return made


def test_elsewhere_a_task_is_left_as_it_is():
    def task() -> None: ...

    assert gpu.ZERO_GPU is False and gpu.on_gpu(task) is task


def test_a_request_survives_the_way_to_the_gpu_and_back(calls):
    cell = catalogue.find_cell(*CELL)
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    post = read_post("Kevin Durant enters Oracle Arena", find_dataset("twitter2017"), Image.fromarray(noise))
    for task in (answering.predict, explaining.explain):
        there, here = gpu.on_gpu(task)(post, cell), task(post, cell)
        assert type(there) is type(here)
        answers = [getattr(r, "prediction", r) for r in (there, here)]
        assert answers[0].entities == answers[1].entities
        for name, value in answers[1].trace.items():
            assert isinstance(value, np.ndarray)
            np.testing.assert_array_equal(answers[0].trace[name], value)
    assert calls == ["predict", "explain"]


def test_a_persons_mistake_arrives_as_its_sentence(calls):
    asked = gpu.on_gpu(answering.predict)
    with pytest.raises(InputError, match="mark the head as"):
        asked(read_post("Ann", find_dataset("twitter2017")), catalogue.find_cell("mnre", *CELL[1:]))


LOOK = """
    import sys, types
    made = []
    def GPU(duration):
        assert "torch" not in sys.modules or not sys.modules["torch"].cuda.is_initialized()
        def decorate(task):
            made.append(task.__name__)
            return task
        return decorate
    sys.modules["spaces"] = types.ModuleType("spaces")
    sys.modules["spaces"].__spec__ = types.SimpleNamespace()
    sys.modules["spaces"].GPU = GPU
    from mmdemo.answer import compare, explain, imagine, predict, preannotation
    from mmdemo.cells import catalogue
    catalogue.cells = lambda preset="tiny", held=catalogue.cells: held("tiny")
    catalogue.list_cells = lambda root, preset="tiny", held=catalogue.list_cells: held(root, preset)
    catalogue.preload()
    zoo = catalogue._zoo_in(catalogue.checkpoints_root())
    print(catalogue.ZERO_GPU, made, len(zoo._loaded), len([c for c in catalogue.cells() if not c.problem]))
"""


def test_on_a_zero_gpu_space_all_models_are_there_before_the_first_request(tiny_zoo):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(LOOK)],
        cwd=ROOT,
        env=os.environ | {"SPACES_ZERO_GPU": "true", "MMDEMO_CHECKPOINTS": str(tiny_zoo)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    zero, *made, loaded, ready = done.stdout.replace("[", "").replace("]", "").replace(",", "").split()
    # The page's own process holds none: what the Review tab asks, too, must go over.
    assert zero == "True" and {"'predict'", "'explain'", "'suggestions'"} <= set(made)
    assert loaded == ready != "0"


# ---------------------------------------------------------------- device


@pytest.fixture
def asked(monkeypatch):
    def ask(wanted: str) -> torch.device:
        monkeypatch.setenv("MMDEMO_DEVICE", wanted)
        gpu.device.cache_clear()
        return gpu.device()

    yield ask
    gpu.device.cache_clear()


def test_the_device_is_cuda_where_it_is_there_else_the_cpu(asked, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [asked(d).type for d in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert asked("auto").type == "cpu"
    with pytest.raises(InputError, match="asks for cuda, which this machine lacks"):
        asked("cuda")
    with pytest.raises(InputError, match="MMDEMO_DEVICE is 'tpu'"):
        asked("tpu")


def test_models_and_their_batches_go_to_the_device(tiny_zoo, monkeypatch):
    """By the `meta` device, the one other that every machine has: shapes without numbers."""
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    zoo = Zoo(tiny_zoo, device=torch.device("meta"))
    monkeypatch.setattr(catalogue, "load", zoo.load)
    cell = catalogue.find_cell(*CELL)
    assert {p.device.type for p in zoo.load(cell).model.parameters()} == {"meta"}
    seen = []
    model = zoo.load(cell).model
    monkeypatch.setattr(
        model, "encode", lambda batch: seen.append(batch) or (_ for _ in ()).throw(InputError("x"))
    )
    with pytest.raises(InputError):
        answering.predict(read_post("Ann", find_dataset("twitter2017"), Image.new("RGB", (8, 8))), cell)
    (batch,) = seen
    assert {v.device.type for v in vars(batch).values() if isinstance(v, torch.Tensor)} == {"meta"}


def test_a_damaged_cell_keeps_no_other_from_the_gpu(monkeypatch, caplog):
    loaded = []

    def load(cell):
        if cell.name == "bad":
            raise InputError("the checkpoint file x is damaged")
        loaded.append(cell.name)

    monkeypatch.setattr(catalogue, "ZERO_GPU", True)
    names = ("a", "bad", "b")
    monkeypatch.setattr(catalogue, "cells", lambda: [SimpleNamespace(problem=None, name=n) for n in names])
    monkeypatch.setattr(catalogue, "load", load)
    catalogue.preload()
    assert loaded == ["a", "b"] and "bad cannot be used: the checkpoint file x" in caplog.text

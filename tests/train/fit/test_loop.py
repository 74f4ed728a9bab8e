"""The training loop on tiny models: rates, stopping, averaging, failure, and going on after a kill."""

import gc
import json
import math
import weakref
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mmdemo.cells.pretrained_base import load_base
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import Batch, Example
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import MultimodalModel, build_model
from mmdemo.types import InputError
from train.data.batches import Drops, bucketed_batches
from train.fit.loop import Task, _rate_at, choose_accelerator, fit
from train.fit.recipe import Recipe

CONFIG = ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny")
RECIPE = Recipe(
    epochs=3, batch_size=4, text_lr=1e-3, embedding_lr=0, image_lr=1e-3, fusion_lr=1e-3, head_lr=1e-3
)
WORDS = ("Ann", "sees", "Oakland", "and", "Paris")


@pytest.fixture(scope="module")
def accelerator():
    return choose_accelerator("cpu")


@pytest.fixture(scope="module")
def examples(request) -> list[Example]:
    reader = request.getfixturevalue("reader")
    generator = torch.Generator().manual_seed(1)
    return [
        Example(
            text=reader.read(WORDS[: 2 + i % 4]),
            target=tuple((0, 1, 3)[(i + w) % 3] for w in range(2 + i % 4)),
            pixels_CHW=torch.randn(3, 64, 64, generator=generator).numpy() if i % 3 else None,
        )
        for i in range(14)
    ]


def new_model() -> MultimodalModel:
    torch.manual_seed(11)
    model = build_model(CONFIG)
    load_base(Path(), model, "tiny")
    return model


class Killed(Exception):
    """Stands for the process ending in the middle of an epoch."""


def task(examples, scores=(), killed_at: tuple[int, int] | None = None) -> Task:
    """Learn the examples; validation gives ``scores`` in turn, then rises; dies at (epoch, step)."""
    given = iter(scores)
    rising = iter(range(1, 1000))

    def batches(epoch: int) -> Iterator[Batch]:
        found = bucketed_batches(examples, 4, seed=1, epoch=epoch, drops=Drops(all=0.2))
        for step, batch in enumerate(found):
            if (epoch, step) == killed_at:
                raise Killed
            yield batch

    def validate(model: MultimodalModel) -> dict[str, dict[str, float]]:
        model.eval()
        return {"entity": {"f1": next(given, next(rising) / 1000)}}

    return Task(name="test", batches=batches, steps=4, validate=validate)


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def epochs(folder: Path) -> list[int]:
    return [line["epoch"] for line in lines(folder) if "validation" in line]


def same_files(a: Path, b: Path) -> None:
    one, two = load_file(a), load_file(b)
    assert one.keys() == two.keys() and one
    assert [name for name, value in one.items() if not torch.equal(value, two[name])] == []


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize(
    ("step", "share"),
    [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (55, 0.5), (40, 0.75), (100, 0.0), (120, 0.0)],
)
def test_rates_rise_over_a_tenth_and_fall_by_a_cosine(step, share):
    assert _rate_at(step, 100, 0.1) == pytest.approx(share)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_short_run_has_rates_too(steps):
    rates = [_rate_at(step, steps, 0.1) for step in range(steps)]
    assert rates[0] == 1.0 and all(0 <= rate <= 1 for rate in rates)


def test_the_log_has_a_line_a_step_and_one_an_epoch(examples, tmp_path, accelerator):
    fit(new_model(), task(examples), RECIPE, tmp_path, accelerator)
    steps = [line for line in lines(tmp_path) if "loss" in line]
    assert [(line["epoch"], line["step"]) for line in steps] == [(e, s) for e in range(3) for s in range(4)]
    assert epochs(tmp_path) == [0, 1, 2]
    assert all(line["seconds"] > 0 for line in lines(tmp_path) if "validation" in line)
    rates = [line["lr"] for line in steps]
    assert rates[0] == pytest.approx(1e-3) and rates[-1] == pytest.approx(0, abs=1e-9)
    assert rates == sorted(rates, reverse=True)  # the warm-up of 12 steps is over after one
    losses = [line["loss"] for line in steps]
    assert sum(losses[-4:]) < sum(losses[:4])


# ---------------------------------------------------------------- stopping and keeping the best


def test_training_stops_after_two_epochs_without_gain_and_keeps_the_best(examples, tmp_path, accelerator):
    recipe = Recipe(**{**vars(RECIPE), "epochs": 9, "patience": 2})
    model = new_model()
    scores = fit(model, task(examples, [0.1, 0.5, 0.4, 0.5, 0.9]), recipe, tmp_path, accelerator)
    assert epochs(tmp_path) == [0, 1, 2, 3]
    assert scores == {"entity": {"f1": 0.5}}
    kept = load_file(tmp_path / "best.safetensors")
    last = load_file(tmp_path / "last.safetensors")
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert torch.equal(parameter, kept[f"model/{name}"]), name
    assert not torch.equal(
        kept["model/heads.entities.layers.4.bias"], last["model/heads.entities.layers.4.bias"]
    )


def test_patience_starts_again_with_each_gain(examples, tmp_path, accelerator):
    recipe = Recipe(**{**vars(RECIPE), "epochs": 6, "patience": 2})
    fit(new_model(), task(examples, [0.5, 0.4, 0.6, 0.5, 0.7, 0.6]), recipe, tmp_path, accelerator)
    assert epochs(tmp_path) == [0, 1, 2, 3, 4, 5]


def test_a_finished_run_is_not_trained_again(examples, tmp_path, accelerator):
    first = fit(new_model(), task(examples, [0.3, 0.2, 0.1]), RECIPE, tmp_path, accelerator)
    model = new_model()
    assert fit(model, task(examples, [0.9]), RECIPE, tmp_path, accelerator) == first
    assert epochs(tmp_path) == [0, 1, 2]
    kept = load_file(tmp_path / "best.safetensors")
    assert torch.equal(model.heads["entities"].layers[-1].bias, kept["model/heads.entities.layers.4.bias"])


def test_frozen_parts_do_not_move_and_are_not_stored(examples, tmp_path, accelerator):
    recipe = Recipe(**{**vars(RECIPE), "text_lr": 0, "image_lr": 0})
    model, before = new_model(), new_model()
    fit(model, task(examples), recipe, tmp_path, accelerator)
    moved = {
        name.split(".")[0]
        for (name, a), b in zip(model.named_parameters(), before.parameters(), strict=True)
        if not torch.equal(a, b)
    }
    assert moved == {"text_projection", "image_projection", "fusion", "heads"}
    assert {name.split("/")[1].split(".")[0] for name in load_file(tmp_path / "best.safetensors")} == moved


# ---------------------------------------------------------------- going on after a kill


@pytest.mark.parametrize("ema", [0.0, 0.8])
@pytest.mark.parametrize("killed_at", [(0, 2), (1, 1), (2, 3)])
def test_a_killed_run_goes_on_as_if_unbroken(examples, tmp_path, accelerator, killed_at, ema):
    recipe = Recipe(**{**vars(RECIPE), "ema": ema})
    fit(new_model(), task(examples), recipe, tmp_path / "unbroken", accelerator)
    with pytest.raises(Killed):
        fit(new_model(), task(examples, killed_at=killed_at), recipe, tmp_path / "killed", accelerator)
    scores = [(killed_at[0] + 1 + i) / 1000 for i in range(3)]  # validation goes on where it was
    fit(new_model(), task(examples, scores), recipe, tmp_path / "killed", accelerator)
    for name in ("best.safetensors", "last.safetensors"):
        same_files(tmp_path / "unbroken" / name, tmp_path / "killed" / name)


def test_no_temporary_file_stays(examples, tmp_path, accelerator):
    fit(new_model(), task(examples), RECIPE, tmp_path, accelerator)
    assert {p.name for p in tmp_path.iterdir()} == {"best.safetensors", "last.safetensors", "log.jsonl"}


# ---------------------------------------------------------------- averaging


def test_the_average_is_what_is_kept_and_lies_between_the_steps(examples, tmp_path, accelerator):
    recipe = Recipe(**{**vars(RECIPE), "epochs": 1})
    fit(new_model(), task(examples), recipe, tmp_path / "plain", accelerator)
    fit(new_model(), task(examples), Recipe(**{**vars(recipe), "ema": 0.5}), tmp_path / "ema", accelerator)
    plain = load_file(tmp_path / "plain" / "last.safetensors")
    state = load_file(tmp_path / "ema" / "last.safetensors")
    name = "heads.entities.layers.4.weight"
    assert torch.equal(state[f"model/{name}"], plain[f"model/{name}"])  # averaging does not touch training
    average = state[f"average/{name}"]
    assert torch.equal(load_file(tmp_path / "ema" / "best.safetensors")[f"model/{name}"], average)
    assert not torch.equal(average, plain[f"model/{name}"])
    start = dict(new_model().named_parameters())[name]
    assert (average - start).norm() < (plain[f"model/{name}"] - start).norm()


# ---------------------------------------------------------------- failures


def test_a_loss_that_is_no_number_is_one_sentence_and_costs_only_its_epoch(examples, tmp_path, accelerator):
    def poisoned(epoch: int) -> Iterator[Batch]:
        for batch in bucketed_batches(examples, 4, seed=1, epoch=epoch):
            if epoch == 1 and batch.pixels_BCHW is not None:
                batch.pixels_BCHW.fill_(math.nan)
            yield batch

    good = task(examples)
    bad = Task(name="test", batches=poisoned, steps=4, validate=good.validate)
    with pytest.raises(InputError, match="test: the loss is nan at epoch 2; lower the rates"):
        fit(new_model(), bad, RECIPE, tmp_path, accelerator)
    assert all(value.isfinite().all() for value in load_file(tmp_path / "last.safetensors").values())
    fit(new_model(), good, RECIPE, tmp_path, accelerator)
    assert epochs(tmp_path) == [0, 1, 2]


@pytest.mark.parametrize("device", ["gpu", "", "cuda:9"])
def test_an_unknown_device_is_one_sentence(device):
    with pytest.raises(InputError, match="known are auto, cpu, cuda, mps"):
        choose_accelerator(device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_device_that_is_not_there_is_one_sentence():
    with pytest.raises(InputError, match="this machine has no CUDA device"):
        choose_accelerator("cuda")


def test_batch_norms_keep_their_statistics_when_the_image_encoder_trains():
    from torch import nn

    from train.fit.loop import _freeze_statistics

    model = new_model()
    model.image_encoder.net.append(nn.BatchNorm2d(32))
    model.train()
    _freeze_statistics(model)
    assert model.image_encoder.training and not model.image_encoder.net[-1].training
    for parameter in model.image_encoder.parameters():
        parameter.requires_grad_(False)
    _freeze_statistics(model)
    assert not model.image_encoder.training and model.text_encoder.training


# ---------------------------------------------------------------- memory


@pytest.mark.parametrize("killed_at", [None, (1, 1)])
def test_nothing_of_a_fit_is_held_after_it_but_the_model_by_its_caller(
    examples, tmp_path, accelerator, killed_at
):
    model = new_model()
    weight = weakref.ref(model.heads["entities"].layers[-1].weight)  # an optimizer would hold it too
    with pytest.raises(Killed) if killed_at else nullcontext():
        fit(model, task(examples, killed_at=killed_at), RECIPE, tmp_path, accelerator)
    logits = model(next(bucketed_batches(examples, 4, seed=1, epoch=0)).to(accelerator.device)).logits
    assert logits.isfinite().all() and weight() is not None
    del model, logits
    gc.collect()
    assert weight() is None

"""The full models as they truly are: their sources and sizes, counted without memory; and ``train sizes``."""

import json
import subprocess

import pytest
import torch
from torchvision.models import ResNet50_Weights, resnet50
from transformers import BertModel, CLIPVisionModel, RobertaModel, ViltModel
from typer.testing import CliRunner

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import MODELS, ModelConfig
from mmdemo.models.encoders import published as published_encoders
from mmdemo.models.encoders.full import SIZES, ResNetMap
from mmdemo.models.encoders.published import PUBLISHED
from mmdemo.models.model import build_model
from mmdemo.types import InputError
from train.__main__ import app
from train.bases.sizes import Trial, count, measure_apart


def test_every_source_is_pinned():
    assert {name for row in MODELS.values() for name in (row.sources.text, row.sources.image)} == {
        *PUBLISHED,
        "resnet50",
    }
    pins = [source.revision for source in PUBLISHED.values() if source.revision]
    assert len(pins) == 4 and all(len(pin) == 40 and int(pin, 16) for pin in pins)
    assert published_encoders.RESNET is ResNet50_Weights.IMAGENET1K_V2
    assert published_encoders.RESNET.url.endswith("resnet50-11ad3fa6.pth")


def millions(module: torch.nn.Module) -> float:
    return sum(parameter.numel() for parameter in module.parameters()) / 1e6


def test_the_published_sizes_are_the_real_ones():
    with torch.device("meta"):
        assert millions(RobertaModel(SIZES["roberta-large"])) == pytest.approx(355.36, abs=0.01)
        assert millions(BertModel(SIZES["bert-base"])) == pytest.approx(109.48, abs=0.01)
        assert millions(resnet50()) == pytest.approx(25.557, abs=0.001)
        assert millions(ResNetMap()) == pytest.approx(25.557 - 2.049, abs=0.001)  # without its classifier
        assert millions(CLIPVisionModel(SIZES["clip-vision"])) == pytest.approx(87.46, abs=0.01)
        assert millions(ViltModel(SIZES["vilt"])) == pytest.approx(111.6 + 88 * 768 / 1e6, abs=0.1)


@pytest.mark.parametrize(
    ("name", "text", "image"),
    [
        ("roberta-resnet50", 354.3, 23.5),
        ("bert-resnet50", 108.9, 23.5),
        ("clip-bert", 108.9, 87.5),
        ("blip", 137.2, 86.1),
        ("vilt", 108.7, 2.4),
    ],
)
def test_each_model_has_its_true_size(name, text, image):
    with torch.device("meta"):
        found = count(build_model(ModelConfig(dataset=find_dataset("mnre"), model=name, preset="full")))
    assert found["text"] == pytest.approx(text, abs=0.1) and found["image"] == pytest.approx(image, abs=0.1)
    assert found["all"] == pytest.approx(found["text"] + found["image"] + found["rest"])


def test_a_measurement_states_what_it_was():
    done = CliRunner().invoke(
        app, ["sizes", "--preset", "tiny", "--model", "blip", "--device", "cpu", "--json"]
    )
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)
    assert found["model"] == "blip" and found["batch_size"] == 2 and found["runs"].startswith("random")
    assert found["steps_per_second"] > 0 and 0.1 < found["peak_gb"] < 20
    assert found["all"] == pytest.approx(found["text"] + found["image"] + found["rest"])
    table = (
        CliRunner().invoke(app, ["sizes", "--preset", "tiny", "--model", "vilt", "--device", "cpu"]).stdout
    )
    head, line, row, *_ = table.splitlines()
    assert head.count("|") == line.count("|") == row.count("|") == 9 and row.startswith("| vilt |")


def test_a_model_is_measured_in_a_process_of_its_own(monkeypatch):
    trial = Trial(preset="tiny", model="vilt", batch_size=3, words=5, steps=1, device="cpu")
    asked = []

    def run(command, **_):
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, stdout='[{"model": "vilt"}]', stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    assert measure_apart(trial) == {"model": "vilt"}
    assert {"--model=vilt", "--batch-size=3", "--words=5", "--json"} < set(asked[0])
    failed = subprocess.CompletedProcess([], 2, stdout="", stderr="…\nerror: no such device\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(InputError, match="vilt could not be measured: error: no such device"):
        measure_apart(trial)
    failed.stderr = ""  # the system ended it
    with pytest.raises(InputError, match="killed"):
        measure_apart(trial)


def test_an_unknown_model_is_one_sentence():
    with pytest.raises(InputError, match="unknown model 'gpt'"):
        CliRunner().invoke(app, ["sizes", "--model", "gpt"], catch_exceptions=False)

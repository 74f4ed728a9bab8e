"""A preset's base: files that are damaged or do not fit, and layers that its trunks hold whole."""

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmdemo.cells import pretrained_base
from mmdemo.cells.checkpoint import load_trunk
from mmdemo.cells.files import file_hash, read_json, read_tensors, write_json
from mmdemo.cells.locate import SHIPPED, base_paths
from mmdemo.cells.pretrained_base import (
    IMAGE,
    LAYERS,
    base_file,
    base_folder,
    copy_base,
    is_whole_or_copy,
    load_base,
    load_layers,
)
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import build_model
from mmdemo.types import InputError
from tests.cells.test_checkpoint import change_tensors
from train.fit.recipe import Recipe
from train.fit.stages import store_trunk
from train.fit.starts import fresh_model, untrained_model


@pytest.fixture
def lite_root(tmp_path) -> Path:
    """A root whose base folder links to the shipped files; `own` replaces a link by a copy to damage."""
    shutil.copytree(base_folder(SHIPPED, "lite"), base_folder(tmp_path, "lite"), copy_function=os.symlink)
    return tmp_path


def own(file: Path) -> Path:
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data)
    return file


@pytest.fixture(scope="module")
def lite_model():
    return build_model(ModelConfig(dataset=find_dataset("mnre")))


@pytest.mark.parametrize("name", ["text.safetensors", "image.safetensors", "tokenizer.json"])
def test_a_damaged_or_missing_base_file_is_named(lite_root, lite_model, name):
    file = own(base_folder(lite_root, "lite") / name)
    with file.open("r+b") as stream:
        stream.seek(5_000)
        stream.write(b"damage")
    with pytest.raises(InputError, match=f"{name} is damaged"):
        load_base(lite_root, lite_model, "lite")
    file.unlink()
    with pytest.raises(InputError, match=f"{name} is missing"):
        load_base(lite_root, lite_model, "lite")


@pytest.mark.parametrize(
    ("content", "match"),
    [(None, "missing"), ("[]", "damaged"), ("{}", "damaged"), ('{"files": []}', "damaged"), ("{", "damaged")],
)
def test_a_base_without_its_list_is_refused(lite_root, lite_model, content, match):
    file = base_folder(lite_root, "lite") / "base.json"
    file.unlink()
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=rf"base\.json is {match}"):
        load_base(lite_root, lite_model, "lite")


@pytest.mark.parametrize("change", ["shape", "missing", "unknown"])
def test_a_base_of_another_encoder_does_not_fit(lite_root, lite_model, change):
    folder = base_folder(lite_root, "lite")
    name = "bert.encoder.layer.0.attention.output.dense.bias"

    def edit(tensors):
        if change == "shape":
            tensors[name] = torch.zeros(7, dtype=torch.float16)
        else:
            tensors["surprise" if change == "unknown" else "x"] = tensors[name].clone()
        if change == "missing":
            del tensors[name], tensors["x"]

    change_tensors(own(folder / "text.safetensors"), edit)
    stated = json.loads((folder / "base.json").read_text())
    stated["files"]["text.safetensors"] = hashlib.sha256(
        (folder / "text.safetensors").read_bytes()
    ).hexdigest()
    write_json(own(folder / "base.json"), stated)
    with pytest.raises(InputError, match="text.safetensors does not fit the text encoder"):
        load_base(lite_root, lite_model, "lite")


# ---------------------------------------------------------------- layers apart

CONFIG = ModelConfig(dataset=find_dataset("mnre"))
PREFIX = "bert.encoder."


def keep(tensors: dict[str, torch.Tensor], layers: bool) -> None:
    """Leave the layers alone, or all but them."""
    for name in [name for name in tensors if name.startswith(PREFIX) != layers]:
        del tensors[name]


@pytest.fixture
def apart(lite_root, monkeypatch) -> Path:
    """The lite base, its layers in a file of their own, as the preset base has them."""
    monkeypatch.setitem(pretrained_base.LAYERS_APART, "lite", PREFIX)
    folder = base_folder(lite_root, "lite")
    shutil.copyfile(own(folder / "text.safetensors"), folder / LAYERS)
    for file, layers in (("text.safetensors", False), (LAYERS, True)):
        change_tensors(folder / file, lambda tensors, layers=layers: keep(tensors, layers))
    stated = read_json(folder / "base.json")
    stated["files"] |= {name: file_hash(folder / name) for name in ("text.safetensors", LAYERS)}
    write_json(own(folder / "base.json"), stated)
    return lite_root


def test_cells_do_not_read_layers_that_their_trunk_holds_and_training_does(apart):
    plain, started = untrained_model(CONFIG, Recipe(), apart), fresh_model(CONFIG, Recipe(), apart)
    published = untrained_model(CONFIG, Recipe(), SHIPPED)
    for name, value in published.text_encoder.state_dict().items():
        assert torch.equal(started.text_encoder.state_dict()[name], value)
        if name.startswith(PREFIX) and value.is_floating_point():
            assert not plain.text_encoder.state_dict()[name].any()


def test_such_a_trunk_holds_its_layers_whole_and_in_groups(apart, tmp_path):
    model = fresh_model(CONFIG, Recipe(), apart)
    with torch.no_grad():
        for parameter in model.text_encoder.parameters():
            parameter.add_(0.01)
    file = tmp_path / "trunk.safetensors"
    store_trunk(CONFIG, model.state_dict(), apart, file, 8)
    (base_folder(apart, "lite") / LAYERS).unlink()  # none ships
    again = untrained_model(CONFIG, Recipe(), apart)
    load_trunk(file, again)
    trained = model.text_encoder.state_dict()
    for name, value in again.text_encoder.state_dict().items():
        off = (value - trained[name]).float().norm() / trained[name].float().norm().clamp(min=1e-9)
        assert off < 0.02, name
    stored, _ = read_tensors(file)
    assert stored[f"text_encoder.{PREFIX}layer.0.output.dense.weight.scale"].ndim == 2


def test_without_layers_training_says_where_they_are_from(apart):
    file = base_folder(apart, "lite") / LAYERS
    model = build_model(CONFIG)
    change_tensors(file, lambda tensors: tensors.pop(next(name for name in tensors if name.endswith("bias"))))
    with pytest.raises(InputError, match="layers.safetensors is damaged or not the one"):
        load_layers(apart, model, "lite")
    stated = read_json(file.parent / "base.json")
    stated["files"][LAYERS] = file_hash(file)
    write_json(file.parent / "base.json", stated)
    with pytest.raises(InputError, match="layers.safetensors does not fit"):
        load_layers(apart, model, "lite")
    file.unlink()
    with pytest.raises(InputError, match=r"layers.safetensors is missing.*--weights-root.*--from"):
        load_layers(apart, model, "lite")
    load_layers(apart, model, "full")  # which has them in its base


# ---------------------------------------------------------------- one image side for two presets


@pytest.fixture
def two(lite_root) -> Path:
    """A root with both presets' bases as they ship."""
    shutil.copytree(base_folder(SHIPPED, "base"), base_folder(lite_root, "base"), copy_function=os.symlink)
    return lite_root


def test_the_image_side_that_base_lacks_is_lite_s(two):
    folder, lite = base_folder(two, "base"), base_folder(two, "lite")
    assert not (folder / IMAGE).exists() and base_file(folder, IMAGE) == lite / IMAGE
    assert base_file(folder, "text.safetensors") == folder / "text.safetensors"
    model = build_model(replace(CONFIG, preset="base"))
    load_base(two, model, "base")
    ours = build_model(CONFIG)
    load_base(two, ours, "lite")
    held = model.image_encoder.state_dict()
    assert all(torch.equal(value, held[name]) for name, value in ours.image_encoder.state_dict().items())
    shutil.copyfile(lite / IMAGE, folder / IMAGE)  # as it was stored before
    assert base_file(folder, IMAGE) == folder / IMAGE


def test_a_copy_has_the_image_side_of_its_own(two, tmp_path):
    folder = tmp_path / "elsewhere" / "base" / "base"
    copy_base(base_folder(two, "base"), folder)
    assert (folder / IMAGE).is_file() and is_whole_or_copy(folder, base_folder(two, "base"))


def test_without_lite_s_the_file_is_named(two):
    (base_folder(two, "lite") / IMAGE).unlink()
    with pytest.raises(InputError, match=r"lite/base/image\.safetensors is missing"):
        load_base(two, build_model(replace(CONFIG, preset="base")), "base")


def test_the_paths_of_a_base_are_those_that_are_held():
    config = replace(CONFIG, preset="base")
    assert f"lite/base/{IMAGE}" in base_paths(config, lambda path: False)
    assert f"base/base/{IMAGE}" in base_paths(config, lambda path: True)
    assert f"lite/base/{IMAGE}" in base_paths(CONFIG, lambda path: True)

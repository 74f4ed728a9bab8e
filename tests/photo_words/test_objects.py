"""Names of objects: the shipped layer is the network's own, and a base without it costs this source alone."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from timm import create_model
from torch import nn

from mmdemo.cells.files import read_json, read_tensors, write_json
from mmdemo.cells.pretrained_base import OBJECT_FILES, base_folder
from mmdemo.models.encoders.image import EfficientNetLite
from mmdemo.photo.opening import open_image
from mmdemo.photo.pixels import to_pixels
from mmdemo.photo_words import objects
from mmdemo.photo_words.objects import name_objects, objects_source
from mmdemo.photo_words.source import SourceError


@pytest.fixture
def old_root(tmp_path: Path, shipped: Path, monkeypatch) -> Path:
    """A base as it was before it had the layer, and nowhere else to look."""
    folder = base_folder(tmp_path / "root", "lite")
    shutil.copytree(
        base_folder(shipped, "lite"), folder, ignore=shutil.ignore_patterns("text.*", "objects.*")
    )
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path / "root"))
    monkeypatch.setattr(objects, "SHIPPED", tmp_path / "nowhere")
    return folder


def noise() -> Image.Image:
    pixels = np.random.default_rng(3).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((300, 200), Image.Resampling.BICUBIC)


def test_names_are_those_of_the_whole_network(shipped, monkeypatch):
    """timm's own network with its classifier, which this program never builds, answers the same."""
    folder = base_folder(shipped, "lite")
    image, _ = read_tensors(folder / "image.safetensors")
    layer, _ = read_tensors(folder / "objects.safetensors")
    network = create_model("tf_efficientnet_lite0", pretrained=False, num_classes=1000)
    state = {name.removeprefix("net."): v.float() for name, v in image.items() if name.startswith("net.")}
    state |= {f"classifier.{name}": value.float() for name, value in layer.items()}
    missing, unknown = network.load_state_dict(state, strict=False)
    assert not unknown and all(name.endswith("num_batches_tracked") for name in missing)
    pixels = torch.from_numpy(to_pixels(noise(), 224, (0.5,) * 3, (0.5,) * 3))[None]
    with torch.inference_mode():
        shares = network.eval()(pixels)[0].softmax(0)
    names = (folder / "objects.txt").read_text().splitlines()
    monkeypatch.setattr(objects, "LEAST", 0.0)
    found = name_objects(noise(), folder, "x")
    assert [one.text for one in found] == [names[place] for place in shares.topk(5).indices.tolist()]
    assert [one.score for one in found] == pytest.approx(shares.topk(5).values.tolist(), abs=2e-3)


def test_a_real_photo_shows_what_it_shows(shared_data):
    source = objects_source()
    photo = shared_data / "real_pairs" / "photos" / "twitter_stream_2018_05_07_16_0_2_47.jpg"
    found = source.read(open_image(photo))
    assert found[0].text == "sports car" and (found[0].score or 0) > 0.3
    assert source.version.startswith("EfficientNet-Lite0") and found[0].by in source.version


def test_names_are_short_and_readable(shipped):
    names = (base_folder(shipped, "lite") / "objects.txt").read_text().splitlines()
    assert len(names) == 1000 and all(0 < len(name) < 40 and name.isascii() for name in names)
    assert names[834] == "suit" and names[560] == "football helmet" and names[817] == "sports car"
    assert {name for name in names if names.count(name) > 1} == {"crane"}


def test_an_old_base_costs_this_source_alone(old_root):
    with pytest.raises(SourceError, match="has no objects.safetensors: python -m train base writes it"):
        objects_source()


def test_an_old_base_takes_the_shipped_layer(old_root, shipped, monkeypatch):
    monkeypatch.setattr(objects, "SHIPPED", shipped)
    assert objects.objects_folder() == base_folder(shipped, "lite")


@pytest.mark.parametrize("name", OBJECT_FILES)
def test_a_file_that_base_json_does_not_mean_is_named(old_root, shipped, name):
    for file in OBJECT_FILES:
        shutil.copy(base_folder(shipped, "lite") / file, old_root)
    (old_root / name).write_bytes((old_root / name).read_bytes()[:-9] + b"somewhere")
    with pytest.raises(SourceError, match=f"{name} is damaged or not the one that base.json means"):
        objects_source().read(noise())


def test_a_list_of_other_names_is_refused(old_root, shipped):
    for file in OBJECT_FILES:
        shutil.copy(base_folder(shipped, "lite") / file, old_root)
    (old_root / "objects.txt").write_text("cat\ndog\n")
    stated = read_json(old_root / "base.json")
    stated["files"]["objects.txt"] = objects.file_hash(old_root / "objects.txt")
    write_json(old_root / "base.json", stated)
    with pytest.raises(SourceError, match="do not name 1000 classes"):
        objects_source().read(noise())


def test_the_network_is_fused_and_says_what_it_said(shipped):
    """Batch norms are gone into the convolutions, and the map is the encoder's own."""
    folder = base_folder(shipped, "lite")
    stored, _ = read_tensors(folder / "image.safetensors")
    plain = EfficientNetLite()
    plain.load_state_dict({name: value.float() for name, value in stored.items()}, strict=False)
    fused = objects._classifier(folder).regions
    assert not any(isinstance(m, nn.BatchNorm2d) for m in fused.__self__.net.modules())
    pixels = torch.from_numpy(to_pixels(noise(), 224, (0.5,) * 3, (0.5,) * 3))[None]
    with torch.inference_mode():
        expected = plain.eval().backbone_map(pixels)
        torch.testing.assert_close(fused(pixels), expected, rtol=1e-3, atol=1e-3)


def test_one_thread_reads_and_the_others_are_left_as_they_are():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        objects._one_thread.cache_clear()
        assert objects._one_thread().submit(torch.get_num_threads).result() == 1
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)

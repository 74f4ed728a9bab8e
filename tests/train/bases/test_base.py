"""The base: what the two PyPI packages hold, and a reduction fitted to training photos."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmdemo.cells.files import file_hash, read_json, read_tensors
from mmdemo.cells.pretrained_base import BASE_FILES, OBJECT_FILES, base_folder
from mmdemo.models.encoders.image import REDUCED, EfficientNetLite
from mmdemo.types import InputError, Post
from tests.tiny import write_data
from train.bases.base import build_base, fit_reduction, to_tensor_of
from train.bases.objects import write_objects
from train.data.source import DataSource


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    """Eight training posts, each with a photo of its own."""
    folder = write_data(tmp_path_factory.mktemp("data"), 8)
    (folder / "twitter2015").mkdir()
    for split in ("train", "valid", "test"):
        (folder / "twitter2015" / f"{split}.txt").write_text("IMGID:1\nAnn\tB-PER\n")
    images = folder / "images"
    images.mkdir()
    rng = np.random.default_rng(2)
    for i in range(8):
        noise = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((224, 224), Image.Resampling.BICUBIC).save(images / f"train{i}.png")
    return DataSource(folder=folder, images=images)


@pytest.fixture(scope="module")
def built(source: DataSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_base(tmp_path_factory.mktemp("root"), source)


def test_building_the_base_anew_gives_the_shipped_tensors(built: Path, shipped: Path) -> None:
    ours = base_folder(shipped, "lite")
    for name, stored_bits in (("text.safetensors", 8), ("image.safetensors", 16)):
        new, bits = read_tensors(built / name)
        old, _ = read_tensors(ours / name)
        assert bits == stored_bits
        assert new.keys() == old.keys()
        same = [key for key in new if not key.startswith("reduction.")]  # fitted to whatever photos there are
        assert len(same) > 90 and all(torch.equal(new[key], old[key]) for key in same)
    for name in ("tokenizer.json", *OBJECT_FILES):
        assert (built / name).read_bytes() == (ours / name).read_bytes()
    stated = read_json(built / "base.json")["files"]
    assert stated == {name: file_hash(built / name) for name in (*BASE_FILES, *OBJECT_FILES)}


def test_the_reduction_keeps_what_photos_vary_in(built: Path, source: DataSource) -> None:
    """Principal components: mean 0, the largest directions first, uncorrelated, each of variance 1."""
    encoder = EfficientNetLite()
    stored, _ = read_tensors(built / "image.safetensors")
    encoder.load_state_dict({n: v.float() for n, v in stored.items()}, strict=False)
    encoder.eval()
    reader: Callable[[Image.Image], torch.Tensor] = to_tensor_of(224)
    assert source.images
    with torch.inference_mode():
        photos = [reader(Image.open(file)) for file in sorted(source.images.iterdir())]
        rows_ND = torch.cat([encoder(photo)[0] for photo in photos])
    assert rows_ND.shape == (8 * 49, REDUCED)
    strongest = rows_ND[:, :20]
    torch.testing.assert_close(strongest.mean(0), torch.zeros(20), atol=0.05, rtol=0)
    torch.testing.assert_close(torch.cov(strongest.T), torch.eye(20), atol=0.1, rtol=0)


def test_a_reduction_without_photos_is_refused() -> None:
    with pytest.raises(InputError, match="the reduction needs photos; only 0 could be read"):
        fit_reduction(EfficientNetLite(), [Post(text="a", tokens=("a",))])


def test_weights_without_the_last_layer_are_refused(tmp_path: Path) -> None:
    torch.save({"_conv_stem.weight": torch.ones(1)}, tmp_path / "weights.pth")
    with pytest.raises(InputError, match="has no _fc.weight"):
        write_objects(tmp_path, tmp_path / "weights.pth")
    torch.save({"_fc.weight": torch.ones(3, 4), "_fc.bias": torch.ones(3)}, tmp_path / "weights.pth")
    with pytest.raises(InputError, match="tells 3 classes apart, not 1000"):
        write_objects(tmp_path, tmp_path / "weights.pth")

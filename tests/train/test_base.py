"""The shipped base is what the two PyPI packages hold."""

from pathlib import Path

import torch

from mmdemo.base import base_folder
from mmdemo.files import read_tensors
from train.base import build_base

ROOT = Path(__file__).parents[2]


def test_building_the_base_anew_gives_the_shipped_tensors(tmp_path: Path) -> None:
    built, shipped = build_base(tmp_path), base_folder(ROOT / "checkpoints", "lite")
    for name in ("text.safetensors", "image.safetensors"):
        new, bits = read_tensors(built / name)
        old, _ = read_tensors(shipped / name)
        assert bits == 16
        assert new.keys() == old.keys()
        assert all(torch.equal(new[key], old[key]) for key in new)
    assert (built / "tokenizer.json").read_bytes() == (shipped / "tokenizer.json").read_bytes()

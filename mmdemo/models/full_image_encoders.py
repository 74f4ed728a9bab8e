"""Image sides of the preset ``full``: ResNet-50, CLIP's and BLIP's vision towers, and ViLT's patches."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import ResNet50_Weights, resnet50
from transformers import BlipVisionConfig, BlipVisionModel, CLIPVisionConfig, CLIPVisionModel

from mmdemo.models.full_text_encoders import read_pretrained
from mmdemo.models.image_encoders import ImageEncoder
from mmdemo.types import InputError

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))

#: Mean and standard deviation of each channel that the model's image side was trained with.
FULL_NORMALISATION: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "roberta-resnet50": _IMAGENET,
    "bert-resnet50": _IMAGENET,
    "clip-bert": _CLIP,
    "blip": _CLIP,
    "vilt": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}

#: CLIP ViT-B/32 (Radford et al. 2021) and BLIP's ViT-B/16 (Li et al. 2022), both 12 layers, 768 wide.
CLIP_SIZES = CLIPVisionConfig(image_size=224, patch_size=32)
BLIP_VISION_SIZES = BlipVisionConfig(image_size=384, patch_size=16)

RESNET_WEIGHTS = ResNet50_Weights.IMAGENET1K_V2


class ResNetMap(ImageEncoder):
    """ResNet-50 (He et al. 2016): its last map as regions, (B, 49, 2048) at 224x224.

    The classifier (2 M of its 25.6 M parameters) has no place here and is left out.
    """

    def __init__(self, model: str) -> None:
        super().__init__()
        net = resnet50()
        self.base = model
        self.width = net.fc.in_features
        self.net = nn.Sequential()
        for name, layer in net.named_children():
            if name not in ("avgpool", "fc"):
                self.net.add_module(name, layer)

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        return self.net(pixels_BCHW).flatten(2).transpose(1, 2)


class ClipVision(ImageEncoder):
    """CLIP's vision transformer: its patches' states, (B, 49, 768) at 224x224; the class token is left out."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self.base = model
        self.width = CLIP_SIZES.hidden_size
        self.net: Any = CLIPVisionModel(CLIP_SIZES)

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        return self.net(pixels_BCHW).last_hidden_state[:, 1:]


class BlipVision(ImageEncoder):
    """BLIP's vision transformer: (B, 196, 768) at 224x224, its places interpolated from 384x384.

    The class token is left out: regions are places in the photo, for people to look at and to cover.
    """

    def __init__(self, model: str) -> None:
        super().__init__()
        self.base = model
        self.width = BLIP_VISION_SIZES.hidden_size
        self.net: Any = BlipVisionModel(BLIP_VISION_SIZES)

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        return self.net(pixels_BCHW, interpolate_pos_encoding=True).last_hidden_state[:, 1:]


class ViltPatches(ImageEncoder):
    """ViLT's image side is one linear layer over 32x32 patches: (B, 49, 768) at 224x224."""

    def __init__(self, model: str, width: int = 768, patch: int = 32) -> None:
        super().__init__()
        self.base = model
        self.width = width
        self.net = nn.Conv2d(3, width, patch, stride=patch)

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        return self.net(pixels_BCHW).flatten(2).transpose(1, 2)


IMAGE_SIDES: dict[str, type[ResNetMap | ClipVision | BlipVision | ViltPatches]] = {
    "roberta-resnet50": ResNetMap,
    "bert-resnet50": ResNetMap,
    "clip-bert": ClipVision,
    "blip": BlipVision,
    "vilt": ViltPatches,
}


def build_full_image_encoder(model: str) -> ImageEncoder:
    """The model's image side at true size, with random weights."""
    return IMAGE_SIDES[model](model)


def resnet_weights(file: Path | None) -> dict[str, Tensor]:
    """ResNet-50's tensors under the names of `ResNetMap`: from a file that torchvision published, or its server.

    Raises:
        InputError: they cannot be read or downloaded, or are not a ResNet-50's.
    """
    try:
        if file is None:
            stored = RESNET_WEIGHTS.get_state_dict(progress=True, check_hash=True)
        else:
            stored = torch.load(file, weights_only=True, map_location="cpu")
    except Exception as error:  # URLError, OSError, UnpicklingError, …
        raise InputError(f"the weights {file or RESNET_WEIGHTS.url} cannot be read: {error}") from error
    found = {f"net.{name}": value for name, value in stored.items() if not name.startswith("fc.")}
    if set(found) != set(ResNetMap("").state_dict()):
        raise InputError(f"the weights {file or RESNET_WEIGHTS.url} are not a ResNet-50's")
    return found


def clip_weights(place: str | Path, revision: str | None) -> dict[str, Tensor]:
    """A published CLIP's vision tower under the names of `ClipVision`."""
    found = read_pretrained(CLIPVisionModel, place, revision)
    return {f"net.{name}": value for name, value in found.state_dict().items()}

"""Image sides of the two-encoder models: pixels -> a grid of region states."""

from typing import Any

from timm import create_model
from torch import Tensor, channels_last, nn

from mmdemo.models.features import Encoder

Normalisation = tuple[tuple[float, ...], tuple[float, ...]]

_HALF: Normalisation = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_IMAGENET: Normalisation = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CLIP: Normalisation = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))

#: Mean and standard deviation of each channel that the preset's backbone was trained with.
NORMALISATION: dict[str, Normalisation] = {"lite": _HALF, "tiny": _HALF}

#: The same for each model of the preset ``full``.
FULL_NORMALISATION: dict[str, Normalisation] = {
    "roberta-resnet50": _IMAGENET,
    "bert-resnet50": _IMAGENET,
    "clip-bert": _CLIP,
    "blip": _CLIP,
    "vilt": _HALF,
}


def normalisation_of(preset: str, model: str) -> Normalisation:
    """How a model's photos are normalised."""
    return FULL_NORMALISATION[model] if preset == "full" else NORMALISATION[preset]


#: What the lite image encoder keeps of EfficientNet's 1280 channels.
REDUCED = 256


class ImageEncoder(Encoder):
    """An image encoder in two steps, so that a frozen backbone's map can be kept on disk.

    ``backbone_map(pixels_BCHW)`` gives a grid of regions in reading order (B, R, map width);
    ``regions(map)`` what the rest of the model sees of it (B, R, width).
    """

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        raise NotImplementedError  # an interface

    def regions(self, map_BRD: Tensor) -> Tensor:
        return map_BRD

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        return self.regions(self.backbone_map(pixels_BCHW))


class EfficientNetLite(ImageEncoder):
    """EfficientNet-Lite0 (Tan & Le 2019, the variant without swish and squeeze-and-excitation).

    Its last map, (B, 49, 1280) at 224x224, is reduced to 256 channels by a linear layer: the principal
    components of training photos' regions in the base weights (`train.bases.base`), which keep nearly all that
    they vary in and make every fusion's projection, and a cell's file, a fifth of the size. ``clip-bert``
    trains this layer against captions.
    """

    width = REDUCED

    def __init__(self) -> None:
        super().__init__()
        self.net: Any = create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0)
        self.net.to(memory_format=channels_last)  # halves the time on a CPU
        self.reduction = nn.Linear(1280, REDUCED)

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        map_BDHW = self.net.forward_features(pixels_BCHW.contiguous(memory_format=channels_last))
        return map_BDHW.flatten(2).transpose(1, 2)

    def regions(self, map_BRD: Tensor) -> Tensor:
        return self.reduction(map_BRD)


class TinyImageEncoder(ImageEncoder):
    """Two strided convolutions, for tests: (B, 3, 64, 64) -> (B, 49, 32)."""

    width = 32

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 7, stride=4), nn.ReLU(), nn.Conv2d(16, self.width, 3, stride=2), nn.ReLU()
        )

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        return self.net(pixels_BCHW).flatten(2).transpose(1, 2)


def build_image_encoder(preset: str) -> ImageEncoder:
    """The image encoder of a preset, with random weights."""
    return TinyImageEncoder() if preset == "tiny" else EfficientNetLite()

"""Image sides of the two-encoder models: pixels -> a grid of region states."""

from typing import Any

from timm import create_model
from torch import Tensor, channels_last, nn

from mmdemo.models.features import Encoder

#: Mean and standard deviation of each channel that the preset's backbone was trained with.
NORMALISATION: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "lite": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "tiny": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


class EfficientNetLite(Encoder):
    """EfficientNet-Lite0 (Tan & Le 2019, the variant without swish and squeeze-and-excitation).

    ``forward(pixels_BCHW)`` gives the last map as regions in reading order: (B, 49, 1280) at 224x224.
    """

    width = 1280

    def __init__(self) -> None:
        super().__init__()
        self.net: Any = create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0)
        self.net.to(memory_format=channels_last)  # halves the time on a CPU

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        map_BDHW = self.net.forward_features(pixels_BCHW.contiguous(memory_format=channels_last))
        return map_BDHW.flatten(2).transpose(1, 2)


class TinyImageEncoder(Encoder):
    """Two strided convolutions, for tests: (B, 3, 64, 64) -> (B, 49, 32)."""

    width = 32

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 7, stride=4), nn.ReLU(), nn.Conv2d(16, self.width, 3, stride=2), nn.ReLU()
        )

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        return self.net(pixels_BCHW).flatten(2).transpose(1, 2)


def build_image_encoder(preset: str) -> Encoder:
    """The image encoder of a preset, with random weights."""
    return TinyImageEncoder() if preset == "tiny" else EfficientNetLite()

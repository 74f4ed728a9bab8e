"""The full preset's builders, for the table of models. They import when they are called: torchvision's and
transformers' classes take a second that the shipped zoo does not need.
"""

from mmdemo.models.encoders.image import ImageEncoder
from mmdemo.models.features import Encoder


def text(base: str, sizes: str) -> Encoder:
    """RoBERTa or BERT at the named sizes; ``base`` is the folder of its pretrained weights."""
    from mmdemo.models.encoders.full import FullText

    return FullText(base, sizes)


def blip_text(base: str, region_width: int) -> Encoder:
    """BLIP's text encoder, which looks at regions of ``region_width``."""
    from mmdemo.models.encoders.full_joint import FullBlip

    return FullBlip(base, region_width)


def vilt_text(base: str, region_width: int) -> Encoder:
    """ViLT's one stack over words and regions."""
    from mmdemo.models.encoders.full_joint import FullVilt

    return FullVilt(base, region_width)


def resnet() -> ImageEncoder:
    """ResNet-50's last map."""
    from mmdemo.models.encoders.full import ResNetMap

    return ResNetMap()


def clip() -> ImageEncoder:
    """CLIP's vision transformer."""
    from mmdemo.models.encoders.full import ClipVision

    return ClipVision()


def blip_image() -> ImageEncoder:
    """BLIP's vision transformer."""
    from mmdemo.models.encoders.full import BlipVision

    return BlipVision()


def vilt_image() -> ImageEncoder:
    """ViLT's patches."""
    from mmdemo.models.encoders.full import ViltPatches

    return ViltPatches()

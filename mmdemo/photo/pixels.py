"""Photos: resize and normalise to what an encoder reads; vary for training."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image


def to_pixels(image: Image.Image, size: int, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Normalised pixels, float32 of shape (3, size, size).

    The whole photo is squeezed into the square (bicubic, antialiased) rather than centre-cropped: tweets put
    people and logos at the edges, and so region r of the encoder's grid is the same share of the photo
    that a person sees, which lets occlusion and attribution maps be laid over it.
    """
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32) / 255
    pixels = (pixels - np.asarray(mean, dtype=np.float32)) / np.asarray(std, dtype=np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def augment(image: Image.Image, size: int, rng: np.random.Generator) -> Image.Image:
    """A training view, ``size`` x ``size`` (SPEC §2): flip, crop of 0.9-1.0 of the area, colour jitter.

    The same ``rng`` state gives the same view; torch's own random state is left as it was.
    """
    if image.size != (size, size):  # squeeze first, as `to_pixels` does: training and test see one geometry
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: that would also reseed the GPUs, and with them every dropout mask.
        torch.default_generator.manual_seed(int(rng.integers(2**63)))
        return _training_view(size)(image)


def _training_view(size: int) -> Callable[[Image.Image], Image.Image]:
    from torchvision.transforms import v2  # here: a second of import that only training needs

    return v2.Compose(
        [
            v2.RandomHorizontalFlip(0.5),
            # On a square, a ratio far from 1 cannot reach 0.9 of the area: it would fall back to no crop.
            v2.RandomResizedCrop(
                size, scale=(0.9, 1.0), ratio=(0.95, 1 / 0.95), interpolation=v2.InterpolationMode.BICUBIC
            ),
            v2.ColorJitter(brightness=0.15, contrast=0.15, saturation=0.15, hue=0.05),
        ]
    )

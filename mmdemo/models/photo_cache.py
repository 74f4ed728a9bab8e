"""What an image encoder gave for the photos seen last: asking about a photo again costs a look-up.

A photo's regions depend on nothing but its pixels and the encoder, and are half of a prediction's time
(docs/speed.md). The same photo comes back with every other fusion, text, explanation and comparison.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from mmdemo.models.batch import Example
from mmdemo.models.encoders.image import ImageEncoder

#: Photos that are kept for each encoder: 50 kB each in the preset lite, 400 kB in full.
SIZE = 64


class Regions:
    """Regions by the pixels' hash, for each image encoder as long as it lives; safe to share between threads.

    A checkpoint that is replaced is loaded as other encoders, so nothing of the old one answers for it.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._seen: WeakKeyDictionary[ImageEncoder, OrderedDict[bytes, Tensor]] = WeakKeyDictionary()
        self._lock = Lock()

    def fill(self, examples: Sequence[Example], encoder: ImageEncoder, device: torch.device) -> list[Example]:
        """The examples with regions in place of pixels; what is new goes through the encoder in one pass."""
        keys = [None if e.pixels_CHW is None else _key(e.pixels_CHW) for e in examples]
        known = self._known(encoder, keys)
        new = {
            key: torch.from_numpy(example.pixels_CHW)
            for key, example in zip(keys, examples, strict=True)
            if key is not None and key not in known
        }
        if new:
            with torch.inference_mode():
                found_NRD = encoder(torch.stack(list(new.values())).to(device)).float()
            fresh = {key: found_NRD[i].clone() for i, key in enumerate(new)}  # a view would keep all alive
            self._keep(encoder, fresh)
            known |= fresh
        return [
            example if key is None else replace(example, pixels_CHW=None, regions_RD=known[key])
            for key, example in zip(keys, examples, strict=True)
        ]

    def clear(self) -> None:
        """Forget every photo: for measuring what a new one costs."""
        with self._lock:
            self._seen.clear()

    def _known(self, encoder: ImageEncoder, keys: Sequence[bytes | None]) -> dict[bytes, Tensor]:
        with self._lock:
            seen = self._seen.get(encoder, OrderedDict[bytes, Tensor]())
            known = {key: seen[key] for key in keys if key is not None and key in seen}
            for key in known:
                seen.move_to_end(key)
            return known

    def _keep(self, encoder: ImageEncoder, fresh: dict[bytes, Tensor]) -> None:
        with self._lock:
            seen = self._seen.setdefault(encoder, OrderedDict())
            seen.update(fresh)
            while len(seen) > self._size:
                seen.popitem(last=False)


def _key(pixels_CHW: np.ndarray) -> bytes:
    return hashlib.sha256(pixels_CHW.tobytes()).digest()


#: The one of this process.
SEEN = Regions()

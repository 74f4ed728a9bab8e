"""What of a photo was looked at, with a name for each part: its patches, and the words that it says."""

from dataclasses import dataclass

import numpy as np

from mmdemo.models.photo_text import PhotoText
from mmdemo.types import PhotoSource

#: How a word's source is named behind it: short, for a word must fit into a figure.
SOURCE_NAMES: dict[PhotoSource, str] = {
    "ocr": "read",
    "objects": "object",
    "described": "told",
    "captioned": "caption",
}
SOURCE_NOTE = (
    "Behind each word stands where it is from: read in the photo, an object in it, told by a person or a "
    "file, or a captioner's."
)


def word_labels(words: PhotoText | None) -> tuple[str, ...]:
    """Names of a photo's words: 'PADRES (read)', …"""
    return tuple(f"{word.text} ({SOURCE_NAMES[word.source]})" for word in words.words) if words else ()


@dataclass(frozen=True, kw_only=True)
class LookedAt:
    """Values over all regions of a post, (…, R), parted: over its patches (…, P) and its words (…, W).

    A word's value is the sum over its sub-tokens: of shares, what the whole word gets.
    """

    patches: np.ndarray
    words: np.ndarray


def parted(values: np.ndarray, words: PhotoText | None) -> LookedAt:
    """The parts of a map whose last axis holds a post's patches, then the sub-tokens of its photo's words."""
    said = words.regions if words else 0
    patches, tokens = np.split(values, [values.shape[-1] - said], axis=-1)
    owners_KW = np.eye(len(words.words))[list(words.owners[1:-1])] if words else np.zeros((0, 0))
    return LookedAt(patches=patches, words=tokens @ owners_KW)

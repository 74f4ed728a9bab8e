"""What the regions of a post are, by name: patches of its photo in reading order, then its words."""

from math import isqrt

from mmdemo.models.photo_text import PhotoText
from mmdemo.types import RegionLabel


def grid_names(count: int) -> tuple[str, ...]:
    """Names of a square grid's regions in reading order: "row 1, column 1", …"""
    side = isqrt(count)
    return tuple(f"row {r // side + 1}, column {r % side + 1}" for r in range(count))


def labels_of(count: int, words: PhotoText | None) -> tuple[RegionLabel, ...]:
    """A label for each of a post's ``count`` regions, of which the last are the sub-tokens of its words.

    None at all where a post of the batch has nothing beside its text.
    """
    owners = words.owners[1:-1] if words is not None and count else ()
    said = tuple(words.words[owner] for owner in owners) if words is not None else ()
    return (
        *(RegionLabel(kind="patch", text=name) for name in grid_names(count - len(said))),
        *(RegionLabel(kind="word", text=w.text, source=w.source, part=w.part) for w in said),
    )

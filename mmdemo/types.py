"""The records that everything else passes around. Frozen: a change makes a new one.

Spans are half-open word indices into ``Post.tokens``: ``(start, end)`` covers ``tokens[start:end]``.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

Span = tuple[int, int]

#: What a post may carry as its photo. ``None`` is a normal state: no photo.
ImageSource = str | Path | Image.Image | None


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A typed span. ``score`` is a probability in [0, 1], or None where a person or a file states it."""

    start: int
    end: int
    label: str
    text: str = ""
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A relation label between the two marked spans of a post; ``score`` as in `Entity`."""

    label: str
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The two marked spans of a relation question. The tail may stand first; the spans may overlap."""

    head: Span
    tail: Span


@dataclass(frozen=True, kw_only=True)
class Post:
    """A tweet: its words, perhaps a photo, and what is known about it.

    ``text`` is what a person wrote; ``tokens`` are the words that spans count. ``image_id`` names the
    photo in its dataset even where ``image`` is None because no such file is at hand. ``entities``,
    ``pair`` and ``relation`` are gold answers or questions; None means "not stated". ``tags`` are the
    file's own BIO tags, kept only where ``entities`` cannot say them (orphan I- tags, which strict
    scoring sees); read them by `mmdemo.data.formats.gold_tags`.
    """

    text: str
    tokens: tuple[str, ...]
    image: ImageSource = None
    entities: tuple[Entity, ...] | None = None
    pair: Pair | None = None
    relation: str | None = None
    id: str | None = None
    image_id: str | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a checkpoint answers: entities (NER) or the likeliest relations, best first (RE).

    ``post`` is the post as it was read (its tokens are what the spans count); ``trace`` holds the
    fusion's named tensors (SPEC §4) as arrays for one post, without the batch axis.
    """

    post: Post
    checkpoint: str
    image_used: bool
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    warnings: tuple[str, ...] = ()
    trace: dict[str, np.ndarray] = field(default_factory=dict)


class InputError(ValueError):
    """The person's input or file cannot be used; the message is one clear sentence for them."""

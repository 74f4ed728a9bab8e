"""The records that everything else passes around. Frozen: a change makes a new one.

Spans are half-open word indices into ``Post.tokens``: ``(start, end)`` covers ``tokens[start:end]``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from reprlib import Repr
from typing import Literal, get_args

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
class Pair:
    """Two spans that a relation may join. The tail may stand first; the spans may overlap."""

    head: Span
    tail: Span


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A relation from the span ``head`` to the span ``tail``; ``score`` as in `Entity`."""

    head: Span
    tail: Span
    label: str
    score: float | None = None

    @property
    def pair(self) -> Pair:
        return Pair(head=self.head, tail=self.tail)


#: Where words of a photo come from: read in it, named by a classifier, stated by a person or a file, or
#: written by a captioner.
PhotoSource = Literal["ocr", "objects", "described", "captioned"]
PHOTO_SOURCES: tuple[PhotoSource, ...] = get_args(PhotoSource)


@dataclass(frozen=True, kw_only=True)
class PhotoWords:
    """One thing that a photo says in words: a line of text in it, an object's name, a description.

    ``score`` is the source's own confidence in [0, 1], None where a person or a file states the words.
    ``box`` is where a line of text stands: (left, top, right, bottom) as fractions of the photo's width and
    height. ``by`` names the model or the person, where that is known.
    """

    source: PhotoSource
    text: str
    score: float | None = None
    box: tuple[float, float, float, float] | None = None
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Post:
    """A post: its words, perhaps a photo, and what is known about it.

    ``text`` is what a person wrote; ``tokens`` are the words that spans count, and ``offsets`` their
    half-open places in the text's characters, where they can be found in it. ``image_id`` names the photo in
    its dataset even where ``image`` is None because no such file is at hand. ``entities`` and ``relations``
    are stated, by a file or a person, any number of each; None means "not stated". ``tags`` are the file's
    own BIO tags, kept only where ``entities`` cannot say them (orphan I- tags, which strict scoring sees).
    ``photo_words`` is what the photo says in words, there also where the photo itself is not at hand.
    """

    text: str
    tokens: tuple[str, ...]
    offsets: tuple[Span | None, ...] = ()
    image: ImageSource = None
    entities: tuple[Entity, ...] | None = None
    relations: tuple[Relation, ...] | None = None
    id: str | None = None
    image_id: str | None = None
    tags: tuple[str, ...] | None = None
    photo_words: tuple[PhotoWords, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is asked about a post: its entities, and the relations of some pairs or of all."""

    entities: bool = True
    relations: tuple[Pair, ...] | Literal["all"] = ()


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Who said what is stated of a post: a reviewer's ``verdict`` ("accepted", "corrected"; "annotated" where
    a tool does not say) at a time (UTC, ISO 8601, or "" where nothing says when), on what a checkpoint had
    proposed with a score in [0, 1]; both None where none had.
    """

    by: str
    verdict: str
    at: str
    checkpoint: str | None = None
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What one of several people states of a post."""

    reviewer: str
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Question:
    """A post with what is asked about it: what a person typed, or a row of a file.

    ``decided`` is who stated what the post states, where a file says so: the settled decision last.
    ``reviews`` is there where a file has the answers of several people; the post states the last one's.
    """

    post: Post
    ask: Ask
    decided: tuple[Decided, ...] = ()
    reviews: tuple[Stated, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RegionLabel:
    """What a region of a trace is: a patch of the photo ("row 1, column 3"), or part of a word that it says.

    Of a word, ``text`` is the whole one, ``source`` where it comes from, and ``part`` the index of its
    `PhotoWords` in the post's; a word of several sub-tokens has several regions, one behind the other.
    """

    kind: Literal["patch", "word"]
    text: str
    source: PhotoSource | None = None
    part: int | None = None


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a checkpoint answers: entities, and for each pair that was asked for its likeliest relations.

    ``post`` is the post as it was read (its tokens are what the spans count), ``ask`` what was asked;
    ``relations`` are grouped by pair, in the order asked, best first. ``trace`` holds the fusion's named
    tensors (SPEC §4) as arrays for one post, without the batch axis, and ``regions`` what the places of their
    axis R are: patches of the photo, then its words. ``entropy`` says in nats how unsure the
    answer is: of the relation, or summed over the words' tags (total token entropy, Settles and Craven
    2008). ``unread`` lists the words that the model did not get to see: those beyond its limit.
    ``photo_words_used``: the post has words of its photo, and the model reads such words.
    """

    post: Post
    ask: Ask
    checkpoint: str
    image_used: bool
    photo_words_used: bool = False
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    warnings: tuple[str, ...] = ()
    trace: dict[str, np.ndarray] = field(default_factory=dict)
    regions: tuple[RegionLabel, ...] = ()
    entropy: float | None = None
    unread: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class View:
    """One picture's numbers, with a label for every index of every axis.

    ``kind`` says how to draw ``values`` (finite float32):

    ============  ==================================================================================
    heatmap       rows x columns
    strip         rows x words: few rows, read along the tweet
    bars          items, or items x parts that are stacked; of three parts "low, value, high" a range
    photo-map     panels x regions, regions in reading order of a square grid over the photo
    distribution  items x samples, one histogram an item
    ============  ==================================================================================

    ``centre`` is the neutral value of a diverging scale (1 for γ, 0 for a signed effect); None means
    that the values are magnitudes. ``note`` says what the picture is and what it is not.
    """

    name: str
    title: str
    note: str
    kind: Literal["heatmap", "strip", "bars", "photo-map", "distribution"]
    values: np.ndarray
    axes: tuple[tuple[str, ...], ...]
    centre: float | None = None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a checkpoint answered as it did: ``views`` of one ``target``, and which it cannot give and why.

    ``target`` is in words: a label and a text such as 'person "Kevin Durant"', or a relation's label.
    """

    prediction: Prediction
    target: str
    views: tuple[View, ...]
    absent: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One cell's answer in a comparison, and what it took.

    ``pass_number`` counts encoder passes from 0: cells with the same one shared it, and ``encode_ms`` is
    that pass. ``fuse_ms`` is the cell's own: fusion, head, decoding. Milliseconds of this one run.
    """

    prediction: Prediction
    pass_number: int
    encode_ms: float
    fuse_ms: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One post answered by several cells of one dataset, in the order in which they were asked for."""

    post: Post
    answers: tuple[Compared, ...]

    @property
    def total_ms(self) -> float:
        """Milliseconds of all answers together: each encoder pass once, each fusion."""
        passes = {answer.pass_number: answer.encode_ms for answer in self.answers}
        return sum(passes.values()) + sum(answer.fuse_ms for answer in self.answers)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One entity or relation before and after something was imagined otherwise; None = not there."""

    before: Entity | Relation | None
    after: Entity | Relation | None

    @property
    def kind(self) -> Literal["kept", "gained", "lost", "relabelled", "resized"]:
        """``resized``: another span of words that overlaps the first; ``kept``: at most the score moved."""
        if self.before is None:
            return "gained"
        if self.after is None:
            return "lost"
        if isinstance(self.before, Entity) and isinstance(self.after, Entity):
            if (self.before.start, self.before.end) != (self.after.start, self.after.end):
                return "resized"
        return "kept" if self.before.label == self.after.label else "relabelled"


@dataclass(frozen=True, kw_only=True)
class Counterfactual:
    """The answer to a post imagined otherwise (``name`` says how), and what differs from the real one's."""

    name: str
    prediction: Prediction
    changes: tuple[Change, ...]


#: Characters of what a person or a file gave that a message quotes.
QUOTED = 80


def quoted(value: object) -> str:
    """``repr`` for a message: of a megabyte where a label should stand, the first characters."""
    short = value[: QUOTED + 1] if isinstance(value, str | bytes) else value
    text = _REPR.repr(short)
    return text if len(text) <= QUOTED else text[: QUOTED - 1] + "…"


_REPR = Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = QUOTED + 10


class InputError(ValueError):
    """The person's input or file cannot be used; the message is one clear sentence for them."""

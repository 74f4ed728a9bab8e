"""What `mmdemo.answer.extract` answers: a post's entities with ids, and the relations between them."""

from dataclasses import dataclass, field
from typing import Literal

from mmdemo.types import Post, Span

#: Who says that a span is an entity: a model, marks around it in the text, or a person who lists it.
EntitySource = Literal["found", "marked", "stated"]

#: Labels of one pair that an answer tells, the chosen one among them.
TOP = 5


@dataclass(frozen=True, kw_only=True)
class LabelScore:
    """A label and its calibrated probability in [0, 1]."""

    label: str
    score: float


@dataclass(frozen=True, kw_only=True)
class FoundEntity:
    """An entity of the post. ``id`` is e0, e1, … in reading order.

    ``start`` and ``end`` are half-open word indices, ``start_char`` and ``end_char`` places in the text as it
    was pasted (None where the words do not stand there). ``score`` is the calibrated probability that span
    and label are right; None where a person states them. ``label`` is None where marks name words that no
    model read. ``runner_up`` is the likeliest other label of the same span: its probability is its share, by
    the raw scores, of what ``score`` leaves.
    """

    id: str
    label: str | None
    score: float | None
    text: str
    start: int
    end: int
    start_char: int | None = None
    end_char: int | None = None
    runner_up: LabelScore | None = None
    source: EntitySource = "found"

    @property
    def span(self) -> Span:
        return self.start, self.end


@dataclass(frozen=True, kw_only=True)
class FoundRelation:
    """A relation from the entity ``head`` to the entity ``tail``, by their ids; ``id`` is r0, r1, …

    ``score`` is the calibrated probability of the label **given that both entities are right**.
    ``score_with_entities`` is the probability that all three are right: calibrated where the relation cell
    was measured with such entities (`mmdemo.cells.calibration.TripleCalibration`), else the product of
    the three scores, as if they were independent; an entity that a person states counts as certain.
    ``top`` are the likeliest labels that the types of the two allow, best first, the chosen one among them.
    ``ruled_out`` is a likelier label that the types rule out, for which the pair has no relation. A
    ``symmetric`` one holds in both directions and is told once, from the entity that stands first, with the
    mean of both directions' probabilities. ``contradicts`` are ids of relations that by the dataset's record
    cannot be right together with this one.
    """

    id: str
    head: str
    tail: str
    label: str
    score: float
    score_with_entities: float
    symmetric: bool = False
    top: tuple[LabelScore, ...] = ()
    contradicts: tuple[str, ...] = ()
    ruled_out: LabelScore | None = None

    @property
    def runner_ups(self) -> tuple[LabelScore, ...]:
        """The likeliest other labels, best first."""
        return tuple(one for one in self.top if one.label != self.label)


@dataclass(frozen=True, kw_only=True)
class WordTag:
    """A word's tag and its calibrated probability; None where the model did not read the word."""

    text: str
    tag: str
    score: float | None


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """Entities and relations of one post.

    ``post`` is the post as it was read; its words are what spans count. ``entities_by`` and ``relations_by``
    name the checkpoints ("" for none) and ``entity_labels`` and ``relation_labels`` their datasets. Of
    ``pairs_possible`` ordered pairs, ``pairs_asked`` may have a relation by their types or were marked, and
    ``pairs_answered`` of these were answered: less only where the answer was ``stopped``. ``none_count`` of
    them have no relation (label ``none_label``); ``none`` lists them where that was asked for. ``narrow``:
    there were so many pairs that each was read with the words nearest to it alone. ``words`` are all words'
    tags where those were asked for.
    """

    post: Post
    entities: tuple[FoundEntity, ...]
    relations: tuple[FoundRelation, ...]
    entities_by: str
    relations_by: str
    entity_labels: str
    relation_labels: str
    none_label: str = "None"
    none_count: int = 0
    none: tuple[FoundRelation, ...] = ()
    pairs_possible: int = 0
    pairs_asked: int = 0
    pairs_answered: int = 0
    stopped: bool = False
    narrow: bool = False
    image_used: bool = False
    photo_words_used: bool = False
    warnings: tuple[str, ...] = ()
    words: tuple[WordTag, ...] = field(default=())

    def entity(self, id: str) -> FoundEntity:
        """The entity of an id. Raises KeyError where there is none."""
        return {entity.id: entity for entity in self.entities}[id]

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from mmdemo.answer.extraction.page import extraction_html  # a notebook's alone

        return extraction_html(self)

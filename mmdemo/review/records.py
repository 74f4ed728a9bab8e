"""The records of a review: what a model suggests, what people decide, and what is known about a post.

Frozen, like `mmdemo.types`. Spans are half-open word indices into the post's tokens.
"""

from dataclasses import dataclass, field
from typing import Literal

from mmdemo.datasets.schema import Dataset
from mmdemo.types import Entity, InputError, Pair, Post, Relation, Span, quoted

#: What a decision says about its post: the suggestion is right; it was corrected (or there was none);
#: the post is unusable and must not be exported.
Verdict = Literal["accepted", "corrected", "rejected"]

#: Where a post stands. ``second`` and ``disputed`` occur in queues of blind double review only: one of the
#: two reviews is there; both are, and they differ, so that a third look (`adjudicate`) must settle it.
Status = Literal["open", "second", "disputed", "accepted", "corrected", "rejected"]
STATUSES: tuple[Status, ...] = ("open", "second", "disputed", "accepted", "corrected", "rejected")
DECIDED: tuple[Status, ...] = ("accepted", "corrected", "rejected")
UNDECIDED: tuple[Status, ...] = ("open", "second")  # a reviewer may be able to decide; not so in dispute

#: Queue orders. The first three put what a model is least sure of first: its entropy, its fusions'
#: disagreement, and whether the answer changes without the photo. Posts without that score come last.
Order = Literal["entropy", "disagreement", "flip", "random", "input"]
ORDERS: tuple[Order, ...] = ("entropy", "disagreement", "flip", "random", "input")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All entities and relations of one post, in any order."""

    entities: tuple[Entity, ...] = ()
    links: tuple[Relation, ...] = ()

    def same_as(self, other: "Answer") -> bool:
        """Whether both say the same spans and labels; order, scores and texts do not count."""
        return self.items() == other.items()

    def items(self) -> frozenset[tuple[int | str | Span, ...]]:
        """What counts when answers are compared: (start, end, label) and (head, tail, label)."""
        entities = {(e.start, e.end, e.label) for e in self.entities}
        return frozenset(entities | {(link.head, link.tail, link.label) for link in self.links})


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """What a checkpoint (or an imported file: ``checkpoint="file"``) proposes for a post.

    ``relations`` are the likeliest labels of each pair that the post asks about, best first. ``entropy`` in
    nats; ``disagreement`` and ``flip`` in [0, 1]; each is None where it was not computed. ``score`` is the
    least probability among the suggested items, None where there are none.
    """

    answer: Answer
    checkpoint: str
    relations: tuple[Relation, ...] = ()
    entropy: float | None = None
    disagreement: float | None = None
    flip: float | None = None

    @property
    def score(self) -> float | None:
        scores = [entity.score for entity in self.answer.entities]
        scores += [link.score for link in self.answer.links]
        return min((score for score in scores if score is not None), default=None)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One person's word on a post. ``at`` is UTC, ISO 8601."""

    verdict: Verdict
    answer: Answer
    reviewer: str
    at: str


@dataclass(frozen=True, kw_only=True)
class Lease:
    """``reviewer`` may edit the post until ``expires`` (`store_queue.lease_clock`)."""

    key: int
    reviewer: str
    expires: float


@dataclass(frozen=True, kw_only=True)
class Review:
    """A post as one reviewer sees it now.

    ``key`` names it in this store, ``post.id`` in its files. ``post.image`` is the stored photo's path;
    ``asked`` are the pairs whose relation its file asks for. ``scheme`` has the labels.
    ``decision`` is the settled one; in double review only the reviewer's own until both are in.
    Pass ``version`` back to `Store.decide`: it tells whether somebody was faster. ``lease`` is whoever
    edits the post at present. ``photo_version`` counts changes of ``post.photo_words``: pass it back to
    `Store.change_photo_words`.
    """

    key: int
    queue: str
    scheme: Dataset
    post: Post
    asked: tuple[Pair, ...]
    status: Status
    version: int
    suggestion: Suggestion | None = None
    decision: Decision | None = None
    lease: Lease | None = None
    photo_version: int = 0

    @property
    def dataset(self) -> str:
        """The name of the label scheme."""
        return self.scheme.name

    @property
    def answer(self) -> Answer:
        """What an editor starts from: the decision, else the suggestion, else nothing."""
        if self.decision is not None:
            return self.decision.answer
        return self.suggestion.answer if self.suggestion else Answer()


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of the log, which only grows. ``before`` and ``after`` are None where nothing was decided.

    ``kind``: decide, adjudicate, import (a decision that a file states), undo, redo, or kept (an undo or
    redo that left the post alone because somebody else had decided since). ``seat`` is where the decision
    stands (`mmdemo.review.store.post_state`), ``target`` the event that an undo, redo or kept is about.
    ``score`` and ``checkpoint`` are the suggestion's at that time. Events with one ``batch`` are undone
    together.
    """

    number: int
    key: int
    kind: str
    seat: str
    reviewer: str
    at: str
    before: Decision | None
    after: Decision | None
    score: float | None
    checkpoint: str | None
    seconds: float | None
    batch: str
    target: int | None


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A post whose two blind reviews differ; pass ``version`` to `Store.adjudicate`."""

    review: Review
    decisions: tuple[Decision, Decision]
    version: int


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which posts to list; None and () mean all. ``label`` is in the answer (or, undecided, the suggestion).

    ``least`` and ``most`` bound the suggestion's ``score``; ``reviewer`` decided it (alone or as one of two);
    ``text`` occurs in the post (letter case aside) or is its id.
    """

    statuses: tuple[Status, ...] = ()
    label: str | None = None
    least: float | None = None
    most: float | None = None
    reviewer: str | None = None
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some posts of a queue, in order. ``total`` counts all that pass the filter."""

    reviews: tuple[Review, ...]
    offset: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A named set of posts with one label scheme (a dataset's record). ``double``: two blind reviews each."""

    name: str
    scheme: Dataset
    double: bool

    @property
    def dataset(self) -> str:
        """The name of the label scheme."""
        return self.scheme.name


@dataclass(frozen=True, kw_only=True)
class DoubleReview:
    """A post with two blind decisions; ``none`` is its label of a pair without a relation."""

    post: Post
    asked: tuple[Pair, ...]
    one: Decision
    other: Decision
    none: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a queue is: posts by status, posts with a suggestion, decisions by reviewer."""

    queue: Queue
    posts: int
    by_status: dict[Status, int]
    suggested: int
    by_reviewer: dict[str, int]

    @property
    def decided(self) -> int:
        return sum(self.by_status.get(status, 0) for status in DECIDED)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did. ``known`` posts (by id and words) were there already and stay as they were;
    ``held`` ones were not added, as their photos cannot be stored."""

    added: int
    known: int
    held: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What a bulk accept, undo or redo did: the posts it changed, and those left alone with the reason."""

    keys: tuple[int, ...] = ()
    kept: dict[int, str] = field(default_factory=dict)


class Conflict(InputError):
    """Somebody else decided since the post was opened. Nothing was saved; both versions are here.

    ``theirs`` is None where the other one took a decision back, or where one side of a dispute (``disputed``)
    has changed.
    """

    def __init__(
        self, review: Review, yours: Answer, theirs: Decision | None, *, disputed: bool = False
    ) -> None:
        who = f"{theirs.reviewer} has decided" if theirs else "somebody has taken a decision back"
        who = "a reviewer has changed one of the two answers" if disputed else who
        super().__init__(f"{who} on post {quoted(review.post.id)} since you opened it; yours was not saved")
        self.review, self.yours, self.theirs = review, yours, theirs


class Another(InputError):
    """The decision that an undo or redo would change is not the expected one. Nothing was changed."""


class Leased(InputError):
    """Somebody else edits the post; ``lease`` says who and until when."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"{lease.reviewer} is editing this post; take another one or come back later")
        self.lease = lease

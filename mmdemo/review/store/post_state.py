"""The state of a post, derived from its events: pure functions, so that the cached state can be checked.

A *seat* is a place at which a decision on a post stands: ``""`` in a queue of single review; each reviewer's
name, and ``"*"`` for adjudication, in one of double review. Its ``head`` is the event whose decision it
shows. A deciding event remembers the head before it (``parent``), which makes undo and redo exact: an event
can be undone only while it is the head, and redone only while its parent is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mmdemo.review.records import Decision, Status

SHARED = ""
ADJUDICATED = "*"

#: Events that state a decision; undo, redo and kept name one of these as their target.
DECIDING = ("decide", "adjudicate", "import")


@dataclass(frozen=True, kw_only=True)
class Seat:
    """``version`` counts the seat's events. ``decision`` is None where nothing stands."""

    version: int = 0
    head: int | None = None
    decision: Decision | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one event does to a seat."""

    number: int
    kind: str
    seat: str
    after: Decision | None
    target: int | None = None
    parent: int | None = None


Seats = Mapping[str, Seat]


def apply(seats: Seats, step: Step) -> dict[str, Seat]:
    """The seats after one event. ``parent`` is that of the event itself or, for an undo, of its target."""
    old = seats.get(step.seat, Seat())
    if step.kind == "kept":  # an undo or redo found somebody else's decision here
        return {**seats, step.seat: old}
    head = {"undo": step.parent, "redo": step.target}.get(step.kind, step.number)
    return {**seats, step.seat: Seat(version=old.version + 1, head=head, decision=step.after)}


def version(seats: Seats) -> int:
    """How many events the post has had, all seats together."""
    return sum(seat.version for seat in seats.values())


def blind_decisions(seats: Seats) -> list[Decision]:
    """The reviews of a double queue's post, in the order of their time, without the adjudication."""
    found = [seat.decision for name, seat in seats.items() if name not in (SHARED, ADJUDICATED)]
    return sorted((d for d in found if d), key=lambda d: (d.at, d.reviewer))


def agree(one: Decision, other: Decision) -> bool:
    """Whether two blind reviews need no third: both reject the post, or both give the same answer."""
    if "rejected" in (one.verdict, other.verdict):
        return one.verdict == other.verdict
    return one.answer.same_as(other.answer)


def settled(seats: Seats, double: bool) -> Decision | None:
    """The decision that counts: the shared one, the adjudication, or the first of two that agree."""
    if not double:
        return seats.get(SHARED, Seat()).decision
    final = seats.get(ADJUDICATED, Seat()).decision
    two = blind_decisions(seats)
    if final is None and len(two) >= 2 and agree(two[0], two[1]):
        return two[0]
    return final


def status(seats: Seats, double: bool) -> Status:
    """Where the post stands."""
    decision = settled(seats, double)
    if decision is not None:
        return decision.verdict
    reviews = len(blind_decisions(seats)) if double else 0
    return "open" if reviews == 0 else "second" if reviews == 1 else "disputed"

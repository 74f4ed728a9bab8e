"""The history of a post in a backup's line: events to JSON, and back to the decisions that held."""

from typing import Any

from mmdemo.review.answers import answer_row, stored_answer
from mmdemo.review.names import check_seconds
from mmdemo.review.records import Decision, Event
from mmdemo.review.store import post_state as fold
from mmdemo.review.store.filling import Standing
from mmdemo.types import InputError

VERDICTS = ("accepted", "corrected", "rejected")


def event_row(event: Event) -> dict[str, Any]:
    """An event as JSON."""
    after = event.after
    return {
        "kind": event.kind,
        "seat": event.seat,
        "reviewer": event.reviewer,
        "at": event.at,
        "seconds": event.seconds,
        "checkpoint": event.checkpoint,
        "after": None
        if after is None
        else {
            "verdict": after.verdict,
            "reviewer": after.reviewer,
            "at": after.at,
            **answer_row(after.answer),
        },
    }


def standing(events: list[dict[str, Any]], tokens: tuple[str, ...], double: bool) -> list[Standing]:
    """The decision that each seat ended with, in the order of their events.

    Lines of before seats were written go by who acted last: each blind reviewer's last event, of which an
    adjudication and what a file stated stand at their own seat.

    Raises:
        InputError, or what reading JSON of another shape raises: the rows are no events.
    """
    last = {_place(event, double): event for event in events if event["kind"] != "kept"}
    held = [(place, event) for place, event in last.items() if event["after"] is not None]
    return [_held(event, _source(events, place, event, double), tokens, double) for place, event in held]


def _source(events: list[dict[str, Any]], place: str, event: dict[str, Any], double: bool) -> dict[str, Any]:
    """The event that made the decision which this one shows: an undo or redo shows an earlier one's again."""
    made = [one for one in events if one["kind"] in fold.DECIDING and _place(one, double) == place]
    return next((one for one in reversed(made) if one["after"] == event["after"]), event)


def _place(event: dict[str, Any], double: bool) -> str:
    guess = event["reviewer"] if double else fold.SHARED
    return str(event.get("seat", guess))


def _held(event: dict[str, Any], source: dict[str, Any], tokens: tuple[str, ...], double: bool) -> Standing:
    after = event["after"]
    if after["verdict"] not in VERDICTS:
        raise InputError(f"the backup has the unknown verdict {str(after['verdict'])[:40]!r}")
    blind = double and source["kind"] == "decide"
    guess = after["reviewer"] if blind else fold.ADJUDICATED if double else fold.SHARED
    decision = Decision(
        verdict=after["verdict"],
        answer=stored_answer(after, tokens),
        reviewer=after["reviewer"],
        at=str(after.get("at", source["at"])),
    )
    kind = source["kind"] if source["kind"] in fold.DECIDING else "decide"
    return Standing(
        seat=event.get("seat", guess), kind=kind, decision=decision, seconds=check_seconds(source["seconds"])
    )

"""What a reviewer may answer in each dataset: entity labels, relations, and which spans a relation joins."""

from mmdemo.datasets.bio import ENTITY_TYPES, RELATIONS
from mmdemo.types import InputError, quoted

DATASETS: tuple[str, ...] = (*ENTITY_TYPES, "mnre")

#: MNRE writes types in lower case and calls Twitter2015's OTHER misc.
_KINDS = {"PER": "per", "LOC": "loc", "ORG": "org", "MISC": "misc", "OTHER": "misc"}


def entity_labels(dataset: str) -> tuple[str, ...]:
    """The entity labels of a dataset; MNRE's spans may carry the four types that its relations name."""
    if dataset not in DATASETS:
        raise InputError(f"unknown dataset {quoted(dataset)}; known: {', '.join(DATASETS)}")
    return ENTITY_TYPES.get(dataset, ("PER", "LOC", "ORG", "MISC"))


def relation_labels(head: str | None = None, tail: str | None = None) -> tuple[str, ...]:
    """The relations from a span of type ``head`` to one of type ``tail``; None is a span without a type.

    ``None`` (no relation) always fits: `/per/org/member_of` needs a PER head and an ORG tail.
    """
    return tuple(label for label in RELATIONS if label == "None" or _fits(label, head, tail))


def _fits(label: str, head: str | None, tail: str | None) -> bool:
    _, head_kind, tail_kind, _ = label.split("/")
    return (head is None or _KINDS.get(head) == head_kind) and (tail is None or _KINDS.get(tail) == tail_kind)

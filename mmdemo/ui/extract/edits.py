"""What a person does to the entities of an answer: change a type, mend bounds, remove, add. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mmdemo.types import Entity, InputError, quoted
from mmdemo.ui.extract.asked import Kept

Given = Mapping[str, Any]


def edited(kept: Kept, given: Given) -> tuple[Entity, ...]:
    """The entities after an edit, in reading order; one that was touched has no score any more.

    Args:
        given: ``act`` (one of `ACTS`) and what that takes: ``entity`` (an id), ``label``, ``start``, ``end``.

    Raises:
        InputError: there is no such edit or entity, or two entities would have the same words.
    """
    act = ACTS.get(str(given.get("act")))
    if act is None:
        raise InputError(f"there is no edit {quoted(given.get('act'))}; known: {', '.join(ACTS)}")
    after = [entity for entity in act(kept, given) if entity.label]
    spans = [(entity.start, entity.end) for entity in after]
    if len(set(spans)) < len(spans):
        raise InputError("another entity has just these words already")
    return tuple(sorted(after, key=lambda entity: (entity.start, entity.end)))


def _retype(kept: Kept, given: Given) -> list[Entity]:
    return _replaced(kept, given, label=str(given.get("label")), score=None)


def _bounds(kept: Kept, given: Given) -> list[Entity]:
    return _replaced(kept, given, start=_whole(given, "start"), end=_whole(given, "end"), score=None)


def _remove(kept: Kept, given: Given) -> list[Entity]:
    gone = kept.entity(given.get("entity"))
    return [entity for entity in kept.entities.values() if entity is not gone]


def _add(kept: Kept, given: Given) -> list[Entity]:
    new = Entity(start=_whole(given, "start"), end=_whole(given, "end"), label=str(given.get("label")))
    return [*kept.entities.values(), new]


def _replaced(kept: Kept, given: Given, **changes: Any) -> list[Entity]:
    old = kept.entity(given.get("entity"))
    return [replace(e, **changes) if e is old else e for e in kept.entities.values()]


def _whole(given: Given, name: str) -> int:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InputError(f"the {name} of an entity is not a word's number")
    try:
        return int(value)
    except ValueError as error:
        raise InputError(f"the {name} of an entity is not a word's number") from error


ACTS: dict[str, Callable[[Kept, Given], list[Entity]]] = {
    "type": _retype,
    "bounds": _bounds,
    "remove": _remove,
    "add": _add,
}

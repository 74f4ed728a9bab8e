"""Labels under whatever key a JSON object or a table's column has them, told by their shape.

A list of as many tags as words; a list of spans (``[start, end, label]``, or objects with a start, an end and
a label by any of their usual names). What looks like labels and is not read is told.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.text.lines import check_text
from mmdemo.types import quoted

_LABELLED = re.compile(
    r"(?:^|_)(?:labels?|tags?|ner|bio|entit(?:y|ies)|ents?|spans?|annotations?|predictions?|relations?|"
    r"suggestions?|responses?|mentions?|triples?|chunks)(?:$|_)",
    re.IGNORECASE,
)
_IN_TEXT = re.compile(r'"([A-Za-z_]+)":')

_PEOPLE = ("user_id", "user", "annotator", "username")
#: What tools call the parts of a span.
_STARTS = ("start", "start_offset", "begin", "from", "start_char", "offset_start", "start_idx", "beginOffset")
_ENDS = ("end", "end_offset", "stop", "to", "end_char", "offset_end", "end_idx", "endOffset")
_LABELS = ("label", "type", "labels", "tag", "entity", "class", "entity_type", "category", "entity_group")
_TEXTS = ("text", "mention", "word", "value", "surface", "name", "ngram", "content")


@dataclass(frozen=True, kw_only=True)
class StatedSpan:
    """A span as a file states it: ``name`` is what its relations call it, ``text`` what it says it marks,
    ``by`` who marked it, where each span says that."""

    start: Any
    end: Any
    label: str
    text: str | None = None
    name: Any = None
    score: float | None = None
    by: str = ""


def looks_labelled(start: str) -> bool:
    """Whether a JSON text has a key that looks like labels."""
    return any(_LABELLED.search(key) for key in _IN_TEXT.findall(start))


def labelled_keys(row: Mapping[str, Any]) -> list[str]:
    """The keys of a row that look like labels and hold something."""
    return [key for key, value in row.items() if value and isinstance(key, str) and _names_labels(key)]


@lru_cache(maxsize=1_000)  # the rows of a file have the same keys
def _names_labels(key: str) -> bool:
    return _LABELLED.search(key) is not None


def tell_unread(row: Mapping[str, Any], read: Collection[str], left: LeftOut) -> None:
    """Tell of keys that look like labels and are not read."""
    for key in labelled_keys(row):
        if key not in read and not isinstance(row[key], bool):
            left.pass_over(f"what stands under {quoted(key)}, which looks like labels and is not read")


def spans_in(value: Any, where: str) -> list[StatedSpan] | None:
    """The spans of a list of spans; of an empty list none, of anything else None.

    Raises:
        InputError: a label is no text.
    """
    if not isinstance(value, list):
        return None
    found = []
    for one in value:
        span = _span(one)
        if span is None:
            return None
        found.append(span)
    for span in found:
        check_text(span.label, where)
    return found


def _span(value: Any) -> StatedSpan | None:
    if isinstance(value, list | tuple):
        if len(value) >= 3 and type(value[0]) is int and type(value[1]) is int:
            label = _label(value[2])
            return None if label is None else StatedSpan(start=value[0], end=value[1], label=label)
        named = len(value) in (3, 4) and isinstance(value[0], str)  # Argilla's, the fourth is a score
        if named and type(value[1]) is int and type(value[2]) is int:
            score = _score(value[3]) if len(value) == 4 else None
            return StatedSpan(start=value[1], end=value[2], label=value[0], score=score)
        return None
    if not isinstance(value, Mapping):
        return None
    start, end = _first(value, _STARTS), _first(value, _ENDS)
    label = next((found for key in _LABELS if (found := _label(value.get(key))) is not None), None)
    if type(start) is not int or type(end) is not int or label is None:
        return None
    text = _first(value, _TEXTS)
    return StatedSpan(
        start=start,
        end=end,
        label=label,
        text=text if isinstance(text, str) else None,
        name=value.get("id"),
        score=_score(value.get("score")),
        by=person(value),
    )


def _score(value: Any) -> float | None:
    return value if isinstance(value, float) and 0 <= value <= 1 else None


def person(row: Mapping[str, Any]) -> str:
    """The name of who answered, by its usual keys, or ""; tools number people."""
    who = next((row[key] for key in _PEOPLE if row.get(key)), "")
    if type(who) is int:
        return f"annotator {who}"
    return who[:80] if isinstance(who, str) else ""


def _label(value: Any) -> str | None:
    """A label's text; of a list with one label that."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    return str(value)


def _first(row: Mapping[str, Any], keys: Collection[str]) -> Any:
    return next((row[key] for key in keys if row.get(key) is not None), None)

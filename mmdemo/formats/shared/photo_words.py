"""The words of a photo as JSON values, and back from values that may be anybody's.

Files and requests state them as ``photo_words``, a list of objects with the keys of `PhotoWords`, or in short
as a ``description``, ``alt_text`` or ``alt``: a text or a list of texts, which somebody wrote of the photo.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmdemo.formats.text.lines import check_text
from mmdemo.types import PHOTO_SOURCES, InputError, PhotoSource, PhotoWords, quoted

KEY = "photo_words"
#: Keys of what somebody wrote of the photo.
DESCRIBED = ("description", "alt_text", "alt")

#: Longest text of one description, and most texts of one photo: what stands beyond is cut off.
MAX_CHARACTERS = 2_000
MOST = 300
LONG_TEXT = f"a description of more than {MAX_CHARACTERS:,} characters"
MANY_TEXTS = f"more than {MOST} texts of one photo"

#: Is told of each thing that was cut (`LONG_TEXT` or `MANY_TEXTS`), or raises InputError instead.
Cut = Callable[[str], None]


def refuse(what: str) -> None:
    """A `Cut` for a person's one request: they can shorten it. Raises InputError."""
    raise InputError(f"the request holds {what}; shorten it")


def words_json(words: Sequence[PhotoWords]) -> list[dict[str, Any]]:
    """The words as JSON values that `read_words` reads back equal."""
    return [vars(one) | {"box": None if one.box is None else list(one.box)} for one in words]


def stated_words(values: Mapping[str, Any], where: str, cut: Cut) -> tuple[PhotoWords, ...]:
    """All that an object states of its photo in words: ``photo_words``, then what describes it otherwise.

    Raises:
        InputError: a value has the wrong type; ``where`` names the place.
    """
    found = list(read_words(values.get(KEY), where, cut))
    seen = {one.text for one in found if one.source == "described"}
    for key in (key for key in DESCRIBED if values.get(key) is not None):
        texts = descriptions(values[key], f"{where}, {quoted(key)},", cut)
        found += [one for one in texts if one.text not in seen]
        seen |= {one.text for one in texts}
    return _bounded(found, cut)


def descriptions(
    value: Any, where: str, cut: Cut, *, source: PhotoSource = "described", by: str = ""
) -> tuple[PhotoWords, ...]:
    """The descriptions of a text or a list of texts; blank ones say nothing, None is none.

    Raises:
        InputError: it is neither.
    """
    values = [] if value is None else value if isinstance(value, list | tuple) else [value]
    texts = [_short(check_text(text, where).strip(), cut) for text in values]
    return tuple(PhotoWords(source=source, text=text, by=by) for text in texts if text)


def read_words(value: Any, where: str, cut: Cut) -> tuple[PhotoWords, ...]:
    """The words that `words_json` wrote, or that somebody else did.

    Raises:
        InputError: they are no list of such objects.
    """
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise InputError(f"{where} has {KEY} that are not a list")
    if len(value) > MOST:
        cut(MANY_TEXTS)
    words = tuple(read_one(row, where, cut) for row in value[:MOST])
    if any(not one.text.strip() for one in words):
        raise InputError(f"{where} has {KEY} without a text")
    return words


def read_one(row: Any, where: str, cut: Cut) -> PhotoWords:
    """One of them; its text may be blank, as of a line that nothing could be made of.

    Raises:
        InputError: it is no such object.
    """
    if not isinstance(row, Mapping):
        raise InputError(f"{where} has {KEY} with {quoted(row)}, which is not an object")
    source = row.get("source")
    if source not in PHOTO_SOURCES:
        known = ", ".join(PHOTO_SOURCES)
        raise InputError(f"{where} has {KEY} of the source {quoted(source)}; known: {known}")
    text = _short(check_text(row.get("text"), f"{where}, {quoted(KEY)},"), cut)
    score = row.get("score")
    if score is not None and (type(score) not in (int, float) or not 0 <= score <= 1):
        raise InputError(f"{where} has {KEY} with the score {quoted(score)}, which is not a probability")
    by = check_text("" if row.get("by") is None else row.get("by"), f"{where}, {quoted(KEY)},")
    return PhotoWords(source=source, text=text, score=score, box=_box(row.get("box"), where), by=by)


def _box(value: Any, where: str) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    if isinstance(value, list | tuple) and len(value) == 4 and all(type(x) in (int, float) for x in value):
        left, top, right, bottom = value
        if 0 <= left <= right <= 1 and 0 <= top <= bottom <= 1:
            return left, top, right, bottom
    raise InputError(f"{where} has {KEY} with the box {quoted(value)}, which is no part of a photo")


def _short(text: str, cut: Cut) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    cut(LONG_TEXT)
    return text[:MAX_CHARACTERS]


def _bounded(found: list[PhotoWords], cut: Cut) -> tuple[PhotoWords, ...]:
    if len(found) > MOST:
        cut(MANY_TEXTS)
    return tuple(found[:MOST])

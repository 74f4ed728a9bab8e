"""What was read off one photo, and the same as JSON and back."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmdemo.formats.shared.photo_words import read_one
from mmdemo.photo_words.rules import Dropped
from mmdemo.types import PHOTO_SOURCES, InputError, PhotoSource, PhotoWords


@dataclass(frozen=True, kw_only=True)
class PhotoReading:
    """The words of one photo after the rules, in the order in which a model reads them.

    ``dropped`` is what the rules left out; ``notes`` says for a person what could not be read and why;
    ``unread`` names the sources that are switched on but were not read, or failed.
    """

    words: tuple[PhotoWords, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    unread: tuple[PhotoSource, ...] = ()

    @property
    def dropped_counts(self) -> dict[str, int]:
        """How many lines were left out for each reason."""
        return dict(Counter(line.why for line in self.dropped))


def line_json(words: PhotoWords) -> dict[str, Any]:
    """One line as JSON: source and text, and score, box and by where they are known."""
    found: dict[str, Any] = {"source": words.source, "text": words.text}
    if words.score is not None:
        found["score"] = words.score
    if words.box is not None:
        found["box"] = list(words.box)
    if words.by:
        found["by"] = words.by
    return found


def line_from_json(value: Any) -> PhotoWords:
    """A line from JSON, of which nothing is believed.

    Raises:
        InputError: it is not what `line_json` writes.
    """
    return read_one(value, "what was read off a photo", lambda _: None)


def reading_json(reading: PhotoReading) -> dict[str, Any]:
    """A reading as JSON; `reading_from_json` reads it back as it was."""
    return {
        "words": [line_json(words) for words in reading.words],
        "dropped": [{**line_json(line.words), "why": line.why} for line in reading.dropped],
        "notes": list(reading.notes),
        "unread": list(reading.unread),
    }


def reading_from_json(value: Any) -> PhotoReading:
    """A reading from JSON. Raises InputError where it is not what `reading_json` writes."""
    if not isinstance(value, Mapping):
        raise InputError("a photo's reading must be an object")
    words, dropped, notes, unread = (value.get(key, []) for key in ("words", "dropped", "notes", "unread"))
    if not all(isinstance(part, list) for part in (words, dropped, notes, unread)):
        raise InputError("words, dropped, notes and unread of a photo's reading must be lists")
    if not all(isinstance(note, str) for note in notes) or not set(map(str, unread)) <= set(PHOTO_SOURCES):
        raise InputError("the notes of a photo's reading must be texts, and unread names of sources")
    return PhotoReading(
        words=tuple(line_from_json(one) for one in words),
        dropped=tuple(Dropped(words=line_from_json(one), why=str(one.get("why", ""))) for one in dropped),
        notes=tuple(notes),
        unread=tuple(unread),
    )

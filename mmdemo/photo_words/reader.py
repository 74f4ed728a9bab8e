"""Reads the words off photos: every source that is switched on, once a photo, through the rules."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

from PIL import Image

from mmdemo.photo.opening import open_image
from mmdemo.photo_words.captioner import captioner_name, captioner_source
from mmdemo.photo_words.kept import Found, Kept, default_folder, photo_key
from mmdemo.photo_words.objects import objects_source
from mmdemo.photo_words.ocr import ocr_source
from mmdemo.photo_words.reading import PhotoReading
from mmdemo.photo_words.rules import Rules, apply_rules
from mmdemo.photo_words.source import Source, SourceError
from mmdemo.types import InputError, PhotoSource, quoted

log = logging.getLogger(__name__)

#: What can be read off a photo itself; a description comes from a person or a file.
READ_SOURCES: tuple[PhotoSource, ...] = ("ocr", "objects", "captioned")

#: How each source is made.
MAKERS: Mapping[PhotoSource, Callable[[], Source]] = {
    "ocr": ocr_source,
    "objects": objects_source,
    "captioned": captioner_source,
}


def configured_sources(stated: str | None = None) -> tuple[PhotoSource, ...]:
    """The sources that ``stated`` or else MMDEMO_PHOTO_WORDS names by commas; "none" switches all off.

    Without either: text and objects, and the captioner where MMDEMO_CAPTIONER names one.

    Raises:
        InputError: a name is unknown.
    """
    text = os.environ.get("MMDEMO_PHOTO_WORDS", "") if stated is None else stated
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        return READ_SOURCES if captioner_name() else READ_SOURCES[:2]
    if names == ["none"]:
        return ()
    if unknown := [name for name in names if name not in READ_SOURCES]:
        raise InputError(
            f"unknown source of a photo's words {quoted(unknown[0])}; known: {', '.join(READ_SOURCES)}, "
            "or none"
        )
    return tuple(source for source in READ_SOURCES if source in names)


class PhotoReader:
    """Reads photos and keeps what was read in ``folder``; safe for several threads.

    Args:
        folder: where readings are kept; `mmdemo.photo_words.kept.default_folder` if not said.
        sources: which are switched on; `configured_sources` if not said.
        rules: which words count; those of rules.toml if not said.
        makers: how each source is made.
    """

    def __init__(
        self,
        folder: Path | None = None,
        sources: Sequence[PhotoSource] | None = None,
        *,
        rules: Rules | None = None,
        makers: Mapping[PhotoSource, Callable[[], Source]] = MAKERS,
    ) -> None:
        self.sources = configured_sources() if sources is None else tuple(sources)
        self._store = Kept(default_folder() if folder is None else folder)
        self._rules = rules
        self._makers = makers
        self._made: dict[PhotoSource, Source] = {}
        self._making = Lock()
        self._photos: WeakValueDictionary[str, _PhotoLock] = WeakValueDictionary()

    def read(self, photo: str | Path | Image.Image, *, again: bool = False) -> PhotoReading:
        """The words of a photo: from disk what is known, and read now what is not.

        A source that fails costs its own words and a note, and is tried again the next time. With ``again``
        all is read anew.

        Raises:
            InputError: the photo cannot be opened.
        """
        key = photo_key(photo)
        with self._making:
            lock = self._photos.setdefault(key, _PhotoLock())
        with lock.lock:  # the same photo twice at once is read once
            made, notes = self._sources()
            found = {} if again else self._known(key)
            missing = [source for source in made if source.name not in found]
            if missing:
                opened = open_image(photo)
                fresh: dict[PhotoSource, Found] = {}
                for source in missing:
                    try:
                        fresh[source.name] = _ask(source, opened)
                    except SourceError as error:
                        notes.append(f"{source.name}: {error}")
                if fresh:
                    self._store.put(key, fresh)
                found |= fresh
        return self._reading(found, notes)

    def kept(self, photo: str | Path | Image.Image) -> PhotoReading | None:
        """What is known of a photo at once, without reading it; None where nothing is.

        ``unread`` of the reading names the sources that are still to be read.

        Raises:
            InputError: there is no such file.
        """
        return self.kept_by_key(photo_key(photo))

    def kept_by_key(self, key: str) -> PhotoReading | None:
        """As `kept`, for a photo whose `photo_key` is known."""
        found = self._known(key)
        return self._reading(found, []) if found or not self.sources else None

    def _reading(self, found: Mapping[PhotoSource, Found], notes: Sequence[str]) -> PhotoReading:
        ruled = apply_rules((words for one in found.values() for words in one.words), self._rules)
        return PhotoReading(
            words=ruled.kept,
            dropped=ruled.dropped,
            notes=tuple(notes),
            unread=tuple(source for source in self.sources if source not in found),
        )

    def _known(self, key: str) -> dict[PhotoSource, Found]:
        """What is on disk by the very sources that are switched on."""
        made, _ = self._sources()
        versions = {source.name: source.version for source in made}
        return {name: one for name, one in self._store.get(key).items() if versions.get(name) == one.version}

    def _sources(self) -> tuple[list[Source], list[str]]:
        """The sources that can be had, and a note for each that cannot."""
        notes = []
        with self._making:
            for name in self.sources:
                if name not in self._made:
                    try:
                        self._made[name] = self._makers[name]()
                    except (SourceError, InputError) as error:
                        notes.append(f"{name}: {error}")
        return [self._made[name] for name in self.sources if name in self._made], notes


class _PhotoLock:
    """A lock that lives as long as somebody holds it."""

    def __init__(self) -> None:
        self.lock = Lock()


def _ask(source: Source, photo: Image.Image) -> Found:
    """What a source finds. Raises SourceError, whatever the source itself raises."""
    try:
        return Found(version=source.version, words=tuple(source.read(photo)))
    except SourceError:
        raise
    except Exception as error:  # models raise what they like, and a photo is a stranger's
        log.warning("%s failed on a photo: %s", source.name, error)
        raise SourceError(f"it failed on this photo ({type(error).__name__})") from error


@cache
def photo_reader() -> PhotoReader:
    """The one of this process, as the environment configures it."""
    return PhotoReader()

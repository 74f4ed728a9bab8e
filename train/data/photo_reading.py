"""A dataset's photos read ahead for training: text and objects, once a photo, kept as the app keeps them.

Several processes read what is not known yet; stopped, it goes on where it was. What could not be read costs
its own words and is counted. A source that cannot be had at all is an error: figures would not say so.

A file may hold what several captioners wrote. ``captioned`` takes each as a description of its own, of which
training shows one at a time; ``captioned:blip2+llava_next`` takes those two, in this order, as one.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mmdemo.photo_words.ahead import read_ahead
from mmdemo.photo_words.captioner import captioner_name
from mmdemo.photo_words.reader import MAKERS, PhotoReader
from mmdemo.photo_words.source import SourceError
from mmdemo.types import PHOTO_SOURCES, InputError, PhotoSource, PhotoWords, Post, quoted

log = logging.getLogger(__name__)

Sources = tuple[PhotoSource, ...]

#: Sources as a run names them: each a `PhotoSource`, or ``captioned:`` and captioners joined by ``+``.
Named = tuple[str, ...]

CAPTIONED: PhotoSource = "captioned"

#: What became of a photo.
SAID, NOTHING, UNREAD = "read", "nothing found", "could not be read"

#: Photo and what read it -> its words and what became of it: a run asks for the same photos several times.
_known: dict[tuple[Path, Sources], tuple[tuple[PhotoWords, ...], str]] = {}


def sources_named(text: str) -> Named:
    """The sources that ``photo_sources`` names by commas, in the order of `PHOTO_SOURCES`.

    Raises:
        InputError: one is unknown, or there is none.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if unknown := sorted(name for name in names if not _known_source(name)):
        raise InputError(
            f"photo_sources names {quoted(unknown[0])}; known: {', '.join(PHOTO_SOURCES)}, "
            f"and {CAPTIONED}:NAME+NAME for captioners"
        )
    if not names:
        raise InputError(f"photo_sources names no source; known: {', '.join(PHOTO_SOURCES)}")
    order: list[str] = list(PHOTO_SOURCES)
    return tuple(sorted(names, key=lambda name: order.index(name.partition(":")[0])))


def _known_source(name: str) -> bool:
    source, colon, captioners = name.partition(":")
    if not colon:
        return source in PHOTO_SOURCES
    return source == CAPTIONED and all(one.strip() for one in captioners.split("+"))


def read_off(sources: Named) -> Sources:
    """Which of the sources are read off the photos; the others are what files say.

    Captions are files' too, unless MMDEMO_CAPTIONER names what writes them.
    """
    own: Sources = ("ocr", "objects", CAPTIONED) if captioner_name() else ("ocr", "objects")
    return tuple(source for source in own if source in sources)


def with_words_read(posts: Sequence[Post], sources: Named) -> list[Post]:
    """The posts with the words of these sources: of those that files state, and of those read off the photo.

    What a file states of a source stands in the place of what would be read by it.

    Raises:
        InputError: a source cannot be had, or a process that read died; what was read is kept.
    """
    read = words_read((post.image for post in posts if isinstance(post.image, str | Path)), read_off(sources))
    found = []
    for post in posts:
        stated = _stated(post.photo_words, sources)
        words, _ = read.get(Path(post.image), ((), "")) if isinstance(post.image, str | Path) else ((), "")
        said = {one.source for one in stated}
        own = tuple(one for one in words if one.source not in said)
        found.append(replace(post, photo_words=stated + own))
    return found


def _stated(words: Sequence[PhotoWords], sources: Named) -> tuple[PhotoWords, ...]:
    """What files state of these sources; captioners that are named together describe as one."""
    found = [one for one in words if one.source in sources]
    for name in sources:
        _, colon, captioners = name.partition(":")
        if colon:
            said = {one.by: one.text for one in reversed(words) if one.source == CAPTIONED}
            texts = [said[by].strip() for by in captioners.split("+") if by in said]
            if texts:
                found.append(PhotoWords(source=CAPTIONED, text=" . ".join(texts), by=captioners))
    return tuple(found)


def counted_readings(posts: Sequence[Post], sources: Named) -> dict[str, int]:
    """How many of the posts' photos say something, nothing, or could not be read; each photo counts
    once. Empty where none was read.

    Raises:
        InputError: as `with_words_read`.
    """
    photos = (post.image for post in posts if isinstance(post.image, str | Path))
    counts = Counter(became for _, became in words_read(photos, read_off(sources)).values())
    return {name: counts[name] for name in (SAID, NOTHING, UNREAD)} if counts else {}


def words_read(
    photos: Iterable[str | Path], sources: Sources
) -> dict[Path, tuple[tuple[PhotoWords, ...], str]]:
    """Photo -> its words by these sources, and what became of it (`SAID`, `NOTHING` or `UNREAD`)."""
    wanted = list(dict.fromkeys(map(Path, photos)))
    if not sources or not wanted:
        return {}
    new = [photo for photo in wanted if (photo, sources) not in _known]
    if new:
        _check(sources)
        reader = PhotoReader(sources=sources)
        if unread := [photo for photo in new if not _whole(reader, photo)]:
            done = read_ahead(unread, sources=sources)
            for note, count in done.notes.items():
                log.warning("%s (%d photos)", note, count)
        _known.update({(photo, sources): _reading(reader, photo) for photo in new})
    return {photo: _known[photo, sources] for photo in wanted}


def _check(sources: Sources) -> None:
    for source in sources:
        try:
            MAKERS[source]()
        except SourceError as error:
            raise InputError(f"photo_sources names {source}, which cannot be had: {error}") from error


def _whole(reader: PhotoReader, photo: Path) -> bool:
    """Whether every source has read the photo; one that cannot be opened is left to the reading."""
    try:
        known = reader.kept(photo)
    except InputError:
        return False
    return known is not None and not known.unread


def _reading(reader: PhotoReader, photo: Path) -> tuple[tuple[PhotoWords, ...], str]:
    try:
        known = reader.kept(photo)
    except InputError:
        known = None
    if known is None:
        return (), UNREAD
    return known.words, UNREAD if known.unread else SAID if known.words else NOTHING

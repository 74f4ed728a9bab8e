"""A file, archive or folder of any format that posts are read from, as the flat rows that a job goes through.

JSON lines, CSV and Parquet with a text a row are read where they lie. Others are written out as such lines
first, by the same readers as everywhere (`mmdemo.formats`): the same ones in the same order each time, so a
job that was cut off goes on.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdemo.batch.rows import SUFFIXES, has_texts
from mmdemo.datasets.schema import Dataset
from mmdemo.formats.given.gathering import Gathered, gather, names_of
from mmdemo.formats.given.looking import notes_of, posts_of
from mmdemo.formats.given.photos import Photos, Sought
from mmdemo.formats.reading import recognised
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.offsets import characters, joined
from mmdemo.formats.shared.photo_words import KEY, words_json
from mmdemo.formats.text.archive import is_archive
from mmdemo.posts.marking import marked
from mmdemo.types import InputError, Post, Question, Span

FOLDER = ".mmdemo-batch-"
#: Photos' places in rows that are written here are whole paths: the readers found each within its bounds.
ANYWHERE = Path("/")


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The file of rows, the folder that their photos' names start from, and what was found in sentences."""

    posts: Path
    images: Path
    notes: tuple[str, ...] = ()


@contextmanager
def rows_of(
    path: Path,
    output: Path,
    dataset: Dataset,
    images: Path | None = None,
    source: str = "auto",
    *,
    pairs: bool = False,
) -> Iterator[Rows]:
    """What a person gives, as rows; what had to be written for that lies beside the output until then.

    Args:
        dataset: whose words are parted as its models read them.
        images: a folder or archive where photos are looked for; None takes the folder of the file.
        source: a name of `mmdemo.formats.table.SOURCES`, or ``auto`` to tell by name and content.
        pairs: a post that asks about pairs is a row for each, with marks around the two.

    Raises:
        InputError: there is no such file, nothing in it can be read, or no room to write it out.
    """
    photos = Photos(folder=images)
    flat = source == "auto" and path.suffix.lower() in SUFFIXES
    flat = flat and (has_texts(path) or recognised(path) is None)
    if flat and not (images and is_archive(images)):
        yield Rows(posts=path, images=images or path.parent)
        return
    with _scratch(output) as scratch:
        try:
            photos = photos.unpacked(scratch)
            if flat:
                rows = Rows(posts=path, images=photos.folder or path.parent)
            else:
                rows = _written(gather(path, source, scratch, dataset), path, photos, scratch, pairs)
        except InputError as error:
            raise InputError(str(error).replace(f"{scratch}/", "")) from error
        except OSError as error:
            raise InputError(f"{path} cannot be written out as rows: {error.strerror or error}") from error
        yield rows


@contextmanager
def _scratch(output: Path) -> Iterator[Path]:
    """A folder beside the output, where workers on other machines see it too."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=FOLDER, dir=output.parent)
    except OSError as error:
        raise InputError(f"{output.parent} cannot be written: {error.strerror or error}") from error
    with folder as name:
        yield Path(name)


def _written(found: Gathered, path: Path, photos: Photos, scratch: Path, pairs: bool) -> Rows:
    left, sought = LeftOut(strict=False, skip=True), Sought()
    posts = scratch / "posts.jsonl"
    with posts.open("w", encoding="utf-8") as file:
        asked = posts_of(found, None, photos, left, sought)
        for number, question in enumerate(asked, start=1):
            for row in _rows(question, number, pairs):
                file.write(json.dumps(row) + "\n")  # escaped: a file name may be no UTF-8
    given = path.stat()
    os.utime(posts, ns=(given.st_atime_ns, given.st_mtime_ns))  # as old as what it was made of
    notes = (*names_of(found), *notes_of(left), *sought.notes())
    return Rows(posts=posts, images=ANYWHERE, notes=notes)


def _rows(question: Question, number: int, pairs: bool) -> Iterator[dict[str, Any]]:
    """A post's row; or one for each pair that it asks about."""
    post = question.post
    text, places = _text(post)
    row = {
        "id": number if post.id is None else post.id,
        "text": text,
        "image": None if post.image is None else str(Path(str(post.image)).resolve()),
        KEY: words_json(post.photo_words),
    }
    asked = question.ask.relations
    if not pairs or not isinstance(asked, tuple) or not asked:
        yield row
        return
    for at, pair in enumerate(asked, start=1):
        name = row["id"] if len(asked) == 1 else f"{row['id']}#{at}"
        ends = [characters(places, span) for span in (pair.head, pair.tail)]
        yield row | {"id": name, "text": marked(text, *ends)}


def _text(post: Post) -> tuple[str, Sequence[Span]]:
    """A post's text and its words' places there; of words that do not all stand in one, these joined."""
    places = [place for place in post.offsets if place]
    return (post.text, places) if post.text and len(places) == len(post.tokens) else joined(post.tokens)

"""Posts from what people have: the six export formats, a CSV file, or a folder of photos with texts.

A file may come from a stranger. A photo that it names must lie in a folder that the person gave (or in the
file's own): no file can make this program show another one of the machine's.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmdemo.formats.lines import check_text, read_lines
from mmdemo.formats.table import FORMATS
from mmdemo.posts.text import has_marks, read_marks, split_words
from mmdemo.review.records import Labelled
from mmdemo.types import ImageSource, InputError, Post, quoted

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")

#: What `read_posts` reads.
SOURCES: tuple[str, ...] = (*FORMATS, "csv", "folder")

#: csv's own bound on the characters of a field; a longer one is an error rather than a full memory.
MAX_FIELD = 500_000


@dataclass(frozen=True, kw_only=True)
class Photos:
    """Where photos may lie. ``folder`` has ``<photo id>.jpg`` files, or a public archive's layout;
    ``pairs`` is a csv of stand-ins (data/README). ``trusted`` folders hold photos that files may name."""

    folder: Path | None = None
    pairs: Path | None = None
    split: str = "train"
    trusted: tuple[Path, ...] = ()


def read_posts(path: Path, source: str, dataset: str, photos: Photos | None = None) -> list[Labelled]:
    """All posts of a file or folder, with the answers it states and the photos that are found.

    Args:
        source: one of `SOURCES`, or ``auto`` to tell by the name and content.

    Raises:
        InputError: the file cannot be read so, or names a photo outside its folders.
    """
    path, photos = Path(path), photos or Photos()
    source = guess(path, dataset) if source == "auto" else source
    if source == "csv":
        return _csv(path, dataset, photos)
    if source == "folder":
        return _folder(path, dataset)
    if source not in FORMATS:
        raise InputError(f"unknown format {quoted(source)}; known: {', '.join(SOURCES)}")
    items = FORMATS[source].read(path, dataset)
    return _with_photos(items, path, dataset, photos)


def guess(path: Path, dataset: str) -> str:
    """The format that a path most likely has. Raises InputError where nothing fits."""
    if path.is_dir():
        return "brat" if any(path.glob("*.ann")) else "folder"
    if path.suffix == ".jsonl":
        first = next((line for _, line in read_lines(path) if line.strip()), "")
        if '"ents"' in first and '"tokens": [{' in first.replace(":[", ": ["):
            return "spacy"
        return "mnre" if '"token"' in first and '"tokens"' not in first else "jsonl"
    known = {".csv": "csv", ".json": "label-studio", ".txt": "mnre" if dataset == "mnre" else "conll"}
    if path.suffix not in known:
        raise InputError(f"what {path.name!r} holds is not clear; name its format: {', '.join(SOURCES)}")
    return known[path.suffix]


# ---------------------------------------------------------------- photos


def _with_photos(items: Sequence[Labelled], path: Path, dataset: str, photos: Photos) -> list[Labelled]:
    """The items with the photo they name, else the one that their photo id finds, else none."""
    roots = _roots(path, photos)
    lookup = None
    if photos.folder is not None or photos.pairs is not None:
        from mmdemo.photo.image import photo_lookup  # here: torch takes seconds

        lookup = photo_lookup(photos.folder, photos.pairs, dataset, photos.split)
    found = []
    for item in items:
        image: ImageSource = _named(item.post.image, roots, str(path)) if item.post.image else None
        if image is None and lookup is not None:
            image = lookup(item.post.image_id)
        found.append(replace(item, post=replace(item.post, image=image)))
    return found


def _roots(path: Path, photos: Photos) -> tuple[Path, ...]:
    folders = [path if path.is_dir() else path.parent, *photos.trusted]
    return tuple(folder.resolve() for folder in ([photos.folder] if photos.folder else []) + folders)


def _named(name: ImageSource, roots: Sequence[Path], where: str) -> Path:
    """The photo that a file names: an existing one in ``roots``, or one that is missing there."""
    try:
        paths = [(root / str(name)).resolve() for root in roots]
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{where} names a photo {str(name)[:80]!r}, which is no path") from error
    inside = [path for path in paths if any(path.is_relative_to(root) for root in roots)]
    if not inside:
        raise InputError(f"{where} names a photo outside its folders: {str(name)[:80]!r}")
    return next((path for path in inside if is_file(path)), inside[0])


def is_file(path: Path) -> bool:
    """Whether there is such a file; not where the name is longer than any may be, nor in a closed folder."""
    try:
        return path.is_file()
    except OSError:
        return False


# ---------------------------------------------------------------- texts that are not split yet


def post_of(text: str, dataset: str, where: str, ref: str, image: Path | None) -> Labelled:
    """A post from a text as a person wrote it; for mnre with [E1]…[/E1] and [E2]…[/E2].

    Raises:
        InputError: no words, or marks that do not fit the dataset.
    """
    check_text(text, where)
    try:
        if dataset == "mnre":
            words, pair = read_marks(text, dataset)
        elif has_marks(text):
            raise InputError("[E1]/[E2] marks ask for a relation; import it into a queue for mnre")
        else:
            words, pair = split_words(text, dataset), None
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    if not words:
        raise InputError(f"{where} has a text without words")
    photo_id = image.stem if image else None
    post = Post(text=text, tokens=tuple(words), image=image, pair=pair, id=ref, image_id=photo_id)
    return Labelled(post=post, answer=None)


def _csv(path: Path, dataset: str, photos: Photos) -> list[Labelled]:
    """Rows with the columns ``text`` and perhaps ``image`` (a path) and ``id`` (else the row's number)."""
    text = "\n".join(line for _, line in read_lines(path))
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    roots = _roots(path, photos)
    items = []
    csv.field_size_limit(MAX_FIELD)
    try:
        if "text" not in (rows.fieldnames or ()):
            raise InputError(f"{path} line 1 must name the columns text and, if there are photos, image")
        for number, row in enumerate(rows, 1):
            where = f"{path} line {rows.line_num}"
            name = row.get("image")
            image = _named(name, roots, where) if name else None
            ref = row.get("id") or f"{path.stem}:{number}"
            items.append(post_of(row["text"] or "", dataset, where, ref, image))
    except csv.Error as error:
        raise InputError(f"{path} line {rows.line_num} is not readable csv: {error}") from error
    return items


def _folder(path: Path, dataset: str) -> list[Labelled]:
    """Photos with a text file of the same name beside them; a photo without one is left out."""
    if not path.is_dir():
        raise InputError(f"{path} is not a folder")
    photos = {file.stem: file for file in sorted(path.iterdir()) if file.suffix.lower() in SUFFIXES}
    items = []
    for file in sorted(path.glob("*.txt")):
        text = "\n".join(line for _, line in read_lines(file)).strip()
        items.append(post_of(text, dataset, str(file), file.stem, photos.get(file.stem)))
    if not items:
        raise InputError(f"{path} has no .txt file beside its photos")
    return items

"""The photos that the posts of people's files have: found by name, link or id, and told where they are not.

A file may come from a stranger. A photo that it names must lie in a folder that the person gave (or in the
file's own): no file can make this program show another one of the machine's. A link is kept as the photo's
id, and nobody follows it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mmdemo.datasets.schema import SPLITS, Dataset
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.text.archive import is_archive, unpack
from mmdemo.photo.lookup import PhotoLookup, is_file, photo_folders, photo_lookup, photos_below, photos_in
from mmdemo.photo.names import file_name, is_link
from mmdemo.types import InputError, Post, Question, quoted

#: Photos named in one note.
NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Photos:
    """Where photos may lie. ``folder`` has ``<photo id>.jpg`` files, or the layout that the dataset's record
    names; `unpacked` takes an archive of such too; ``pairs`` is a csv of stand-ins (data/README). ``trusted``
    folders hold photos that files may name. ``descriptions`` is a file of what the photos show
    (`mmdemo.formats.descriptions`). ``more`` are folders that lay with the file itself, in an archive or a
    folder of several (`mmdemo.formats.given.gathering`).
    """

    folder: Path | None = None
    pairs: Path | None = None
    split: str = "train"
    trusted: tuple[Path, ...] = ()
    descriptions: Path | None = None
    more: tuple[Path, ...] = ()

    @property
    def given(self) -> bool:
        """Whether the person said where photos lie."""
        return self.folder is not None or self.pairs is not None or bool(self.more)

    def unpacked(self, scratch: Path) -> "Photos":
        """The same with an archive of photos written below ``scratch``.

        Raises:
            InputError: it is damaged, or goes beyond its bounds.
        """
        if self.folder is None or not is_archive(self.folder):
            return self
        unpack(self.folder, scratch / "photos")
        return replace(self, folder=scratch / "photos")


@dataclass(kw_only=True)
class Sought:
    """What became of the photos that posts name, over one or several files.

    ``missing`` has the names that were not found, each once; ``links`` counts those of them that are links;
    ``used`` are the files that posts got. ``given`` and ``there`` tell of the folder of photos.
    """

    named: int = 0
    found: int = 0
    links: int = 0
    missing: dict[str, None] = field(default_factory=dict)
    used: set[Path] = field(default_factory=set)
    given: bool = False
    there: int = 0

    def notes(self) -> tuple[str, ...]:
        """What a person should know of it, in sentences; nothing where every photo was found."""
        lines = list[str]()
        if missing := list(self.missing):
            names = ", ".join(quoted(name) for name in missing[:NAMED])
            more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
            lines.append(f"photos: {self.found:,} of {self.named:,} found; not found: {names}{more}")
            if self.links:
                lines.append(f"photos: {self.links:,} of those are links, which are kept and not fetched")
            if not self.given:
                lines.append("photos: no folder of photos was given")
        spare = self.there - len(self.used)
        if self.given and spare > 0 and (self.missing or not self.used):
            lines.append(f"photos: {spare:,} of {self.there:,} in the folder belong to no post of the file")
        return tuple(lines)


def with_found_photos(
    rows: Sequence[Question], path: Path, dataset: Dataset | None, photos: Photos, sought: Sought
) -> list[Question]:
    """The rows with the photo they name, else the one that their photo id finds, else none.

    Raises:
        InputError: a row names a photo outside its folders, or the folder of photos cannot be used.
    """
    return list(found_photos(rows, path, dataset, photos, sought, LeftOut()))


def found_photos(
    rows: Iterable[Question],
    path: Path,
    dataset: Dataset | None,
    photos: Photos,
    sought: Sought,
    left: LeftOut,
) -> Iterator[Question]:
    """As `with_found_photos`, a row at a time; one that names a photo elsewhere is a damaged one."""
    places = _Places(path, dataset, photos)
    sought.given = sought.given or photos.given
    sought.there = max(sought.there, len({**places.lookup.paths, **places.more.paths}))

    def found(row: Question) -> Question:
        post = places.found(row.post)
        _note(sought, row.post, post)
        return row if post is row.post else replace(row, post=post)

    yield from left.each(rows, found)


def _note(sought: Sought, before: Post, after: Post) -> None:
    name = after.image_id or (str(before.image) if before.image else None)
    if name is None:
        return
    sought.named += 1
    if after.image is not None:
        sought.found += 1
        sought.used.add(Path(str(after.image)))
    elif name not in sought.missing:
        sought.missing[name] = None
        sought.links += is_link(name)


class _Places:
    """Where the photos of one file's posts may lie."""

    def __init__(self, path: Path, dataset: Dataset | None, photos: Photos) -> None:
        self.where = str(path)
        own = path if path.is_dir() else path.parent
        folders = [*([photos.folder] if photos.folder else []), own, *photos.trusted, *photos.more]
        self.roots = tuple(folder.resolve() for folder in folders)
        self.lookup = PhotoLookup()
        self.more = photos_in(photos.more)
        if photos.folder is not None or photos.pairs is not None:
            self.lookup = photo_lookup(photos.folder, photos.pairs, dataset, photos.split)
        if photos.folder and not self.lookup.paths and not _laid_out(photos.folder, dataset):
            self.lookup = photos_below(photos.folder)
        self.listed: dict[Path, PhotoLookup] = {}

    def lying_in(self, folder: Path) -> PhotoLookup:
        """The photos right in a folder; listed only where a name does not lead to a file."""
        if folder not in self.listed:
            self.listed[folder] = photos_in([folder] if folder.is_dir() else [])
        return self.listed[folder]

    def found(self, post: Post) -> Post:
        """The post with its photo's path, or without one; a link that leads to none here is its photo id."""
        if not post.image:
            image = self.lookup(post.image_id) or self.more(post.image_id)
            return post if image is None else replace(post, image=image)
        name = _link(str(post.image))
        image = self.named(name) or self.lookup(post.image_id) or self.more(post.image_id)
        if image is None and is_link(name):
            known = post.image_id not in (None, Path(name).stem)  # else it was made of the link
            return replace(post, image=None, image_id=post.image_id if known else name)
        return replace(post, image=image)

    def named(self, name: str) -> Path | None:
        """The photo that a file names, which lies in one of its folders.

        Raises:
            InputError: the name leads out of them, and none of their photos is called so.
        """
        inside = [] if is_link(name) else self._inside(name)
        there = next((path for path in inside if is_file(path)), None)
        folders = dict.fromkeys([*(path.parent for path in inside), *self.roots])
        spelt = (self.lying_in(folder)(file_name(name)) for folder in folders)
        there = there or next((path for path in spelt if path is not None), None)
        there = there or self.lookup(file_name(name))
        if there is None and not inside and not is_link(name):
            raise InputError(f"{self.where} names a photo outside its folders: {quoted(name)}")
        return there

    def _inside(self, name: str) -> list[Path]:
        names = dict.fromkeys((name, name.replace("\\", "/")))
        try:
            paths = [(root / one).resolve() for root in self.roots for one in names]
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise InputError(f"{self.where} names a photo {quoted(name)}, which is no path") from error
        return [path for path in paths if any(path.is_relative_to(root) for root in self.roots)]


def _laid_out(folder: Path, dataset: Dataset | None) -> bool:
    """Whether a folder has the layout of a dataset's record: then photos of other splits are no post's."""
    patterns = [pattern for pattern in (dataset.files.photos if dataset else ()) if pattern not in ("", ".")]
    return any(photo_folders(folder, patterns, split) for split in SPLITS)


def _link(name: str) -> str:
    """A link as it was: a `Path` of one has lost a slash."""
    scheme, colon, rest = name.partition(":/")
    doubled = f"{scheme}://{rest.lstrip('/')}"
    return doubled if colon and is_link(doubled) else name

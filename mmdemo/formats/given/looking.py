"""A look at what an import would bring, before anything is stored; and the posts themselves, one by one."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.descriptions import Descriptions, read_descriptions, with_descriptions
from mmdemo.formats.format import cut_notes
from mmdemo.formats.given.gathering import Gathered, Source, names_of
from mmdemo.formats.given.photos import Photos, Sought, found_photos
from mmdemo.formats.shared.labels import Fitting, Kind, times
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.types import InputError, Question, quoted

#: A preview reads so many posts at most, for so many seconds.
MOST, SECONDS = 2_000, 2.0
SHOWN = 10
NAMED = 5


@dataclass(frozen=True, kw_only=True)
class LabelSeen:
    """A label as the file has it, how often, and what it becomes: "" is left out, None is not known."""

    kind: Kind
    label: str
    count: int
    becomes: str | None


@dataclass(kw_only=True)
class Look:
    """What was seen. ``complete`` is False where only the first posts were read.

    ``files`` are (name, format, posts). ``with_words`` posts have words of their photo. ``missing`` are names
    of photos that were not found, of which there are ``lost``; ``bare`` posts name none. ``problem`` is why
    nothing can be imported so.
    """

    files: list[tuple[str, str, int]] = field(default_factory=list)
    posts: int = 0
    answered: int = 0
    with_words: int = 0
    people: int = 0
    complete: bool = True
    found: int = 0
    lost: int = 0
    bare: int = 0
    missing: list[str] = field(default_factory=list)
    labels: list[LabelSeen] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: list[Question] = field(default_factory=list)
    problem: str | None = None


def posts_of(
    gathered: Gathered, dataset: Dataset | None, photos: Photos, left: LeftOut, sought: Sought
) -> Iterator[Question]:
    """The posts of all sources with their photos, one after the other.

    Raises:
        InputError: a source cannot be read (where there are others and ``left`` skips: it is told instead).
    """
    photos, told = _surroundings(gathered, photos)
    for source in gathered.sources:
        try:
            rows = source.format.rows(source.path, dataset, left)
            placed = found_photos(rows, source.path, dataset, photos, sought, left)
            yield from _described(placed, told)
        except InputError as error:
            if len(gathered.sources) == 1 or not left.skip:
                raise
            left.note(f"{source.path.name} was not read to its end: {error}")


def _surroundings(gathered: Gathered, photos: Photos) -> tuple[Photos, Descriptions | None]:
    """Where else photos lie, and what is said of them. Raises InputError: the descriptions cannot be read."""
    told = read_descriptions(photos.descriptions) if photos.descriptions else None
    return replace(photos, more=(*photos.more, *gathered.photos)), told


def _described(rows: Iterable[Question], told: Descriptions | None) -> Iterable[Question]:
    return rows if told is None else (with_descriptions([row], told)[0] for row in rows)


def look(
    gathered: Gathered,
    dataset: Dataset,
    photos: Photos,
    left: LeftOut,
    *,
    bounded: bool = True,
    check: Callable[[Question], object] | None = None,
) -> Look:
    """Read what there is, or the start of it, and count. Nothing is raised: `Look.problem` says it.

    ``check`` raises InputError for a post that cannot be taken in: it counts as a damaged row.
    """

    def checked(row: Question) -> Question:
        if check is not None:
            check(row)
        return row

    seen, sought, counts = Look(notes=list(names_of(gathered))), Sought(), Counter[tuple[Kind, str]]()
    became: dict[tuple[Kind, str], str | None] = {}
    end = time.monotonic() + SECONDS if bounded else None
    try:
        photos, told = _surroundings(gathered, photos)
        for source in gathered.sources:
            before = seen.posts
            fitting = Fitting(dataset, left, str(source.path))
            rows = _raw(source, dataset, left, counts)
            fitted = (fitting.question(row) for row in rows)
            placed = found_photos(fitted, source.path, dataset, photos, sought, left)
            for row in left.each(_described(placed, told), checked):
                _count(seen, row)
                if end is not None and (seen.posts >= MOST or time.monotonic() > end):
                    seen.complete = False
                    break
            seen.files.append((source.path.name, source.format.name, seen.posts - before))
            became |= {key: fitting.becomes(*key) for key in counts if key not in became}
            fitting.finish()
            if not seen.complete:
                break
        if not seen.posts:
            raise InputError(left.sentences[0] if left.sentences else "there are no posts")
    except InputError as error:
        seen.problem = str(error)
    seen.labels = [
        LabelSeen(kind=kind, label=label, count=count, becomes=became.get((kind, label)))
        for (kind, label), count in counts.most_common()
    ]
    seen.found, seen.missing = sought.found, list(sought.missing)[:NAMED]
    seen.lost, seen.bare = sought.named - sought.found, seen.posts - sought.named
    seen.notes += [*notes_of(left), *sought.notes()]
    return seen


def _raw(
    source: Source, dataset: Dataset, left: LeftOut, counts: Counter[tuple[Kind, str]]
) -> Iterator[Question]:
    """The rows with the labels as the file has them, counted."""
    for row in source.format.reader(source.path, dataset, left):
        several = [(one.entities, one.relations) for one in row.reviews]
        for entities, relations in several or [(row.post.entities or (), row.post.relations or ())]:
            counts.update(("entity", entity.label) for entity in entities)
            counts.update(("relation", relation.label) for relation in relations)
        yield row


def _count(seen: Look, row: Question) -> None:
    post = row.post
    seen.posts += 1
    seen.answered += post.entities is not None or post.relations is not None
    seen.with_words += bool(post.photo_words)
    seen.people = max(seen.people, len(row.reviews))
    if len(seen.rows) < SHOWN:
        seen.rows.append(row)


def notes_of(left: LeftOut) -> list[str]:
    """What became of a file's rows and labels, in sentences."""
    notes = []
    if left.damaged:
        rows = "1 row" if left.damaged == 1 else f"{left.damaged:,} rows"
        named = "; ".join(left.sentences[:NAMED])
        notes.append(f"{rows} could not be read and were left out: {named}")
    for (old, new), count in left.renamed.items():
        notes.append(f"the label {quoted(old)} was read as {new} ({times(count)})")
    notes += [f"left out: {what} ({times(count)})" for what, count in left.counts.items()]
    notes += [f"{what} ({times(count)})" if count > 1 else what for what, count in left.notes.items()]
    return [*notes, *cut_notes(left.shortened)]

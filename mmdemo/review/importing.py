"""From a person's file, archive or folder into a queue: looked at first, then stored, and told."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from mmdemo.datasets.schema import TASKS, Dataset
from mmdemo.formats.given.gathering import Gathered, gather
from mmdemo.formats.given.looking import Look, look, posts_of
from mmdemo.formats.given.photos import Photos, Sought
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.review.export import apply_corrections
from mmdemo.review.names import check_name, count_posts
from mmdemo.review.records import Changed, Imported
from mmdemo.review.store.arriving.checking import checked
from mmdemo.review.store.arriving.inserting import Row, Use
from mmdemo.review.store.arriving.spool import Spool
from mmdemo.review.store.reviews import Store
from mmdemo.types import InputError, Question, quoted

#: What becomes of a file with damaged rows: the others come in, or nothing does.
BadRows = Literal["skip", "stop"]
BAD_ROWS: tuple[BadRows, ...] = ("skip", "stop")

#: Passes posts on while they are stored, such as a progress bar that knows how many there will be.
Watch = Callable[[Iterable[Row], int], Iterable[Row]]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a person wants of an import. ``source`` is a format's name or ``auto``; ``names`` gives labels of
    the file other names ("" leaves one out)."""

    source: str = "auto"
    names: Mapping[str, str] = field(default_factory=dict)
    bad_rows: BadRows = "skip"
    use: Use = "suggest"

    def left(self) -> LeftOut:
        """How the readers read so, with nothing left out yet."""
        return LeftOut(strict=False, skip=self.bad_rows == "skip", guess=True, names=self.names)


def preview(path: Path, scheme: Dataset, photos: Photos, wish: Wish) -> Look:
    """What an import would bring, by the start of a long file; nothing is stored.

    Raises:
        InputError: there is no such file, or nothing in it that can be read.
    """
    with _gathered(path, wish, scheme, photos) as (found, photos, _):
        return look(found, scheme, photos, wish.left(), check=lambda row: checked(row, scheme, wish.use))


@contextmanager
def _gathered(
    path: Path, wish: Wish, scheme: Dataset, photos: Photos
) -> Iterator[tuple[Gathered, Photos, Path]]:
    """What there is to read, where photos lie, and a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mmdemo-import-") as scratch:
        try:
            found = gather(path, wish.source, Path(scratch), scheme)
            yield found, photos.unpacked(Path(scratch)), Path(scratch)
        except InputError as error:
            raise InputError(str(error).replace(f"{scratch}/", "")) from error


def bring(
    store: Store,
    queue: str,
    path: Path,
    scheme: Dataset,
    photos: Photos,
    wish: Wish,
    *,
    double: bool = False,
    reviewer: str = "import",
    watch: Watch | None = None,
) -> Imported:
    """Add the posts of a file to a queue, which is made where there is none.

    It is read to its end first: what cannot come in is known before the first post is stored.

    Raises:
        InputError: nothing can be read, or (if the person wants that) a row is damaged: nothing was stored.
    """
    with (
        _gathered(path, wish, scheme, photos) as (found, photos, scratch),
        closing(Spool(scratch)) as spool,
    ):
        seen = _kept(found, _rules(store, queue, scheme), photos, wish, spool)
        store.make_queue(queue, scheme, double=double)
        rows = watch(spool.rows(), seen.posts) if watch else spool.rows()
        added = store.add(queue, rows, use=wish.use, reviewer=reviewer)
        notes = seen.notes
        if photos.descriptions:  # one that fits no photo would else go unnoticed
            notes.append(f"words of the photo: {seen.with_words} of {count_posts(seen.posts)}")
        if seen.people > 1 and not double:
            notes.append(
                f"posts have answers of up to {seen.people} people: the last one's was taken; a new queue of "
                "two blind reviews (--double) keeps each as a review"
            )
    return replace(added, warnings=(*added.warnings, *notes))


def _rules(store: Store, queue: str, scheme: Dataset) -> Dataset:
    """A queue's own scheme where it has the same labels: what may join what is as it says."""
    name = check_name(queue, "queue")
    own = (one.scheme for one in store.queues() if one.name == name)
    return next(
        (one for one in own if all(one.outputs(task) == scheme.outputs(task) for task in TASKS)), scheme
    )


def _kept(found: Gathered, scheme: Dataset, photos: Photos, wish: Wish, spool: Spool) -> Look:
    """Read all there is, and keep what can be imported. Raises InputError: nothing can, or not kept."""

    def keep(row: Question) -> None:
        spool.add(checked(row, scheme, wish.use))

    try:
        seen = look(found, scheme, photos, wish.left(), bounded=False, check=keep)
        spool.flush()
    except OSError as error:
        place, why = tempfile.gettempdir(), error.strerror or error
        raise InputError(f"the posts cannot be kept in {place} until they are stored: {why}") from error
    if seen.problem:
        raise InputError(seen.problem)
    return seen


def correct(
    store: Store, queue: str, path: Path, scheme: Dataset, photos: Photos, wish: Wish, reviewer: str
) -> Changed:
    """Take a corrected export in. Raises InputError as `bring`."""
    with _gathered(path, wish, scheme, photos) as (found, photos, _):
        items = list(posts_of(found, scheme, photos, wish.left(), Sought()))
    return apply_corrections(store, queue, items, reviewer)


def look_row(seen: Look) -> dict[str, Any]:
    """The JSON object of a preview."""
    return {
        "files": [{"name": name, "format": form, "posts": count} for name, form, count in seen.files],
        "posts": seen.posts,
        "answered": seen.answered,
        "complete": seen.complete,
        "photos": {
            "found": seen.found,
            "not_found": seen.lost,
            "none_named": seen.bare,
            "missing": seen.missing,
        },
        "labels": [
            {"kind": one.kind, "label": one.label, "count": one.count, "becomes": one.becomes}
            for one in seen.labels
        ],
        "notes": seen.notes,
        "problem": seen.problem,
        "rows": [
            {
                "id": row.post.id,
                "text": row.post.text or " ".join(row.post.tokens),
                "photo": None if row.post.image is None else Path(str(row.post.image)).name,
                "entities": [[e.label, e.text] for e in row.post.entities or ()],
                "relations": [
                    [said(row, r.head), r.label, said(row, r.tail)] for r in row.post.relations or ()
                ],
            }
            for row in seen.rows
        ],
    }


def said(row: Question, span: tuple[int, int]) -> str:
    """The words of a span."""
    return " ".join(row.post.tokens[span[0] : span[1]])


def look_lines(seen: Look) -> list[str]:
    """A preview for people, a line each."""
    more = "" if seen.complete else " (the first ones of a longer file)"
    lines = [f"{name}: {count:,} posts, {form}" for name, form, count in seen.files]
    lines.append(f"posts: {seen.posts:,}{more}, {seen.answered:,} with answers")
    lines.append(f"photos: {seen.found:,} found, {seen.lost:,} not found, {seen.bare:,} posts name none")
    if seen.missing:
        lines.append(f"photos not found: {', '.join(quoted(name) for name in seen.missing)}")
    for one in seen.labels:
        end = {"": "left out", None: "not known: say what it is by --map"}
        becomes = end.get(one.becomes, "" if one.becomes == one.label else f"read as {one.becomes}")
        lines.append(f"{one.kind} label {one.label}: {one.count:,}{f', {becomes}' if becomes else ''}")
    lines += [f"note: {note}" for note in seen.notes]
    for row in look_row(seen)["rows"]:
        marks = [f"{label} {text!r}" for label, text in row["entities"]]
        marks += [f"{head!r} {label} {tail!r}" for head, label, tail in row["relations"]]
        photo = f" [{row['photo']}]" if row["photo"] else ""
        lines.append(f"  {row['id'] or '-'}: {row['text'][:100]!r}{photo} {', '.join(marks)}")
    return [*lines, f"cannot be imported so: {seen.problem}"] if seen.problem else lines

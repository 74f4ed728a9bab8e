"""What a file format is: how posts are read from it and written to it, and what it cannot hold."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.shared.labels import fit_labels, times
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.types import Entity, InputError, Question, Relation, quoted

log = logging.getLogger(__name__)

#: A reader may give its rows one after the other, so that a long file needs little memory.
Reader = Callable[[Path, Dataset | None, LeftOut], Iterable[Question]]
Writer = Callable[[Path, Sequence[Question], Dataset], None]


def own_id(row: Question) -> str | None:
    """The post's own id, which most formats keep."""
    return row.post.id


def holds_all(row: Question) -> str | None:
    """The problem of a format that has none."""
    return None


def cut_notes(shortened: Counter[str]) -> list[str]:
    """What was cut short, as notes for a person."""
    return [f"cut short: {what} ({times(count)})" for what, count in shortened.items()]


def _scored(stated: Sequence[Entity | Relation] | None) -> bool:
    return any(item.score is not None for item in stated or ())


def _posts(count: int) -> str:
    return "1 post" if count == 1 else f"{count:,} posts"


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of files, or, where ``suffix`` is "", of folders.

    ``title`` and ``holds`` are for people. ``reader`` gives the labels as they are in the file; `read` then
    holds them against a dataset. ``writer`` is None for a format that is only read. ``problem`` says why a
    row cannot be written, or None. ``name_of`` is what the file calls a post, which must be unique in it but
    where it is ``ordered``: posts then come back in their places. ``entities``, ``relations`` and ``nested``
    (entities that share words) say what it has room for; `shared.reducing` leaves out the rest where a person
    asks for that. ``text``, ``photo_id``, ``photo_words``, ``scores`` (of entities), ``relation_scores``,
    ``annotators`` (who decided last, and when) and ``decided`` (all of `Decided`) say whether those come
    back; a post is always written without what its format cannot hold of them (`lacking`). ``looks_like``
    tells from the path and its first line that is not blank ("" for a folder) whether a file is most likely
    of this format.
    """

    name: str
    title: str
    suffix: str
    holds: str
    reader: Reader
    looks_like: Callable[[Path, str], bool]
    writer: Writer | None = None
    problem: Callable[[Question], str | None] = holds_all
    name_of: Callable[[Question], str | None] = own_id
    ordered: bool = False
    entities: bool = True
    relations: bool = True
    nested: bool = True
    text: bool = False
    scores: bool = False
    relation_scores: bool = False
    annotators: bool = False
    decided: bool = False
    photo_id: bool = False
    photo_words: bool = False

    def read(
        self,
        path: Path,
        dataset: Dataset | None = None,
        left_out: Counter[str] | None = None,
        shortened: Counter[str] | None = None,
    ) -> list[Question]:
        """The rows of a file: each a post, what is stated of it, and what is asked.

        A photo is as the file names it: a path, relative to the file's folder, that nobody has checked.

        Args:
            dataset: whose labels may occur, under the names that its ``label_map`` gives them; None: any.
            left_out: where given, what a `Post` cannot hold is left out and counted here, by what it is.
            shortened: where given, what was cut short is counted here, by what it is; else it is logged.

        Raises:
            InputError: the file cannot be read, has an unknown label, or (without ``left_out``) holds what a
                `Post` cannot.
        """
        left = LeftOut(strict=left_out is None)
        rows = list(self.rows(path, dataset, left))
        if left_out is not None:
            left_out.update(left.counts)
        if shortened is not None:
            shortened.update(left.shortened)
        else:
            for note in cut_notes(left.shortened):
                log.warning("%s: %s", Path(path).name, note)
        return rows

    def rows(self, path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
        """As `read`, a row at a time; ``left`` says how, and is told what became of it.

        Raises:
            InputError: as `read`; unless ``left`` skips damaged rows, and some are not.
        """
        some = False
        for row in fit_labels(self.reader(Path(path), dataset, left), dataset, str(path), left):
            some = True
            yield row
        if not some and left.sentences:
            raise InputError(left.sentences[0])

    def lacking(self, rows: Sequence[Question]) -> tuple[str, ...]:
        """What these rows have and the format does not hold, in sentences; they are written without it."""
        missing = {
            "the words of photos": not self.photo_words and [bool(row.post.photo_words) for row in rows],
            "who decided": not (self.decided or self.annotators) and [bool(row.decided) for row in rows],
            "verdicts, and on which cell's answer": self.annotators
            and not self.decided
            and [bool(row.decided) for row in rows],
            "scores": not self.scores
            and [_scored((*(row.post.entities or ()), *(row.post.relations or ()))) for row in rows],
            "scores of relations": self.scores
            and not self.relation_scores
            and [_scored(row.post.relations) for row in rows],
        }
        return tuple(
            f"{self.title} does not hold {what}: {_posts(sum(having))} written without"
            for what, having in missing.items()
            if having and any(having)
        )

    def write(self, path: Path, rows: Sequence[Question], dataset: Dataset) -> None:
        """Write rows; a file that is there is replaced, a folder must be new or empty.

        Raises:
            InputError: the format is only read, a row does not fit it, or the file cannot be written.
        """
        if self.writer is None:
            raise InputError(f"files of the format {quoted(self.name)} are only read")
        self.writer(Path(path), rows, dataset)

"""The runs of a backup: which of two lines about one post is the later one, whatever clocks said.

Each run writes ``reviews-<number>-<uuid>.jsonl`` and beside it, as ``….read.json``, how many lines of every
earlier run's file it had read when it began: those it has superseded with what it writes of the same posts.
Lines that neither run had read of the other (two ran at once, or wrote before runs were numbered) go by the
time of their latest event.
"""

import json
import logging
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

_NUMBERED = re.compile(r"reviews-(\d{6})-[\w-]+\.jsonl")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a run's file: the post as it stood then. ``at`` is the time of its latest event."""

    queue: str
    post: str
    at: str
    row: dict[str, Any]
    file: str
    place: int  # from 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run's file, its number (0: before runs were numbered), and how many lines of others it had read."""

    file: Path
    number: int
    read: dict[str, int]


def runs_of(folder: Path) -> list[Run]:
    """The runs of a backup's folder, oldest first."""
    found = []
    for file in folder.glob("reviews-*.jsonl"):
        numbered = _NUMBERED.fullmatch(file.name)
        found.append(Run(file=file, number=int(numbered[1]) if numbered else 0, read=_read(file)))
    return sorted(found, key=lambda run: (run.number, run.file.name))


def next_run(runs: list[Run], folder: Path) -> Path:
    """The file of a new run in ``folder``, which has read all lines of these; beside it, that it has."""
    number = max((run.number for run in runs), default=0) + 1
    file = folder / f"reviews-{number:06}-{uuid.uuid4()}.jsonl"
    counts = {run.file.name: run.file.read_bytes().count(b"\n") for run in runs}
    _beside(file).write_text(json.dumps(counts), encoding="utf-8")
    return file


def latest_lines(runs: list[Run]) -> list[Line]:
    """The line of each post that holds, in the order in which the posts were first written."""
    read = {run.file.name: run.read for run in runs}
    held: dict[tuple[str, str], Line] = {}
    for run in runs:
        for line in _lines(run.file):
            other = held.get((line.queue, line.post))
            if other is None or _supersedes(line, other, read):
                held[line.queue, line.post] = line
    return list(held.values())


def _supersedes(line: Line, other: Line, read: dict[str, dict[str, int]]) -> bool:
    """Whether ``line`` is later than ``other``, which stands before it."""
    if line.file == other.file or other.place <= read[line.file].get(other.file, 0):
        return True
    if line.place <= read[other.file].get(line.file, 0):
        return False
    return line.at >= other.at


def _lines(file: Path) -> Iterator[Line]:
    """The lines of one run's file. What is none is passed over: a crash may have cut the last one off."""
    for place, data in enumerate(file.read_bytes().split(b"\n"), 1):
        if not data.strip():
            continue
        try:
            row = json.loads(data.decode("utf-8"))
            queue, post = str(row["queue"]["name"]), str(row["post"]["id"])
            at = max((str(event["at"]) for event in row["events"]), default="")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            kind = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "is none of ours"
            log.warning("%s line %d %s; it is passed over", file.name, place, kind)
            continue
        yield Line(queue=queue, post=post, at=at, row=row, file=file.name, place=place)


def _beside(file: Path) -> Path:
    return file.with_suffix(".read.json")


def _read(file: Path) -> dict[str, int]:
    """What a run's note says that it had read; nothing where there is no such note."""
    try:
        stated = json.loads(_beside(file).read_text(encoding="utf-8"))
        return {str(name): int(count) for name, count in stated.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}

"""A batch job: every post of a file answered into a file of JSON lines that a killed job goes on with.

The output is the job's only state: line n answers row n, and a chunk of lines counts once all are there.
"""

import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from mmdemo.answer.extraction.triples import Row, triples_of
from mmdemo.answer.photo_words import read_all
from mmdemo.batch.answers import answer_rows, answerer, find_photo
from mmdemo.batch.rows import Chunk, chunks_of, read_chunk
from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell
from mmdemo.types import InputError

log = logging.getLogger(__name__)

#: Rows that are sorted by length together, written together, and done again after a kill.
CHUNK = 256


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to answer, by which cell, and where to. Everything in it can be sent to another process.

    ``extract``: entities by ``cell`` and the relations between them by ``relations`` (None: by ``cell`` too).
    """

    cell: Cell
    posts: Path
    images: Path
    output: Path
    relations: Cell | None = None
    extract: bool = False

    @property
    def name(self) -> str:
        """Who answers, as each line says it."""
        return answerer(self.cell, self.relations)


#: How every line of output starts.
START = b'{"id": '

#: Answers chunks in their order: in this process, or on many machines.
Engine = Callable[[Job, Sequence[Chunk]], Iterable[list[str]]]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a job did: rows answered now, rows of an earlier run, errors among all of them."""

    answered: int
    found: int
    errors: int


def run(job: Job, engine: Engine, *, anew: bool = False, chunk: int = CHUNK) -> Report:
    """Answer what is not answered yet.

    Args:
        anew: write the output from the start even if it holds answers.

    Raises:
        InputError: the checkpoint, the input or the output cannot be used, or the output belongs to another
            job; what has been written stays.
    """
    _check_places(job)
    if not anew and _changed_since(job):
        log.warning(
            "%s has changed since %s was written: answers there are kept by id, whatever the post says now; "
            "--anew answers all again",
            job.posts.name,
            job.output.name,
        )
    catalogue.load(job.cell)  # what is wrong with it should be said once, not in each line
    chunks = chunks_of(job.posts, chunk)
    try:
        with job.output.open("ab+") as stream:
            _lock(job, stream)
            if anew and os.fstat(stream.fileno()).st_size:
                stream.truncate(0)
            done, errors = (0, 0) if anew else _go_on(job, stream, chunks)
            found = sum(c.count for c in chunks[:done])
            total = sum(c.count for c in chunks)
            for cell in (job.cell, *([job.relations] if job.relations else [])):
                read_all(cell, _photos(job, chunks[done:]))
            with tqdm(total=total, initial=found, unit=" posts", mininterval=1.0) as progress:
                for lines in engine(job, chunks[done:]):
                    text = "".join(line + "\n" for line in lines)
                    stream.write(text.encode("utf-8", "replace"))
                    stream.flush()
                    errors += sum(is_error(line) for line in lines)
                    progress.update(len(lines))
            os.fsync(stream.fileno())
    except OSError as error:
        raise InputError(f"{job.output} cannot be written: {error.strerror or error}") from error
    return Report(answered=total - found, found=found, errors=errors)


def _photos(job: Job, chunks: Sequence[Chunk]) -> Iterator[Path]:
    """The photos of the rows that are still to be answered; what is wrong with one its answer says."""
    for chunk in chunks:
        for row in read_chunk(job.posts, chunk):
            if row.problem is None and row.image:
                with suppress(InputError):
                    yield find_photo(row.image, job.images)


def answer_chunk(job: Job, chunk: Chunk) -> list[str]:
    """The output lines of one chunk: the same wherever and whenever it is answered."""
    return answer_rows(read_chunk(job.posts, chunk), job.cell, job.images, job.relations, extract=job.extract)


def one_process(job: Job, chunks: Sequence[Chunk]) -> Iterator[list[str]]:
    """The engine that needs nothing else."""
    return (answer_chunk(job, chunk) for chunk in chunks)


def triples_in(output: Path) -> Iterator[Row]:
    """The triples of an output's answers, in their order."""
    with output.open(encoding="utf-8") as lines:
        for line in lines:
            answer = json.loads(line)
            yield from triples_of(answer["id"], answer)


def is_error(line: str) -> bool:
    """Whether an output line says what is wrong instead of answering."""
    return "error" in json.loads(line)


def _lock(job: Job, stream: BinaryIO) -> None:
    """Keep other jobs off the output until it is closed: their lines would fall between this one's."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"another job is writing {job.output}") from error
    except OSError:
        log.warning("%s lies where files cannot be locked: start no second job on it", job.output.name)


def _check_places(job: Job) -> None:
    if not job.images.is_dir():
        raise InputError(f"the image folder {job.images} does not exist")
    if job.output.exists() and job.posts.exists() and job.output.samefile(job.posts):
        raise InputError("the output would overwrite the input; name another file")


def _changed_since(job: Job) -> bool:
    """Whether an output with answers is older than the posts."""
    try:
        output, posts = job.output.stat(), job.posts.stat()
    except OSError:
        return False
    return output.st_size > 0 and posts.st_mtime_ns > output.st_mtime_ns


def _go_on(job: Job, stream: BinaryIO, chunks: Sequence[Chunk]) -> tuple[int, int]:
    """(chunks, errors) of an output whose lines are this job's; cuts an unfinished chunk off."""
    stream.seek(0)
    done, errors, place = 0, 0, 0
    for chunk in chunks:
        lines = [line for _ in range(chunk.count) if (line := stream.readline())]
        if not lines:
            break
        fragment = b"" if lines[-1].endswith(b"\n") else lines.pop()
        if not fragment.startswith(START[: len(fragment)]):
            raise _foreign(job)
        found = [
            _check_line(job, line, row.id)
            for line, row in zip(lines, read_chunk(job.posts, chunk), strict=False)
        ]
        if len(found) < chunk.count:
            break
        done, errors, place = done + 1, errors + sum(found), stream.tell()
    else:
        if stream.read(1):
            raise InputError(f"{job.output} holds more answers than {job.posts} has posts")
    stream.truncate(place)
    stream.seek(0, os.SEEK_END)
    return done, errors


def _check_line(job: Job, line: bytes, row_id: str | int) -> bool:
    """Whether a line of the output is an error; InputError where it answers another job."""
    try:
        answer = json.loads(line)
        ours = answer["id"] == row_id and answer["checkpoint"] == job.name
    except (ValueError, KeyError, TypeError, RecursionError):
        ours = False
    if not ours:
        raise _foreign(job)
    return "error" in answer


def _foreign(job: Job) -> InputError:
    return InputError(f"{job.output} holds something else than this job's answers; --anew would replace it")

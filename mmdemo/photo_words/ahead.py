"""Read many photos before anybody waits for them: several processes, into the same folder of readings.

Stopped half-way it goes on where it was, because what was read is kept. Memory stays flat: photos are taken
one by one as they come, and of each only whether it was read comes back.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from mmdemo.photo.names import SUFFIXES
from mmdemo.types import InputError, PhotoSource

if TYPE_CHECKING:  # a process imports it when it begins, with the threads that it may have
    from mmdemo.photo_words.reader import PhotoReader

#: A process's own reader, made by `_begin`.
_reader: "PhotoReader"

#: Photos that wait for each process; more would only hold names.
WAITING = 4
#: Failed photos that are named; all are counted.
NAMED = 20


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one photo: read now, known already, or what was wrong with it or with a source."""

    was_kept: bool = False
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Ahead:
    """A job's count: photos read, known already, and unreadable; what sources said, each note counted."""

    read: int = 0
    kept: int = 0
    broken: int = 0
    problems: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        if outcome.problem:
            self.broken += 1
            if len(self.problems) < NAMED:
                self.problems.append(outcome.problem)
        elif outcome.was_kept:
            self.kept += 1
        else:
            self.read += 1
        for note in outcome.notes:
            if note in self.notes or len(self.notes) < NAMED:
                self.notes[note] = self.notes.get(note, 0) + 1


def photos_in(folder: Path) -> Iterator[Path]:
    """The photos of a folder and of those below it, by name; links to folders are not followed."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(place, file) for file in sorted(files) if Path(file).suffix.lower() in SUFFIXES)


def read_ahead(
    photos: Iterable[Path],
    folder: Path | None = None,
    sources: Sequence[PhotoSource] | None = None,
    *,
    processes: int | None = None,
    again: bool = False,
    show: bool = True,
) -> Ahead:
    """Read photos into ``folder`` as `PhotoReader` does, those that are known already excepted.

    Args:
        processes: one a core if not said. Each holds the sources' models, 1 GB with what runs them.
        again: read what is known anew.
        show: a progress bar on standard error.

    Raises:
        InputError: a process died, as where memory ran out; what was read is kept.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = max(1, processes or cores)
    threads = max(1, cores // count)
    total = len(photos) if isinstance(photos, Sequence) else None
    done = Ahead()
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),  # a copy of a process with threads may hang
        initializer=_begin,
        initargs=(folder, sources, threads),
    )
    try:
        with tqdm(total=total, desc="photos", disable=None if show else True) as bar:
            for outcome in _outcomes(pool, photos, count * WAITING, again):
                done.add(outcome)
                bar.update()
    except BrokenProcessPool as error:
        raise InputError(
            f"a process that reads photos died after {done.read + done.kept} photos, perhaps for want of "
            "memory; what was read is kept: run it again, with fewer processes"
        ) from error
    except KeyboardInterrupt:  # what was read is kept, and one that still begins would take long to end
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return done


def _outcomes(
    pool: ProcessPoolExecutor, photos: Iterable[Path], waiting: int, again: bool
) -> Iterator[Outcome]:
    """Each photo's outcome as it comes; never more than ``waiting`` are handed out."""
    names = (str(photo) for photo in photos)
    with _deaf():
        pending: set[Future[Outcome]] = {
            pool.submit(_read_one, name, again) for name in islice(names, waiting)
        }
    while pending:
        finished, pending = wait(pending, return_when=FIRST_COMPLETED)
        pending |= {pool.submit(_read_one, name, again) for name in islice(names, len(finished))}
        yield from (future.result() for future in finished)


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that begin in here do not hear Ctrl-C: the one that starts them decides when to stop."""
    if threading.current_thread() is not threading.main_thread():  # where nobody may say what is heard
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# ---------------------------------------------------------------- in each process


def _begin(folder: Path | None, sources: Sequence[PhotoSource] | None, threads: int) -> None:
    """Make this process's reader, and be deaf to Ctrl-C (`_deaf`)."""
    global _reader
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    from mmdemo.photo_words.ocr import ocr_source
    from mmdemo.photo_words.reader import MAKERS, PhotoReader

    torch.set_num_threads(threads)
    _reader = PhotoReader(folder, sources, makers={**MAKERS, "ocr": lambda: ocr_source(threads)})


def _read_one(photo: str, again: bool) -> Outcome:
    try:
        known = None if again else _reader.kept(photo)
        if known is not None and not known.unread:
            return Outcome(was_kept=True)
        return Outcome(notes=_reader.read(photo, again=again).notes)
    except InputError as error:
        return Outcome(problem=str(error))

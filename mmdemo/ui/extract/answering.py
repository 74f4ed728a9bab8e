"""Answers with progress, which their reader may stop: a post of 40 entities has 1,560 pairs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from queue import SimpleQueue

from mmdemo.answer import extract as extracting
from mmdemo.answer.extraction.defaults import CellPair
from mmdemo.answer.extraction.records import Extraction
from mmdemo.types import Entity, Question
from mmdemo.ui.serve.lanes import MODEL

#: Seconds between two signs of progress.
EVERY = 0.25


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How many of how many pairs are answered."""

    done: int
    total: int


class Stops:
    """Who may stop which answer: a visitor the one that they wait for."""

    def __init__(self) -> None:
        self._asked: dict[str, set[threading.Event]] = {}
        self._change = threading.Lock()

    @contextmanager
    def of(self, visitor: str) -> Iterator[threading.Event]:
        """What is set once this visitor wants the answer that is being computed to end."""
        event = threading.Event()
        with self._change:
            self._asked.setdefault(visitor, set()).add(event)
        try:
            yield event
        finally:
            event.set()  # whoever left waits no more
            with self._change:
                self._asked[visitor].discard(event)
                if not self._asked[visitor]:
                    del self._asked[visitor]

    def stop(self, visitor: str) -> None:
        """End what this visitor waits for, with what was found so far."""
        with self._change:
            for event in self._asked.get(visitor, ()):
                event.set()


STOPS = Stops()


def answer(question: Question, cells: CellPair, stated: tuple[Entity, ...] | None = None) -> Extraction:
    """The answer, when it is this question's turn. Raises InputError as `extracting.extract`."""
    with MODEL.take():
        return extracting.extract(
            question, cells.entities, cells.relations, entities=stated, with_none=True, with_words=True
        )


def answers(
    question: Question, cells: CellPair, stated: tuple[Entity, ...] | None, visitor: str
) -> Iterator[Progress | Extraction]:
    """`answer`, with signs of progress before it; ends early where the visitor stops it."""
    told: SimpleQueue[Progress | Extraction | BaseException] = SimpleQueue()

    def work(stop: threading.Event) -> None:
        try:
            with MODEL.take():
                found = extracting.extract(
                    question,
                    cells.entities,
                    cells.relations,
                    entities=stated,
                    with_none=True,
                    with_words=True,
                    progress=lambda done, total: told.put(Progress(done=done, total=total)),
                    should_stop=stop.is_set,
                )
        except BaseException as error:
            told.put(error)
        else:
            told.put(found)

    with STOPS.of(visitor) as stop:
        # In this request's context: a Space's shared GPU is lent to whoever asks.
        threading.Thread(target=copy_context().run, args=(work, stop), daemon=True).start()
        last = 0.0
        while not isinstance(one := told.get(), Extraction):
            if isinstance(one, BaseException):
                raise one
            if one.done < one.total and time.monotonic() - last > EVERY:
                last = time.monotonic()
                yield one
        yield one

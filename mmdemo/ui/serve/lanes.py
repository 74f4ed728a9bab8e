"""Who waits for what: nobody waits for a photo, a database or a queue of posts but those who asked for it.

Handlers run in Gradio's 40 threads. What is slow without a model (opening photos, reading long texts) runs
several at a time; the models' own work takes `MODEL` or `EXPLAIN`, one at a time, because two would only
slow each other. Calls of the Review tab run in threads of their own (`StoreLane`): a database that
somebody holds stops reviewers alone.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import anyio
import anyio.to_thread

#: Names of Gradio's queues: of what predicts, and of what explains, which costs dozens of predictions.
MODEL_QUEUE, EXPLAIN_QUEUE = "model", "explain"
#: Events of one such queue that are read, opened and drawn at a time.
AT_ONCE = 4
IN_MODEL_QUEUE: dict[str, Any] = {"concurrency_id": MODEL_QUEUE, "concurrency_limit": AT_ONCE}
IN_EXPLAIN_QUEUE: dict[str, Any] = {"concurrency_id": EXPLAIN_QUEUE, "concurrency_limit": AT_ONCE}

#: Calls of the Review tab that run at a time; more than connections would only wait for one.
STORE_LANE = 8
#: Seconds that such a call waits for one of those places.
PATIENCE = 5.0


class Turn:
    """A lock that serves those who wait in the order in which they came."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._next = self._served = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        with self._change:
            mine = self._next
            self._next += 1
            self._change.wait_for(lambda: self._served == mine)
        try:
            yield
        finally:
            with self._change:
                self._served += 1
                self._change.notify_all()


#: The turns of one prediction or comparison, and of one explanation.
MODEL, EXPLAIN = Turn(), Turn()


class StoreLane:
    """The threads of the Review tab's calls. Whoever gets no place within `PATIENCE` is told ``busy``."""

    def __init__(self, busy: dict[str, Any]) -> None:
        self._busy = busy
        self._places = anyio.Semaphore(STORE_LANE)
        self._threads = anyio.CapacityLimiter(STORE_LANE)

    def leads(self, call: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
        """The same call, in this lane."""

        @wraps(call)
        async def waiting(*given: Any) -> dict[str, Any]:
            with anyio.move_on_after(PATIENCE) as waited:
                await self._places.acquire()
            if waited.cancelled_caught:
                return self._busy
            try:
                return await anyio.to_thread.run_sync(call, *given, limiter=self._threads)
            finally:
                self._places.release()

        return waiting

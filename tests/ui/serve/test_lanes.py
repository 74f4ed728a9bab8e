"""Nobody waits for a photo, a database or a queue of posts but those who asked for it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from mmdemo.ui.serve import lanes
from mmdemo.ui.serve.lanes import StoreLane, Turn

BUSY = {"ok": False, "problem": "busy"}


def run(main):
    """Run it in a thread of its own: this one may be a browser's, whose loop runs already."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, main).result()


def test_turns_come_in_order_and_a_failure_passes_the_turn_on():
    turn, order, threads = Turn(), [], []

    def work(name):
        with turn.take():
            order.append(name)
            if name == 1:
                raise ValueError

    def quietly(name):
        try:
            work(name)
        except ValueError:
            order.append("failed")

    with turn.take():
        for name in range(4):
            threads.append(threading.Thread(target=quietly, args=(name,)))
            threads[-1].start()
            deadline = time.monotonic() + 30
            while turn._next < name + 2 and time.monotonic() < deadline:
                time.sleep(0.001)
        assert order == []
    for thread in threads:
        thread.join(30)
    assert [name for name in order if name != "failed"] == [0, 1, 2, 3] and "failed" in order


def test_a_full_lane_answers_busy_and_what_runs_is_answered(monkeypatch):
    monkeypatch.setattr(lanes, "PATIENCE", 0.2)
    go_on, running = threading.Event(), threading.Semaphore(0)

    def held(sent):
        running.release()
        assert go_on.wait(60)
        return {"ok": True, "sent": sent}

    call = StoreLane(BUSY).leads(held)
    assert call.__name__ == "held"
    answers = []

    async def ask(number):
        answers.append(await call(number))

    async def main():
        async with anyio.create_task_group() as group:
            for number in range(lanes.STORE_LANE):
                group.start_soon(ask, number)
            for _ in range(lanes.STORE_LANE):
                await anyio.to_thread.run_sync(running.acquire)
            assert await call(99) == BUSY and answers == []
            go_on.set()
        assert await call(100) == {"ok": True, "sent": 100}, "the places are given back"

    run(main)
    assert sorted(answer["sent"] for answer in answers) == list(range(lanes.STORE_LANE))


def test_a_call_that_fails_gives_its_place_back():
    def fails():
        raise RuntimeError("no")

    async def main():
        call = StoreLane(BUSY).leads(fails)
        for _ in range(lanes.STORE_LANE + 1):
            with pytest.raises(RuntimeError):
                await call()

    run(main)

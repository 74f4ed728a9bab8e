"""kill -9 among concurrent decisions: what was acknowledged is there, and the state follows from the log."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from mmdemo.review.store import post_state as fold
from mmdemo.review.store.queue import events_of, select_known
from mmdemo.review.store.reviews import Store
from mmdemo.review.store.rows import known, stored_decision
from tests.review.conftest import TWEETS, tweets

ROOT = Path(__file__).resolve().parents[2]
POSTS, WRITERS, THREADS = 1000, 2, 4

#: Decides the posts of its share and prints a key once `decide` has returned; one process of several.
#: Before the last hundred it waits for ever: on a busy machine, all might be done before the kill.
WRITER = """
import sys, threading
from pathlib import Path
from mmdemo.review.store.engine import Busy
from mmdemo.review.store.reviews import Store

url, photos, share, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
store = Store(url, photos)
print("ready", flush=True)
sys.stdin.readline()

def work(part):
    for key in range(1 + share * threads + part, 1001, 2 * threads):
        if key > 900:
            threading.Event().wait()
        answer = {"entities": [{"start": 0, "end": 2, "label": "PER"}]}
        while True:
            try:
                store.decide("q", key, f"r{share}-{part}", answer, version=0)
                break
            except Busy:  # eight writers on a busy machine: nothing was acknowledged
                pass
        sys.stdout.write(f"{key}\\n")
        sys.stdout.flush()

running = [threading.Thread(target=work, args=(part,)) for part in range(threads)]
[thread.start() for thread in running]
[thread.join() for thread in running]
"""


def test_no_acknowledged_decision_is_lost(store: Store, url: str, tmp_path: Path) -> None:
    store.make_queue("q", TWEETS)
    store.add("q", tweets(POSTS))
    command = [sys.executable, "-c", WRITER, url, str(tmp_path)]
    writers = [
        subprocess.Popen(
            [*command, str(share), str(THREADS)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for share in range(WRITERS)
    ]
    for writer in writers:
        assert writer.stdout and writer.stdin and writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert writers[0].stdout
    acknowledged = [writers[0].stdout.readline() for _ in range(100)]
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
    for writer in writers:
        assert writer.stdout and writer.stdin
        # Lines in the pipe were acknowledged too; the last may be cut.
        acknowledged += [line for line in writer.stdout if line.endswith("\n")]
        writer.stdin.close()
        writer.stdout.close()
        writer.wait()

    store.close()
    again = Store(url, tmp_path)
    keys = {int(line) for line in acknowledged}
    done = {review.key for review in again.decided("q")}
    assert 100 <= len(keys) <= len(done) < POSTS, "the writers were to be killed in the middle"
    assert keys <= done
    check_state(again)
    key = min(set(range(1, POSTS + 1)) - done)
    assert again.decide("q", key, "Ann", {}, version=0).status == "corrected", "and work goes on"
    again.close()


def check_state(store: Store) -> None:
    """The cached state of every post is what its events say, and SQLite finds its file whole."""
    with store.engine.connect() as connection:
        if store.engine.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
        for row in connection.execute(select_known()).all():
            item = known(row, store.photos)
            assert replay(list(events_of(connection, row.id)), item.post.tokens) == item.seats


def replay(rows: list, tokens: tuple[str, ...]) -> dict[str, fold.Seat]:

    seats: dict[str, fold.Seat] = {}
    for row in rows:
        step = fold.Step(
            number=row["id"],
            kind=row["kind"],
            seat=row["seat"],
            after=stored_decision(json.loads(row["after"]) if row["after"] else None, tokens),
            target=row["target"],
            parent=row["parent"],
        )
        seats = fold.apply(seats, step)
    return seats


def test_the_state_follows_from_the_log_after_undo_and_redo_too(store: Store) -> None:
    store.make_queue("q", TWEETS)
    store.add("q", tweets(2))
    for version, who in enumerate(("Ann", "Bob", "Ann")):
        person = {"start": 0, "end": version + 1, "label": "PER"}
        store.decide("q", 1, who, {"entities": [person]}, version=version)
    for step in (store.undo, store.undo, store.redo, store.undo, store.redo):
        step("q", "Ann")
    store.undo("q", "Bob")
    store.make_queue("d", TWEETS, double=True)
    store.add("d", tweets(1, start=9))
    for who, label in (("Ann", "PER"), ("Bob", "LOC")):
        answer = {"entities": [{"start": 0, "end": 1, "label": label}]}
        store.decide("d", 3, who, answer, version=0)
    store.adjudicate("d", 3, "Cy", {}, version=2)
    store.undo("d", "Cy")
    check_state(store)

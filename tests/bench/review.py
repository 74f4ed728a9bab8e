"""How fast the review's store is, as the Review tab calls it: ``python -m tests.bench.review [--json]``.

Imports posts, asks for pages of the queue in each order, and lets eight reviewers decide at once, each on a
thread of one server process as Gradio has them. A decision counts from the call until it is on the disk.
Measures $MMDEMO_DATABASE_URL where that is set (the database must be empty), else SQLite in a new folder.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mmdemo.datasets.discovery import default_for, reviewed_as
from mmdemo.review.records import ORDERS, Answer, Filter, Suggestion
from mmdemo.review.store.reviews import Store
from mmdemo.types import Ask, Entity, Post, Question
from mmdemo.ui.review.page import row_json

QUEUE = "bench"
SCHEME = reviewed_as(default_for("entities"))
LABEL = SCHEME.entity_labels[0]
ANSWER = {"entities": [{"start": 0, "end": 2, "label": LABEL}], "links": []}
PAGE = 20  # posts of the list, as the tab asks for them


def posts(count: int) -> Iterator[Question]:
    """Posts as long as tweets are."""
    for i in range(count):
        tokens = ("Kevin", "Durant", f"no{i}", *("enters the arena in Oakland tonight with friends".split()))
        yield Question(post=Post(text=" ".join(tokens), tokens=tokens, id=f"p{i}"), ask=Ask())


def suggestion(i: int) -> Suggestion:
    person = Entity(start=0, end=2, label=LABEL, text="Kevin Durant", score=i % 997 / 997)
    return Suggestion(answer=Answer(entities=(person,)), checkpoint="bench", entropy=i % 991 / 991)


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that the work takes."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def review(store: Store, name: str, count: int) -> list[tuple[float, float]]:
    """Milliseconds of each `next` and each `decide` of one reviewer."""
    took = []
    for _ in range(count):
        started = time.perf_counter()
        found = store.next(QUEUE, name, order="entropy")
        assert found is not None
        opened = 1000 * (time.perf_counter() - started)
        started = time.perf_counter()
        store.decide(QUEUE, found.key, name, ANSWER, version=found.version)
        took.append((opened, 1000 * (time.perf_counter() - started)))
    return took


def measure(store: Store, count: int, reviewers: int, decisions: int) -> dict[str, float]:
    """All figures; times in milliseconds, medians unless named otherwise."""
    store.make_queue(QUEUE, SCHEME)
    figures = {"import_s": timed(lambda: store.add(QUEUE, posts(count))) / 1000}
    keys = store.unsuggested(QUEUE, "bench")
    assert len(keys) == count
    pairs = [(key, suggestion(i)) for i, key in enumerate(keys)]
    figures["suggest_s"] = (
        timed(lambda: [store.suggest(pairs[i : i + 500]) for i in range(0, count, 500)]) / 1000
    )

    def page(order: str, offset: int) -> None:
        found = store.page(
            QUEUE, "Ann", order=order, wanted=Filter(statuses=("open",)), offset=offset, limit=PAGE
        )
        json.dumps([row_json(row, "Ann") for row in found.reviews])
        store.progress(QUEUE)

    pages = [
        timed(lambda o=order, at=at: page(o, at)) for order in ORDERS for at in (0, count // 2, count - PAGE)
    ]
    figures |= {"page": statistics.median(pages), "page_worst": max(pages)}
    with ThreadPoolExecutor(reviewers) as pool:
        started = time.perf_counter()
        found = pool.map(lambda i: review(store, f"reviewer {i}", decisions), range(reviewers))
        both = [row for rows in found for row in rows]
        seconds = time.perf_counter() - started
    opened, saved = ([row[i] for row in both] for i in (0, 1))
    assert sum(1 for _ in store.decided(QUEUE)) == reviewers * decisions, "no decision lost or made twice"
    return figures | {
        "next": statistics.median(opened),
        "decision": statistics.median(saved),
        "decision_p95": statistics.quantiles(saved, n=20)[-1],
        "decisions_a_second": len(both) / seconds,
    }


def main() -> None:
    """Measure and print; exit code 1 where a page or a decision is slower than promised."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--reviewers", type=int, default=8)
    parser.add_argument("--decisions", type=int, default=25, help="of each reviewer")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        url = os.environ.get("MMDEMO_DATABASE_URL", f"sqlite:///{scratch}/reviews.sqlite3")
        store = Store(url, Path(scratch) / "photos")
        figures = measure(store, chosen.posts, chosen.reviewers, chosen.decisions)
        store.close()
    if chosen.json:
        print(json.dumps(figures, indent=2))
    else:
        print("\n".join(f"{name:20} {value:9.1f}" for name, value in figures.items()))
    slow = [n for n, most in (("page_worst", 200), ("decision", 50)) if figures[n] > most]
    sys.exit(f"too slow: {', '.join(slow)}" if slow else 0)


if __name__ == "__main__":
    main()

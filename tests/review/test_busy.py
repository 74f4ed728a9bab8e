"""Somebody else holds the database: a call gives up in words after its patience, and changes nothing."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from mmdemo.review.store import engine as store_engine
from mmdemo.review.store.engine import Busy
from mmdemo.review.store.reviews import Store
from tests.review.conftest import TWEETS, tweets


@contextmanager
def held(url: str) -> Iterator[None]:
    """Another program's transaction, which locks all that it can."""
    if url.startswith("sqlite"):
        other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.close()
        return
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection, connection.begin():
        connection.execute(text("LOCK TABLE posts, leases IN ACCESS EXCLUSIVE MODE"))
        yield
    engine.dispose()


def test_a_held_lock_costs_five_seconds_and_no_more(store: Store, url: str) -> None:
    store.make_queue("q", TWEETS)
    store.add("q", tweets(1))
    with held(url):
        started = time.monotonic()
        with pytest.raises(Busy, match="^the reviews are busy; try again$"):
            store.decide("q", 1, "Ann", {}, version=0)
        assert 4 < time.monotonic() - started < 15
    assert store.decide("q", 1, "Ann", {}, version=0).version == 1, "and it goes on"


def test_many_who_wait_at_once_all_hear_it_in_time(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_engine, "PATIENCE", 1.0)
    store.make_queue("q", TWEETS)
    store.add("q", tweets(8))
    heard: list[tuple[float, str]] = []

    def decide(key: int) -> None:
        started = time.monotonic()
        try:
            store.decide("q", key, f"r{key}", {}, version=0)
        except Busy as error:
            heard.append((time.monotonic() - started, str(error)))

    with held(url):
        threads = [threading.Thread(target=decide, args=(key,)) for key in range(1, 9)]
        for thread in threads:
            thread.start()
            time.sleep(0.2)  # they come one after another, as people do
        for thread in threads:
            thread.join(60)
    assert len(heard) == 8
    if url.startswith("sqlite"):  # the server's own patience was set when it was opened
        assert max(seconds for seconds, _ in heard) < 5
    assert [store.decide("q", key, f"r{key}", {}, version=0).version for key in range(1, 9)] == [1] * 8


def test_a_reader_who_is_locked_out_hears_it_too(template: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(store_engine, "PATIENCE", 0.5)
    path = tmp_path / "reviews.sqlite3"
    path.write_bytes(template.read_bytes())
    store = Store(f"sqlite:///{path}", tmp_path)
    store.make_queue("q", TWEETS)
    store.close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("INSERT INTO queues (name, dataset, double) VALUES ('r', 'mnre', 0)")
    other.execute("COMMIT")
    try:
        with pytest.raises(Busy):
            store.queues()
    finally:
        other.close()
        store.close()

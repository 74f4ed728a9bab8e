"""A database that fails is a sentence without its password, when it is opened and at any time later."""

import shutil
import sqlite3
import threading

import psycopg
import pytest
from sqlalchemy import text

from mmdemo.review.store import engine as store_engine
from mmdemo.review.store.reviews import Store, open_store
from mmdemo.types import InputError
from tests.review.conftest import TWEETS

SECRET = "hunter22"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}@host:notaport/db",
        f"postgresql://ann:{SECRET}@[::1/db",
        f"postgresql://ann:x/{SECRET}@host/db",
        f"postgresql://ann:x@{SECRET}@nohost.invalid/db",
        f"sqlite://ann:{SECRET}@h:9/x",
        f"nope://ann:{SECRET}@h/d",
        f"postgresql://ann:{SECRET}@127.0.0.1:1/db?{SECRET}=1",
        f"://{SECRET}",
    ],
)
def test_a_url_that_cannot_be_used_is_a_sentence_without_the_password(url):
    with pytest.raises(InputError, match="database|PostgreSQL") as caught:
        open_store(url)
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)


def test_a_server_that_is_asked_in_vain_is_a_sentence(monkeypatch):
    def refuse(*_, **__):
        raise psycopg.OperationalError(f"connection failed for ann:{SECRET}\nand more")

    monkeypatch.setattr(psycopg, "connect", refuse)
    monkeypatch.setattr(psycopg.Connection, "connect", refuse)
    with pytest.raises(InputError, match="cannot be opened: connection failed") as caught:
        open_store(f"postgresql://ann:{SECRET}@127.0.0.1:5432/db")
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)


def test_connections_to_a_server_are_tried_before_they_are_used(monkeypatch):
    asked = {}

    def make(url, **options):
        asked.update(options)
        raise ModuleNotFoundError

    monkeypatch.setattr(store_engine, "create_engine", make)
    with pytest.raises(InputError, match="needs its driver"):
        open_store("postgresql://ann@127.0.0.1/db")
    assert asked["pool_pre_ping"] is True


def test_a_database_that_is_held_says_that_it_is_busy(template, tmp_path, monkeypatch):
    monkeypatch.setattr(store_engine, "PATIENCE", 0.1)
    file = tmp_path / "reviews.sqlite3"
    shutil.copy(template, file)
    store = Store(f"sqlite:///{file}", tmp_path / "photos")
    holder = sqlite3.connect(file, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(InputError, match="the reviews are busy; try again"):
            store.make_queue("may", TWEETS)
    finally:
        holder.close()
    store.make_queue("may", TWEETS)
    store.close()


def test_all_who_wait_for_a_database_that_is_held_are_told(template, tmp_path, monkeypatch):
    monkeypatch.setattr(store_engine, "PATIENCE", 0.1)
    file, told = tmp_path / "reviews.sqlite3", []
    shutil.copy(template, file)
    store = Store(f"sqlite:///{file}", tmp_path / "photos")
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    def make(name: str) -> None:
        try:
            store.make_queue(name, TWEETS)
        except InputError as error:
            told.append(str(error))

    threads = [threading.Thread(target=make, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    holder.close()
    store.close()
    assert told == ["the reviews are busy; try again"] * 3


def test_a_file_that_is_damaged_later_is_a_sentence(template, tmp_path):
    file = tmp_path / "reviews.sqlite3"
    shutil.copy(template, file)
    store = Store(f"sqlite:///{file}", tmp_path / "photos")
    store.engine.dispose()
    for path in tmp_path.glob("reviews.sqlite3-*"):
        path.unlink()
    file.write_bytes(b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(InputError, match="the database of reviews cannot be used"):
        store.queues()
    store.close()


def test_a_mistake_of_ours_stays_an_error_of_the_program(template, tmp_path):
    file = tmp_path / "reviews.sqlite3"
    shutil.copy(template, file)
    store = Store(f"sqlite:///{file}", tmp_path / "photos")
    with pytest.raises(Exception, match="UNIQUE") as caught, store.engine.begin() as connection:
        row = "INSERT INTO queues (name, dataset, double) VALUES ('a', 'mnre', 0)"
        connection.execute(text(row))
        connection.execute(text(row))
    assert not isinstance(caught.value, InputError)
    store.close()

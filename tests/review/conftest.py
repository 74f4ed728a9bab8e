"""A store of reviews on SQLite, and on PostgreSQL where $MMDEMO_TEST_DATABASE_URL names a server."""

import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from mmdemo.datasets.discovery import find_dataset, reviewed_as
from mmdemo.review.records import Answer
from mmdemo.review.store.reviews import Store
from mmdemo.types import Ask, Pair, Post, Question

#: Labels of queues: of tweets, with the relations that a reviewer may add; of others; of pairs.
TWEETS = reviewed_as(find_dataset("twitter2017"))
OTHERS = reviewed_as(find_dataset("twitter2015"))
PAIRS = find_dataset("mnre")

#: The migrated database that each test's is a copy of; two runs may share a server.
TEMPLATE = f"mmdemo_template_{os.getpid()}"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite store, to be copied: running the migrations for every test would take longer."""
    path = tmp_path_factory.mktemp("template") / "reviews.sqlite3"
    Store(f"sqlite:///{path}", path.parent).close()
    return path


@pytest.fixture(scope="session")
def server() -> Iterator[Engine]:
    """The PostgreSQL server, with an empty store in the database `TEMPLATE`."""
    address = os.environ.get("MMDEMO_TEST_DATABASE_URL")
    if not address:
        pytest.skip("MMDEMO_TEST_DATABASE_URL names no PostgreSQL server (.ci/postgres starts one)")
    engine = create_engine(
        make_url(address).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    _run(engine, f"CREATE DATABASE {TEMPLATE}")
    Store(_url(engine, TEMPLATE), Path()).close()
    yield engine
    _run(engine, f"DROP DATABASE {TEMPLATE}")
    engine.dispose()


def _run(engine: Engine, *statements: str) -> None:
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def _url(engine: Engine, database: str) -> str:
    return engine.url.set(database=database).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store's database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("template"), tmp_path)
        yield f"sqlite:///{tmp_path / 'reviews.sqlite3'}"
        return
    engine, name = request.getfixturevalue("server"), f"mmdemo_{uuid.uuid4().hex}"
    _run(engine, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield _url(engine, name)
    _run(engine, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    opened = Store(url, tmp_path / "photos")
    yield opened
    opened.close()


def question(post: Post, *asked: Pair) -> Question:
    """A post as a file has it: its entities are asked for, or else the relations of these pairs."""
    return Question(post=post, ask=Ask(entities=not asked, relations=asked))


def stating(item: Question, answer: Answer) -> Question:
    """The item with an answer that its file states."""
    return replace(item, post=replace(item.post, entities=answer.entities, relations=answer.links))


def tweets(count: int, start: int = 0) -> list[Question]:
    """Posts ``p0``, ``p1``, … of five words, of which 0-2 are a person and 3-4 a place."""
    return [
        question(
            Post(
                text=f"Kevin Durant visits Oakland {i}",
                tokens=("Kevin", "Durant", "visits", "Oakland", str(i)),
                id=f"p{i}",
            )
        )
        for i in range(start, start + count)
    ]

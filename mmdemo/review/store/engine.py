"""Open the database, bring it up to date, and write to it.

SQLite runs in WAL mode with ``synchronous=FULL``: a commit returns once its bytes are on the disk, so an
acknowledged decision outlives both a kill -9 and a power cut. (``NORMAL`` would save that wait and lose the
last decisions to a power cut.) What keeps this fast with several reviewers is the group commit of `Writer`.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from mmdemo.types import InputError

T = TypeVar("T")

#: The newest migration in ``migrations/versions``; a test holds that it is.
NEWEST = "0004"

#: Seconds that a writer waits for another process's transaction.
PATIENCE = 30

#: Names this program's lock on migrations in PostgreSQL; any number that others do not use.
_MIGRATION_LOCK = 7_166_339


def open_engine(url: str) -> Engine:
    """An engine on an up-to-date database. ``url`` is SQLAlchemy's, SQLite or PostgreSQL (psycopg).

    Raises:
        InputError: the URL or the database cannot be used, or a newer version of this program wrote it.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        sqlite = parsed.get_backend_name() == "sqlite"
        if not sqlite and parsed.get_backend_name() != "postgresql":
            raise InputError("reviews are kept in SQLite or PostgreSQL; give sqlite:///… or postgresql://…")
        engine = create_engine(parsed, connect_args={"timeout": PATIENCE} if sqlite else {}, pool_size=10)
    except (ArgumentError, NoSuchModuleError) as error:
        raise InputError(f"the database URL cannot be used: {error}") from error
    except ModuleNotFoundError as error:
        raise InputError("PostgreSQL needs its driver: pip install 'psycopg[binary]'") from error
    if sqlite:
        _tune_sqlite(engine)
    try:
        _migrate(engine)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, DBAPIError):
            reason = str(error.orig).strip().splitlines()[0]
            raise InputError(f"the database of reviews cannot be opened: {reason}") from error
        raise
    return engine


def _tune_sqlite(engine: Engine) -> None:
    """WAL, full durability, foreign keys; and BEGIN under our control, so that DDL is transactional too."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin or commit by itself
        _switch_to_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        # IMMEDIATE takes the write lock at once: a transaction never has to give up half-way.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite waits for no lock here: of several that open a new file at once, all but one must try again."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _migrate(engine: Engine) -> None:
    """Run the missing migrations, once, however many processes open the database at the same time."""
    with engine.connect() as connection:
        if _version(connection) == NEWEST:
            return
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        found = _version(connection)
        if found is not None and found > NEWEST:
            raise InputError("a newer version of mmdemo wrote this database of reviews; update mmdemo")
        config = Config()
        config.set_main_option(
            "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
        )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


class _Job:
    """One thread's wish to write, and what became of it."""

    def __init__(self, write: Callable[[Connection], Any]) -> None:
        self.write = write
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None


class Writer:
    """Runs jobs in transactions; `run` returns after the commit.

    SQLite has one writer at a time, so threads that come while a transaction runs are gathered, and the
    next one of them commits for all: one wait for the disk acknowledges them together. Each job stands in a
    savepoint, so one that fails takes only its own changes back. PostgreSQL does the same by itself.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(writes=True)
        self._gathers = engine.dialect.name == "sqlite"
        self._turn = threading.Lock()
        self._list = threading.Lock()
        self._waiting: list[_Job] = []

    def run(self, write: Callable[[Connection], T]) -> T:
        """What ``write(connection)`` returns, once its changes are on the disk."""
        if not self._gathers:
            with self._engine.begin() as connection:
                return write(connection)
        job = _Job(write)
        with self._list:
            self._waiting.append(job)
        with self._turn:
            if not job.done:
                with self._list:
                    jobs, self._waiting = self._waiting, []
                self._commit(jobs)
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            with self._engine.begin() as connection:
                for job in jobs:
                    self._attempt(job, connection, alone=len(jobs) == 1)
        except BaseException as error:  # the commit failed, or the database is gone: nobody is acknowledged
            for job in jobs:
                job.error = job.error or error
        finally:
            for job in jobs:
                job.done = True

    @staticmethod
    def _attempt(job: _Job, connection: Connection, *, alone: bool) -> None:
        if alone:
            job.result = job.write(connection)
            return
        try:
            with connection.begin_nested():
                job.result = job.write(connection)
        except Exception as error:
            job.error = error


@dataclass(frozen=True, kw_only=True)
class Database:
    """What each part of the store works with: connections to read, one writer, and the folder of photos."""

    engine: Engine
    writer: Writer
    photos: Path

    def read(self) -> Connection:
        """A connection for a ``with`` block that only reads."""
        return self.engine.connect()

    def write(self, job: Callable[[Connection], T]) -> T:
        """What the job returns, once its changes are on the disk."""
        return self.writer.run(job)


def open_database(url: str, photos: Path) -> Database:
    """The database at a URL, up to date. Raises InputError as `open_engine`."""
    engine = open_engine(url)
    return Database(engine=engine, writer=Writer(engine), photos=photos)

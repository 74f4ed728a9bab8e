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

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from mmdemo.review.store.errors import read_url, reason, tell_failures
from mmdemo.types import InputError

T = TypeVar("T")

#: The newest migration in ``migrations/versions``; a test holds that it is.
NEWEST = "0005"

#: Seconds that a call waits for another's transaction, in this process or any other.
PATIENCE = 5.0
#: Seconds that a process waits for others which open the same new database.
OPENING = 30.0

#: What SQLite (SQLITE_BUSY, SQLITE_LOCKED) and PostgreSQL (lock_not_available) say of a lock held too long.
_SQLITE_LOCKED, _POSTGRESQL_LOCKED = (5, 6), "55P03"

#: Names this program's lock on migrations in PostgreSQL; any number that others do not use.
_MIGRATION_LOCK = 7_166_339


class Busy(InputError):
    """Somebody else holds the database for longer than `PATIENCE`; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("the reviews are busy; try again")


def open_engine(url: str) -> Engine:
    """An engine on an up-to-date database. ``url`` is SQLAlchemy's, SQLite or PostgreSQL (psycopg).

    Raises:
        InputError: the URL or the database cannot be used, or a newer version of this program wrote it.
    """
    parsed = read_url(url)
    try:
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        sqlite = parsed.get_backend_name() == "sqlite"
        if not sqlite and parsed.get_backend_name() != "postgresql":
            raise InputError("reviews are kept in SQLite or PostgreSQL; give sqlite:///… or postgresql://…")
        options = {"timeout": OPENING} if sqlite else {"options": f"-c lock_timeout={1000 * PATIENCE:.0f}"}
        # A server that was restarted has dropped its connections: each is tried before it is used.
        pool: dict[str, Any] = {"pool_size": 10, "pool_timeout": PATIENCE, "pool_pre_ping": not sqlite}
        engine = create_engine(parsed, connect_args=options, **pool)
    except (ArgumentError, NoSuchModuleError) as error:
        raise InputError("the database URL cannot be used; give sqlite:///… or postgresql://…") from error
    except ModuleNotFoundError as error:
        raise InputError("PostgreSQL needs its driver: pip install 'psycopg[binary]'") from error
    if sqlite:
        _tune_sqlite(engine)
    event.listen(engine, "handle_error", _say_busy)
    try:
        _migrate(engine)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, DBAPIError):
            why = reason(error.orig, parsed)
            raise InputError(f"the database of reviews cannot be opened: {why}") from error
        raise
    tell_failures(engine)
    return engine


def _say_busy(failed: ExceptionContext) -> None:
    """Give a lock that was held too long its own error, wherever it is met."""
    error = failed.original_exception
    code = getattr(error, "sqlite_errorcode", None)
    # The low byte is the error; the rest says more of it, such as SQLITE_BUSY_SNAPSHOT.
    held = isinstance(code, int) and code & 0xFF in _SQLITE_LOCKED
    if held or getattr(error, "sqlstate", None) == _POSTGRESQL_LOCKED:
        raise Busy from error


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
        options = connection.get_execution_options()
        connection.exec_driver_sql(f"PRAGMA busy_timeout={1000 * options.get('patience', PATIENCE):.0f}")
        # IMMEDIATE takes the write lock at once: a transaction never has to give up half-way.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite waits for no lock here: of several that open a new file at once, all but one must try again."""
    end = time.monotonic() + OPENING
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
    with engine.connect().execution_options(patience=OPENING) as connection:
        if _version(connection) == NEWEST:
            return
    waiting = engine.connect().execution_options(writes=True, patience=OPENING)
    with waiting as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{OPENING:.0f}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        found = _version(connection)
        if found is not None and found > NEWEST:
            raise InputError("a newer version of mmdemo wrote this database of reviews; update mmdemo")
        # Here: a third of a second of each start, which a database that is up to date never needs.
        from alembic import command
        from alembic.config import Config

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
        self.until = time.monotonic() + PATIENCE
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
        self._engine = engine
        self._gathers = engine.dialect.name == "sqlite"
        self._turn = threading.Lock()
        self._list = threading.Lock()
        self._waiting: list[_Job] = []

    def run(self, write: Callable[[Connection], T]) -> T:
        """What ``write(connection)`` returns, once its changes are on the disk.

        Raises:
            Busy: others held the database for longer than `PATIENCE`.
        """
        if not self._gathers:
            with self._engine.begin() as connection:
                return write(connection)
        job = _Job(write)
        with self._list:
            self._waiting.append(job)
        self._wait_for_turn(job)
        try:
            if not job.done:
                with self._list:
                    jobs, self._waiting = self._waiting, []
                self._commit(jobs)
        finally:
            self._turn.release()
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def _wait_for_turn(self, job: _Job) -> None:
        """Take the turn. Raises Busy where that takes too long and nobody has taken the job along."""
        if self._turn.acquire(timeout=PATIENCE):
            return
        with self._list:
            if job in self._waiting:
                self._waiting.remove(job)
                raise Busy
        self._turn.acquire()  # its transaction runs: only that can say what became of it

    def _commit(self, jobs: list[_Job]) -> None:
        patience = max(0.1, min(job.until for job in jobs) - time.monotonic())
        try:
            waiting = self._engine.connect().execution_options(writes=True, patience=patience)
            with waiting as connection, connection.begin():
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

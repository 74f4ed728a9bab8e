"""What a database says when it fails, as sentences for people; passwords stay out of them."""

from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError

from mmdemo.types import InputError

LONGEST = 200  # characters of a database's own words


def read_url(url: str) -> URL:
    """The parts of a database URL; an error quotes none of it, for it may hold a password.

    Raises:
        InputError: it is no URL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise InputError(
            "the database URL cannot be read; write postgresql://user:password@host:5432/name, and what is "
            "neither letter nor digit in the password by its number, as %40 for @"
        ) from error
    if "@" in (parsed.host or ""):  # its first half is the password's second
        raise InputError("the database URL has two @; write the one in the password as %40")
    return parsed


def reason(error: BaseException | None, url: URL) -> str:
    """The first line of what the database says."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    line = lines[0].replace(str(url.password), "***") if url.password else lines[0]
    return line[:LONGEST]


def tell_failures(engine: Engine) -> None:
    """Make an `InputError` of whatever keeps the database from working: gone, full, damaged or locked.

    What our own statements do wrong stays an error of the program.
    """

    @event.listens_for(engine, "handle_error")
    def _told(context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError:
            why = reason(context.original_exception, engine.url)
            if "locked" in why:
                raise InputError("the reviews are busy; try again") from context.original_exception
            raise InputError(f"the database of reviews cannot be used: {why}") from context.original_exception

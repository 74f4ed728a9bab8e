"""``python -m mmdemo formats``: what each file format holds."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mmdemo.terminal import say, say_json
from mmdemo.types import InputError


def formats(
    page: Annotated[
        Path | None, typer.Option(help="A page to put the table in, between its marks: docs/formats.md.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which formats of files are read and written, and what each holds, as found out by trying.

    Example: python -m mmdemo formats
    """
    from mmdemo.formats.holding import BEGIN, END, holding, table
    from mmdemo.formats.table import SOURCES

    if page is not None:
        return _write(page, BEGIN, END, table())
    if not as_json:
        return say(*table().splitlines())
    held = {name: holding(found) for name, found in SOURCES.items()}
    say_json(
        [
            {
                "name": name,
                "title": SOURCES[name].title,
                "written": one is not None,
                **(asdict(one) if one else {}),
            }
            for name, one in held.items()
        ]
    )


def _write(page: Path, begin: str, end: str, rows: str) -> None:
    """Put the table between a page's marks. Raises InputError where it has none or cannot be written."""
    try:
        before, found, rest = page.read_text(encoding="utf-8").partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise InputError(f"{page} has no {begin} … {end}")
        page.write_text(f"{before}{begin}\n\n{rows}\n\n{end}{after}", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{page} cannot be read or written: {error.strerror or error}") from error

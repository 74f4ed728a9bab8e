"""``python -m mmdemo zoo``."""

from typing import TYPE_CHECKING, Annotated

import typer

from mmdemo.terminal import say, say_json

if TYPE_CHECKING:
    from mmdemo.cells.catalogue import Entry


def zoo(
    preset: Annotated[str, typer.Option(help="lite (shipped), full or tiny (tests).")] = "lite",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all metrics.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Ask git whether the commits that cells name are in this repository."),
    ] = False,
) -> None:
    """List every checkpoint: dataset, model, fusion, whether it is ready, its size and its test score.

    A score that was measured on some posts only, or by code that cannot be looked up, is marked.
    """
    from mmdemo.answer.answer_json import entry_json
    from mmdemo.cells.catalogue import entries

    found = entries(preset)
    if check:
        raise typer.Exit(_check(found, as_json))
    if as_json:
        say_json([entry_json(entry) for entry in found])
        return
    _list(found)


def _list(found: "tuple[Entry, ...]") -> None:
    from mmdemo.cells.catalogue import score_on_test
    from mmdemo.cells.conditions import marks_text
    from mmdemo.measures import headline_of

    for entry in found:
        score = score_on_test(entry.metrics)
        shown = f"{score:6.1%}" if score is not None else f"{'':6}"
        marks = marks_text(entry.metrics) if score is not None else ""
        line = f"{shown}  {entry.size / 1e6:6.1f} MB  {entry.status:9}  {entry.cell.name}"
        say(f"{line}  ({marks})" if marks else line)
    ready = sum(entry.status == "ready" for entry in found)
    names = " or ".join(headline_of(task).column for task in ("entities", "relations"))
    say(f"{ready} of {len(found)} ready; the score is {names}, on test")


def _check(found: "tuple[Entry, ...]", as_json: bool) -> int:
    """Say of each cell with figures whether its commit is here; 1 where one is not, 0 else."""
    from mmdemo.cells.commits import FOUND, exist_here
    from mmdemo.cells.conditions import Conditions

    conditions = {e.cell.name: Conditions.of(e.metrics) for e in found if e.metrics}
    here = exist_here(c.commit for c in conditions.values() if c.commit)
    rows = {
        name: {"commit": c.commit, "found": FOUND[here[c.commit]] if c.commit else "not stated"}
        for name, c in conditions.items()
    }
    if as_json:
        say_json(rows)
    else:
        for name, row in rows.items():
            say(f"{row['found']:12}  {(row['commit'] or '-')[:10]:10}  {name}")
        counts = {
            kind: sum(row["found"] == kind for row in rows.values())
            for kind in (*FOUND.values(), "not stated")
        }
        say("commits: " + ", ".join(f"{count} {kind}" for kind, count in counts.items() if count))
        if here and None in here.values():
            say("not checked: there is no git, no repository of this code, or one without its whole history")
    return int(any(row["found"] == "unknown here" for row in rows.values()))

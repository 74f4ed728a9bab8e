"""``python -m mmdemo zoo``."""

from typing import Annotated

import typer

from mmdemo.terminal import say, say_json


def zoo(
    preset: Annotated[str, typer.Option(help="lite (shipped), full or tiny (tests).")] = "lite",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all metrics.")] = False,
) -> None:
    """List every checkpoint: dataset, model, fusion, whether it is ready, its size and its test score."""
    from mmdemo.answer.answer_json import entry_json
    from mmdemo.cells.catalogue import entries, score_on_test
    from mmdemo.measures import headline_of

    found = entries(preset)
    if as_json:
        say_json([entry_json(entry) for entry in found])
        return
    for entry in found:
        score = score_on_test(entry.metrics)
        shown = f"{score:6.1%}" if score is not None else f"{'':6}"
        say(f"{shown}  {entry.size / 1e6:6.1f} MB  {entry.status:9}  {entry.cell.name}")
    ready = sum(entry.status == "ready" for entry in found)
    names = " or ".join(headline_of(task).column for task in ("entities", "relations"))
    say(f"{ready} of {len(found)} ready; the score is {names}, on test")

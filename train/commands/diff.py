"""``python -m train diff``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmdemo.terminal import say, say_json

if TYPE_CHECKING:
    from train.cells.differences import Difference

WIDEST = 44  # characters of a value in the table; --json has them whole


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A cell's folder, or preset/dataset/model/fusion.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    root: Annotated[Path, typer.Option(help="Checkpoints in which names are looked up.")] = Path(
        "checkpoints"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, every value whole.")] = False,
) -> None:
    """List what differs between two cells: configuration, dataset, conditions, settings, figures, files.

    Example: python -m train diff lite/NAME/roberta-resnet50/film runs/lite/NAME/roberta-resnet50/film
    """
    from mmdemo.cells.conditions import marks_text
    from train.cells.differences import differences, find_card

    cards = [find_card(place, root) for place in (a, b)]
    found = differences(*cards)
    names = [card.config.cell for card in cards]
    marks = [marks_text(card.metrics) for card in cards]
    if as_json:
        sides: dict[str, Any] = {
            side: {"cell": name, "place": place, "marks": mark}
            for side, name, place, mark in zip("ab", names, (a, b), marks, strict=True)
        }
        say_json({**sides, "differences": [asdict(one) for one in found]})
        return
    for side, name, mark in zip("AB", names, marks, strict=True):
        say(f"{side}: {name} ({mark})" if mark else f"{side}: {name}")
    say(*(lines(found) if found else ["no difference"]))


def lines(found: "list[Difference]") -> list[str]:
    """The differences as a table, the parts below each other."""
    rows = [(one.name, _shown(one.a), _shown(one.b)) for one in found]
    first, second = (max(len(row[at]) for row in rows) for at in (0, 1))
    table: list[str] = []
    part = ""
    for one, (name, a, b) in zip(found, rows, strict=True):
        if one.part != part:
            part = one.part
            table += ["", f"{part:{first + 2}}  {'A':{second}}  B"]
        table.append(f"  {name:{first}}  {a:{second}}  {b}".rstrip())
    return table


def _shown(value: Any) -> str:
    """A value in one short cell of the table; figures in four places."""
    if value is None:
        return "-"
    text = f"{value:.4f}" if isinstance(value, float) and 1e-3 < abs(value) < 1e3 else str(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"

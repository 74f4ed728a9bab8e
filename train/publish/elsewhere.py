"""Out of domain, as Markdown: entity cells on another dataset's posts, and on posts written otherwise."""

from collections.abc import Mapping, Sequence
from typing import Any

from train.publish.markdown import head, marked, percent, row
from train.publish.scored import Scored
from train.score.elsewhere import WRITTEN


def out_of_domain(cells: Mapping[str, Scored]) -> list[str]:
    """Lines for the cells that were measured elsewhere, a line a dataset that they read; or nothing."""
    found = {name: cell for name, cell in cells.items() if _elsewhere(cell)}
    if not found:
        return []
    lines = [
        "## Out of domain",
        "",
        "Entity F1 on test posts, of the chosen cells: on their own dataset's and on others', whose types "
        "are paired by what their records call them in common (T15's OTHER is T17's MISC); as written, "
        "without capitals, and with another name of as many letters after each @. Nothing was chosen by it.",
        "",
        *head("|".join(["cell of", "test posts of", *WRITTEN]), numbers_from=2),
    ]
    for name, cell in found.items():
        for dataset, figures in _elsewhere(cell).items():
            posts = f"{dataset}, its own" if dataset == cell.dataset else dataset
            lines.append(row([marked(f"{name}, {cell.fusion}", [cell]), posts, *_columns(figures)]))
    return lines


def _columns(figures: Mapping[str, float]) -> Sequence[str]:
    return [percent(figures[name]) if name in figures else "-" for name in WRITTEN]


def _elsewhere(cell: Scored) -> dict[str, Any]:
    found: dict[str, Any] = cell.metrics.get("elsewhere", {})
    return found

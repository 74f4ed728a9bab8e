"""A checkpoint's card as HTML: what truly runs, what it was trained on, what it scores. Pure, like `view`.

``metrics.json`` is read tolerantly: a figure that is not there is not shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mmdemo.cells.conditions import Conditions, marks_text
from mmdemo.cells.locate import Cell
from mmdemo.measures import Measure, figure, shown
from mmdemo.models.config import FUSIONS
from mmdemo.ui.shell.safe import safe, sentence

PHOTO_STATES: dict[str, str] = {
    "photo": "its photo",
    "blank": "a grey one",
    "shuffled": "another's",
    "none": "no photo",
}


def scores_html(metrics: Mapping[str, Any], measures: Sequence[Measure], split: str = "test") -> str:
    """Scores as a table: measures down, photo states across."""
    table = {
        measure.title: [figure(metrics, ("splits", split, state, *measure.path)) for state in PHOTO_STATES]
        for measure in measures
    }
    table = {title: cells for title, cells in table.items() if any(c is not None for c in cells)}
    if not table:
        return '<p class="mm-quiet">No test scores are stored with this checkpoint.</p>'
    kept = [i for i in range(len(PHOTO_STATES)) if any(cells[i] is not None for cells in table.values())]
    names = list(PHOTO_STATES.values())
    head = "".join(f'<th scope="col">{names[i]}</th>' for i in kept)
    body = ""
    for title, cells in table.items():
        numbers = "".join(f"<td>{'–' if (c := cells[i]) is None else f'{c:.1%}'}</td>" for i in kept)
        body += f'<tr><th scope="row">{title}</th>{numbers}</tr>'
    return (
        f'<table class="mm-scores"><caption>On the {split} split, each post with …'
        f"{marks_html(metrics)}</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def card_html(cell: Cell, card: Mapping[str, Any]) -> str:
    """The card of a ready checkpoint; ``card`` is what `mmdemo.cells.catalogue.describe` gives."""
    metrics = card.get("metrics") or {}
    facts = {
        "Runs": card.get("runs"),
        "Fusion": FUSIONS[cell.fusion].line if cell.fusion in FUSIONS else cell.fusion,
        "Trained on": cell.dataset.title,
        "Photos": metrics.get("data"),
    }
    measures = shown("page", *cell.dataset.tasks)
    listed = "".join(f"<dt>{k}</dt><dd>{safe(str(v))}</dd>" for k, v in facts.items() if v)
    origin = _origin_html({**(card.get("training") or {}), **metrics}, metrics)
    return (
        f'<section class="mm-card"><h3>Checkpoint <code>{safe(cell.name)}</code></h3><dl>{listed}</dl>'
        f"{scores_html(metrics, measures)}{origin}</section>"
    )


def marks_html(metrics: Mapping[str, Any] | None) -> str:
    """What must stand beside a cell's figures: that they are limited, or of unknown code. Else nothing."""
    marks = marks_text(metrics)
    return f' <small class="mm-marks">{safe(marks)}</small>' if marks else ""


def conditions_html(metrics: Mapping[str, Any] | None) -> str:
    """Under which conditions the figures were measured, folded away."""
    listed = _facts_html(Conditions.of(metrics).facts)
    return f"<details><summary>Conditions of these figures</summary><dl>{listed}</dl></details>"


def _facts_html(facts: Mapping[str, str]) -> str:
    return "".join(f"<dt>{name}</dt><dd>{safe(value)}</dd>" for name, value in facts.items())


def _origin_html(facts: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """How to make this checkpoint again, and what its figures depend on, folded away."""
    named = {"Command": facts.get("command"), "Seed": facts.get("seed"), "Commit": facts.get("commit")}
    listed = "".join(
        f"<dt>{k}</dt><dd><code>{safe(str(v))}</code></dd>" for k, v in named.items() if v is not None
    )
    conditions = {name: fact for name, fact in Conditions.of(metrics).facts.items() if name not in named}
    listed += _facts_html(conditions) if metrics else ""
    return f"<details><summary>How it was trained</summary><dl>{listed}</dl></details>" if listed else ""


def missing_html(name: str, problem: str, ready: list[str]) -> str:
    """What stands in the card's place when the picked combination cannot run, and what can."""
    others = f" Ready here: {', '.join(ready)}." if ready else ""
    return (
        f'<section class="mm-card mm-missing" role="status"><h3>Not ready: <code>{safe(name)}</code></h3>'
        f"<p>{safe(sentence(problem))}{safe(others)}</p></section>"
    )

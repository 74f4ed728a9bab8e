"""A checkpoint's card as HTML: what truly runs, what it was trained on, what it scores. Pure, like `view`.

``metrics.json`` is read tolerantly: a figure that is not there is not shown.
"""

from collections.abc import Mapping
from typing import Any

from mmdemo.models.config import DATASETS, FUSIONS
from mmdemo.ui.shell.safe import safe, sentence

#: Row title -> path inside one photo state of metrics.json. The field's measure stands first (SPEC §6).
NER_ROWS: dict[str, tuple[str, ...]] = {
    "Entity F1 (span and type)": ("entity", "f1"),
    "Entity F1, strict": ("entity_strict", "f1"),
    "Token F1 (weighted, O counted)": ("token", "f1"),
    "Token accuracy": ("token", "accuracy"),
}
RE_ROWS: dict[str, tuple[str, ...]] = {
    "Micro-F1 without None": ("micro_without_none", "f1"),
    "Macro F1": ("macro", "f1"),
    "Weighted F1": ("weighted", "f1"),
    "Accuracy": ("accuracy",),
}
PHOTO_STATES: dict[str, str] = {
    "photo": "its photo",
    "blank": "a grey one",
    "shuffled": "another's",
    "none": "no photo",
}


#: No figure of a card is as large.
MOST = 1e9


def figure(metrics: object, path: tuple[str, ...]) -> float | None:
    """The number at the end of ``path``, or None where the file does not have it."""
    for key in path:
        if not isinstance(metrics, Mapping) or key not in metrics:
            return None
        metrics = metrics[key]
    if isinstance(metrics, bool) or not isinstance(metrics, int | float):
        return None
    return float(metrics) if abs(metrics) < MOST else None  # a file may state 10**400, or NaN


def scores_html(metrics: Mapping[str, Any], rows: Mapping[str, tuple[str, ...]], split: str = "test") -> str:
    """Scores as a table: measures down, photo states across."""
    table = {
        title: [figure(metrics, ("splits", split, state, *path)) for state in PHOTO_STATES]
        for title, path in rows.items()
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
        f'<table class="mm-scores"><caption>On the {split} split, each post with …</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def card_html(name: str, dataset: str, fusion: str, card: Mapping[str, Any]) -> str:
    """The card of a ready checkpoint; ``card`` is what `mmdemo.answer.pipeline.describe` gives."""
    metrics = card.get("metrics") or {}
    facts = {
        "Runs": card.get("runs"),
        "Fusion": FUSIONS.get(fusion, fusion),
        "Trained on": DATASETS[dataset].title.split(" · ")[0] if dataset in DATASETS else dataset,
        "Photos": metrics.get("data"),
    }
    rows = NER_ROWS if dataset not in DATASETS or DATASETS[dataset].task == "ner" else RE_ROWS
    listed = "".join(f"<dt>{k}</dt><dd>{safe(str(v))}</dd>" for k, v in facts.items() if v)
    return (
        f'<section class="mm-card"><h3>Checkpoint <code>{safe(name)}</code></h3><dl>{listed}</dl>'
        f"{scores_html(metrics, rows)}{_origin_html({**(card.get('training') or {}), **metrics})}</section>"
    )


def _origin_html(facts: Mapping[str, Any]) -> str:
    """How to make this checkpoint again, folded away."""
    named = {"Command": facts.get("command"), "Seed": facts.get("seed"), "Commit": facts.get("commit")}
    listed = "".join(
        f"<dt>{k}</dt><dd><code>{safe(str(v))}</code></dd>" for k, v in named.items() if v is not None
    )
    return f"<details><summary>How it was trained</summary><dl>{listed}</dl></details>" if listed else ""


def missing_html(name: str, problem: str, ready: list[str]) -> str:
    """What stands in the card's place when the picked combination cannot run, and what can."""
    others = f" Ready here: {', '.join(ready)}." if ready else ""
    return (
        f'<section class="mm-card mm-missing" role="status"><h3>Not ready: <code>{safe(name)}</code></h3>'
        f"<p>{safe(sentence(problem))}{safe(others)}</p></section>"
    )

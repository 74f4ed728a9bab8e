"""Comparison -> HTML: spans as rows, checkpoints as columns, disagreements first. Pure, like `view`."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmdemo.answer.agreement import Agreement, Row, Say, rows_of
from mmdemo.datasets.looks import UNKNOWN_LOOK, Look, looks_of
from mmdemo.datasets.schema import Dataset
from mmdemo.measures import figure, headline_of
from mmdemo.types import Comparison
from mmdemo.ui.shell.card import marks_html
from mmdemo.ui.shell.safe import percent, safe
from mmdemo.ui.shell.titles import own_titles
from mmdemo.ui.shell.view import notes_html, relation_name

Metrics = Mapping[str, Any]

SIGNS: dict[Agreement, tuple[str, str]] = {
    "types": ("≠", "types differ"),
    "some": ("◐", "not all find it"),
    "all": ("✓", "all agree"),
}


def comparison_html(
    comparison: Comparison, dataset: Dataset, metrics: Sequence[Metrics], *, clickable: bool = True
) -> str:
    """The whole comparison: notes, headline, table, what it took.

    Args:
        metrics: each answer's metrics.json, in the comparison's order.
        clickable: cells are buttons that ask why (the app); else plain (a page that travels alone).
    """
    rows, looks, none = rows_of(comparison), looks_of(dataset), dataset.none
    warnings = dict.fromkeys(w for answer in comparison.answers for w in answer.prediction.warnings)
    titles = own_titles([answer.prediction.checkpoint for answer in comparison.answers])
    head = "".join(f'<th scope="col">{safe(title)}</th>' for title in titles)
    body = "".join(_row_html(row, titles, clickable, looks, none) for row in rows)
    if not rows:
        body = (
            f'<tr><td colspan="{len(titles) + 1}" class="mm-none">No column finds an entity here.</td></tr>'
        )
    foot = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{value}</td>" for value in values)}</tr>'
        for name, values in _facts(comparison, dataset, metrics).items()
        if any(value != "–" for value in values)
    )
    corner = "Relation" if rows and rows[0].pair else "Span"
    return (
        f"{notes_html(list(warnings))}"
        f'<section class="mm-result mm-comparison" role="status"><h3>{_headline(comparison, rows, none)}</h3>'
        f'<div class="mm-scroll" tabindex="0" role="region" aria-label="Comparison">'
        f'<table class="mm-compare"><thead><tr><th scope="col">{corner}</th>{head}</tr>'
        f"</thead><tbody>{body}</tbody><tfoot>{foot}</tfoot></table></div>"
        f"{_legend(rows)}{_cost(comparison, clickable)}</section>"
    )


def _headline(comparison: Comparison, rows: Sequence[Row], none: str) -> str:
    count = len(comparison.answers)
    if rows and all(row.pair is not None for row in rows):
        answers = [row for row in rows if row.decides]
        best = safe(relation_name(answers[0].title, none))
        if len(answers) == 1:
            return f"All {count} say <em>{best}</em>"
        votes = " · ".join(
            f"{row.found_by} × <em>{safe(relation_name(row.title, none))}</em>" for row in answers
        )
        return f"They disagree: {votes}"
    apart = sum(row.agreement != "all" for row in rows)
    spans = "1 span" if len(rows) == 1 else f"{len(rows)} spans"
    if not rows:
        return "No entity found"
    return f"All {count} agree on {spans}" if not apart else f"They disagree on {apart} of {spans}"


def _row_html(row: Row, titles: Sequence[str], clickable: bool, looks: Mapping[str, Look], none: str) -> str:
    cells = "".join(
        f"<td>{_cell_html(row, say, column, titles[column], clickable, looks)}</td>"
        for column, say in enumerate(row.says)
    )
    if row.span is None:
        title = f"<b>{safe(relation_name(row.title, none))}</b> <code>{safe(row.title)}</code>"
    else:
        title = f"<b><bdi>{safe(row.title)}</bdi></b>"
    if not row.decides:
        return f'<tr class="mm-runner"><th scope="row">{title}<small>nobody’s first</small></th>{cells}</tr>'
    sign, meaning = SIGNS[row.agreement]
    if row.agreement == "some":
        meaning = f"{row.found_by} of {len(row.says)}" + ("" if row.span else " say so")
    return (
        f'<tr class="mm-{row.agreement}"><th scope="row">{title}'
        f'<small><span aria-hidden="true">{sign}</span> {meaning}</small></th>{cells}</tr>'
    )


def _cell_html(
    row: Row, say: Say, column: int, title: str, clickable: bool, looks: Mapping[str, Look]
) -> str:
    inner = _span_say(say, looks) if row.span else _relation_say(say)
    kind = "mm-cell" + (" mm-differs" if say.differs else "")
    if not clickable:
        return f'<span class="{kind}">{inner}</span>'
    ask = f"{safe(row.title)} by {safe(title)}: show why"
    return (
        f'<button type="button" class="{kind}" data-column="{column}" data-target="{say.target}" '
        f'title="{ask}" aria-label="{ask}">{inner}</button>'
    )


def _span_say(say: Say, looks: Mapping[str, Look]) -> str:
    differs = '<span class="mm-sign" aria-label="differs">≠</span>' if say.differs else ""
    if say.label is None:
        return f'{differs}<span class="mm-quiet">not found</span>'
    colour = looks.get(say.label, UNKNOWN_LOOK).colour
    chip = f'<span class="mm-chip" style="background:{colour}">{safe(say.label)}</span>'
    return f'{differs}{chip}<span class="mm-number">{percent(say.score)}</span>'


def _relation_say(say: Say) -> str:
    if say.score is None:
        return '<span class="mm-quiet">not in its five</span>'
    differs = '<span class="mm-sign" aria-label="differs">≠</span>' if say.differs else ""
    first = '<span class="mm-first" title="its answer">●</span>' if say.label else ""
    width = 100 * min(max(say.score, 0.0), 1.0)
    return (
        f'{differs}{first}<span class="mm-number">{percent(say.score)}</span>'
        f'<span class="mm-track"><span class="mm-fill" style="width:{width:.1f}%"></span></span>'
    )


def _facts(comparison: Comparison, dataset: Dataset, metrics: Sequence[Metrics]) -> dict[str, list[str]]:
    """What stands below the answers: test scores, calibration, what marks them, time."""
    asked = comparison.answers[0].prediction.ask
    tasks = [
        task for task, wanted in (("entities", asked.entities), ("relations", asked.relations)) if wanted
    ]
    measures = [headline_of(task) for task in tasks if task in dataset.tasks]
    return {
        **{
            f"{measure.heading} on test": [
                _shown(figure(m, ("splits", "test", "photo", *measure.path)), "{:.1%}") for m in metrics
            ]
            for measure in measures
        },
        "Calibration error (ECE)": [
            _shown(figure(m, ("calibration", "after", "ece")), "{:.3f}") for m in metrics
        ],
        "Marks of these figures": [(m.get("splits") and marks_html(m).strip()) or "–" for m in metrics],
        "Fusion and head": [f"{answer.fuse_ms:.1f} ms" for answer in comparison.answers],
    }


def _shown(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _legend(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    used = [kind for kind in SIGNS if any(row.agreement == kind and row.decides for row in rows)]
    items = "".join(f"<li class='mm-{k}'><span>{SIGNS[k][0]}</span> {SIGNS[k][1]}</li>" for k in used)
    return f'<ul class="mm-agreement">{items}<li><span class="mm-sign">≠</span> not what most say</li></ul>'


def _cost(comparison: Comparison, clickable: bool) -> str:
    passes = {answer.pass_number: answer.encode_ms for answer in comparison.answers}
    count = len(comparison.answers)
    shared = "one encoder pass" if len(passes) == 1 else f"{len(passes)} encoder passes"
    hint = " Click a cell to see why." if clickable else ""
    photo = "with the photo" if comparison.post.image is not None else "without a photo"
    return (
        f'<p class="mm-quiet">{count} answers {photo} from {shared} ({sum(passes.values()):.0f} ms), '
        f"{comparison.total_ms:.0f} ms together.{hint}</p>"
    )

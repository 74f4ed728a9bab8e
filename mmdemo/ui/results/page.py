"""All cells' metrics -> a table and charts. Pure; charts are inline SVG in the page's own colours.

Only names and numbers of our own files stand here, and they pass `safe` all the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mmdemo.cells.catalogue import Entry, score_on_test
from mmdemo.cells.conditions import marks_text
from mmdemo.datasets.schema import Dataset
from mmdemo.measures import figure, headline_of, shown
from mmdemo.ui.shell.card import PHOTO_STATES, marks_html
from mmdemo.ui.shell.safe import safe
from mmdemo.ui.shell.titles import fusion_title, sized_title

FIGURES = (  # in percent
    "F1",
    "strict / macro F1",
    "token F1 / weighted F1",
    "accuracy",
    "grey photo",
    "another’s photo",
    "no photo",
)
HEADERS = ("Dataset", "Model", "Fusion", "Marks", *FIGURES, "ECE", "MB")


def table_rows(listed: Sequence[Entry]) -> list[list[Any]]:
    """One row a cell, in `HEADERS` order; figures in percent, None where there is none."""
    return [_table_row(entry) for entry in listed]


def _table_row(entry: Entry) -> list[Any]:
    metrics = entry.metrics
    at = ("splits", "test", "photo")
    measures = shown("page", entry.cell.dataset.tasks[0])
    ece = figure(metrics, ("calibration", "after", "ece"))
    return [
        entry.cell.dataset.title,
        sized_title(entry.cell),
        fusion_title(entry.cell.fusion),
        marks_text(metrics) if metrics else "",
        *(_points(figure(metrics, (*at, *measure.path))) for measure in measures),
        *(_points(score_on_test(metrics, state)) for state in PHOTO_STATES if state != "photo"),
        None if ece is None else round(ece, 3),
        round(entry.size / 1e6, 1) if entry.size else None,
    ]


def _points(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 2)


def bars_html(listed: Sequence[Entry], dataset: Dataset) -> str:
    """The dataset's cells as bars by model, a tick where the same cell stands without photos.

    Bars start at zero, so that a difference looks as large as it is.
    """
    groups: dict[str, str] = {}
    for entry in listed:
        score = score_on_test(entry.metrics)
        if entry.cell.dataset.name != dataset.name or score is None:
            continue
        alone = score_on_test(entry.metrics, "none")
        tick = "" if alone is None else f'<i style="left:{100 * alone:.2f}%"></i>'
        moved = "" if alone is None else f" <small>{100 * (score - alone):+.2f}</small>"
        groups.setdefault(sized_title(entry.cell), "")
        groups[sized_title(entry.cell)] += (
            f"<li><span>{safe(fusion_title(entry.cell.fusion))}</span>"
            f'<span class="mm-zoo-bar"><b style="width:{100 * score:.2f}%"></b>{tick}</span>'
            f'<span class="mm-number">{score:.1%}{moved}</span>{marks_html(entry.metrics)}</li>'
        )
    if not groups:
        return '<p class="mm-quiet">No checkpoint of this data set is here yet.</p>'
    body = "".join(f"<h4>{safe(m)}</h4><ul>{items}</ul>" for m, items in groups.items())
    measure = " and ".join(headline_of(task).heading for task in dataset.tasks)
    return (
        f'<section class="mm-zoo"><h3>{measure} on test, {safe(dataset.title)}</h3>'
        f'<p class="mm-quiet">The tick and the small number: the same cell with no photo, and the points '
        f"that photos add or cost. A few tenths from one seed are noise.</p>{body}</section>"
    )


def scatter_html(listed: Sequence[Entry], dataset: Dataset) -> str:
    """Score against size on disk, a dot a cell."""
    dots = [
        (entry.size / 1e6, 100 * score, _dot_title(entry))
        for entry in listed
        if entry.cell.dataset.name == dataset.name and (score := score_on_test(entry.metrics)) is not None
    ]
    if not dots:
        return ""
    xs, ys = [d[0] for d in dots], [d[1] for d in dots]
    left, right = 0.0, max(xs) * 1.1
    low, high = min(ys) - 1, max(ys) + 1
    marks = "".join(
        f'<circle cx="{50 + 430 * (x - left) / (right - left):.1f}" '
        f'cy="{190 - 170 * (y - low) / (high - low):.1f}" r="5">'
        f"<title>{safe(name)}: {y:.2f}, {x:.1f} MB</title></circle>"
        for x, y, name in dots
    )
    labels = (
        f'<text x="44" y="24" text-anchor="end">{high:.0f}</text>'
        f'<text x="44" y="190" text-anchor="end">{low:.0f}</text>'
        f'<text x="50" y="208">0 MB</text><text x="480" y="208" text-anchor="end">{right:.1f} MB</text>'
    )
    return _svg("Score against size", 500, 216, labels + '<path d="M50 20V190H480"/>' + marks) + (
        '<p class="mm-quiet">Size: the cell’s own files and its trunk; the shared base encoders are not '
        "counted. The vertical axis does not start at zero.</p>"
    )


def _dot_title(entry: Entry) -> str:
    marks = marks_text(entry.metrics)
    title = f"{sized_title(entry.cell)}, {fusion_title(entry.cell.fusion)}"
    return f"{title} ({marks})" if marks else title


def reliability_html(metrics: Mapping[str, Any]) -> str:
    """How often a cell is right at each confidence, before and after calibration."""
    calibration = metrics.get("calibration")
    if not isinstance(calibration, Mapping):
        return '<p class="mm-quiet">This checkpoint’s scores are not calibrated.</p>'
    if "temperature" not in calibration:  # a cell with both tasks has one of each
        return "".join(
            f"<h4>{safe(str(task))}</h4>{reliability_html({'calibration': own})}"
            for task, own in calibration.items()
        ) + _triples(metrics)
    temperature = figure(calibration, ("temperature",))
    facts = [f"temperature {temperature:.2f}"] if temperature is not None else []
    if isinstance(calibration.get("entity"), Mapping):
        facts.append("then a map of entities’ scores by length and label")
    curves = ""
    for name in ("before", "after"):
        ece, brier = figure(calibration, (name, "ece")), figure(calibration, (name, "brier"))
        if ece is not None:
            facts.append(f"{name}: ECE {ece:.3f}" + ("" if brier is None else f", Brier {brier:.3f}"))
        curves += _curve(calibration.get(name), name)
    drawn = ""
    if curves:
        frame = '<path d="M40 10V210H240"/><path class="mm-ideal" d="M40 210L240 10"/>'
        labels = (
            '<text x="34" y="18" text-anchor="end">1</text><text x="40" y="226">0</text>'
            '<text x="240" y="226" text-anchor="end">confidence 1</text>'
        )
        drawn = _svg("Share right by confidence; dashed: perfect", 260, 232, frame + labels + curves)
    return f'{drawn}<p class="mm-quiet">{safe(" · ".join(facts))}</p>{_triples(metrics)}'


def _triples(metrics: Mapping[str, Any]) -> str:
    """How sure relations are together with their entities: as a product of the scores, and calibrated."""
    before, after = (figure(metrics, ("triples", name, "ece")) for name in ("before", "after"))
    if before is None or after is None:
        return ""
    by = metrics["triples"].get("entities_by", "")
    told = (
        f"relation and both entities right, with {by}: ECE {before:.3f} as a product, {after:.3f} calibrated"
    )
    return f'<p class="mm-quiet">{safe(told)}</p>'


def _curve(measured: object, name: str) -> str:
    """A polyline over bins ({"confidence", "accuracy", "count"}); nothing where the file has none."""
    bins = measured.get("bins") if isinstance(measured, Mapping) else None
    points = []
    for one in bins if isinstance(bins, list) else []:
        confidence, accuracy = figure(one, ("confidence",)), figure(one, ("accuracy",))
        if confidence is not None and accuracy is not None and figure(one, ("count",)) != 0:
            points.append(f"{40 + 200 * confidence:.1f},{210 - 200 * accuracy:.1f}")
    return f'<polyline class="mm-{name}" points="{" ".join(points)}"/>' if len(points) > 1 else ""


def _svg(title: str, width: int, height: int, inner: str) -> str:
    return (
        f'<figure class="mm-chart"><figcaption>{title}</figcaption>'
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{title}">{inner}</svg></figure>'
    )


def notice_html(listed: Sequence[Entry]) -> str:
    """How many cells are ready, and what the figures must not be compared with."""
    ready = sum(entry.status == "ready" for entry in listed)
    sources = sorted({str(e.metrics["data"]) for e in listed if e.metrics.get("data")})
    stand_in = any("stand-in" in source for source in sources)
    warning = (
        " Photos are caption-matched stand-ins, not the tweets’ own: what they add here says nothing about "
        "what the originals add, and no figure is comparable with image results of the literature."
        if stand_in
        else ""
    )
    marked = sum(bool(marks_text(entry.metrics)) for entry in listed if entry.metrics)
    told = (
        f" {marked} have marks: their figures were measured under other conditions than the rest, or by code "
        "that cannot be looked up."
        if marked
        else ""
    )
    return f'<p class="mm-quiet mm-notice">{ready} of {len(listed)} checkpoints are ready.{warning}{told}</p>'

"""All cells' metrics -> a table and charts. Pure; charts are inline SVG in the page's own colours.

Only names and numbers of our own files stand here, and they pass `safe` all the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mmdemo.models.config import DATASETS
from mmdemo.ui.shell.card import NER_ROWS, PHOTO_STATES, RE_ROWS, figure
from mmdemo.ui.shell.safe import safe
from mmdemo.ui.shell.titles import dataset_title, fusion_title, model_title

FIGURES = (  # in percent
    "F1",
    "strict / macro F1",
    "token F1 / weighted F1",
    "accuracy",
    "grey photo",
    "another’s photo",
    "no photo",
)
HEADERS = ("Dataset", "Model", "Fusion", *FIGURES, "ECE", "MB")
Listed = Mapping[str, Any]  # what `mmdemo.cells.catalogue.entry_json` gives


def is_ner(dataset: str) -> bool:
    """Whether a dataset asks for entities."""
    return dataset not in DATASETS or DATASETS[dataset].task == "ner"


def score_of(dataset: str, metrics: Mapping[str, Any], state: str = "photo") -> float | None:
    """The field's measure on test: entity F1, or micro-F1 without None, with a state of the photo."""
    rows = NER_ROWS if is_ner(dataset) else RE_ROWS
    return figure(metrics, ("splits", "test", state, *next(iter(rows.values()))))


def table_rows(listed: Sequence[Listed]) -> list[list[Any]]:
    """One row a cell, in `HEADERS` order; figures in percent, None where there is none."""
    return [_table_row(entry) for entry in listed]


def _table_row(entry: Listed) -> list[Any]:
    dataset, metrics = entry["dataset"], entry["metrics"]
    names = ["entity_strict", "token"] if is_ner(dataset) else ["macro", "weighted"]
    at = ("splits", "test", "photo")
    accuracy = ("token", "accuracy") if is_ner(dataset) else ("accuracy",)
    ece = figure(metrics, ("calibration", "after", "ece"))
    return [
        dataset_title(dataset),
        model_title(entry["model"]),
        fusion_title(entry["fusion"]),
        _points(score_of(dataset, metrics)),
        *(_points(figure(metrics, (*at, name, "f1"))) for name in names),
        _points(figure(metrics, (*at, *accuracy))),
        *(_points(score_of(dataset, metrics, state)) for state in PHOTO_STATES if state != "photo"),
        None if ece is None else round(ece, 3),
        round(entry["size"] / 1e6, 1) if entry["size"] else None,
    ]


def _points(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 2)


def bars_html(listed: Sequence[Listed], dataset: str) -> str:
    """The dataset's cells as bars by model, a tick where the same cell stands without photos.

    Bars start at zero, so that a difference looks as large as it is.
    """
    groups: dict[str, str] = {}
    for entry in listed:
        score = score_of(dataset, entry["metrics"])
        if entry["dataset"] != dataset or score is None:
            continue
        alone = score_of(dataset, entry["metrics"], "none")
        tick = "" if alone is None else f'<i style="left:{100 * alone:.2f}%"></i>'
        moved = "" if alone is None else f" <small>{100 * (score - alone):+.2f}</small>"
        groups.setdefault(entry["model"], "")
        groups[entry["model"]] += (
            f"<li><span>{safe(fusion_title(entry['fusion']))}</span>"
            f'<span class="mm-zoo-bar"><b style="width:{100 * score:.2f}%"></b>{tick}</span>'
            f'<span class="mm-number">{score:.1%}{moved}</span></li>'
        )
    if not groups:
        return '<p class="mm-quiet">No checkpoint of this data set is here yet.</p>'
    body = "".join(f"<h4>{safe(model_title(m))}</h4><ul>{items}</ul>" for m, items in groups.items())
    measure = "Entity F1" if is_ner(dataset) else "Micro-F1 without None"
    return (
        f'<section class="mm-zoo"><h3>{measure} on test, {safe(dataset_title(dataset))}</h3>'
        f'<p class="mm-quiet">The tick and the small number: the same cell with no photo, and the points '
        f"that photos add or cost. A few tenths from one seed are noise.</p>{body}</section>"
    )


def scatter_html(listed: Sequence[Listed], dataset: str) -> str:
    """Score against size on disk, a dot a cell."""
    dots = [
        (entry["size"] / 1e6, 100 * score, f"{model_title(entry['model'])}, {fusion_title(entry['fusion'])}")
        for entry in listed
        if entry["dataset"] == dataset and (score := score_of(dataset, entry["metrics"])) is not None
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


def reliability_html(metrics: Mapping[str, Any]) -> str:
    """How often a cell is right at each confidence, before and after calibration."""
    calibration = metrics.get("calibration")
    if not isinstance(calibration, Mapping):
        return '<p class="mm-quiet">This checkpoint’s scores are not calibrated.</p>'
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
    return f'{drawn}<p class="mm-quiet">{safe(" · ".join(facts))}</p>'


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


def notice_html(listed: Sequence[Listed]) -> str:
    """How many cells are ready, and what the figures must not be compared with."""
    ready = sum(entry["status"] == "ready" for entry in listed)
    sources = sorted({str(e["metrics"]["data"]) for e in listed if e["metrics"].get("data")})
    stand_in = any("stand-in" in source for source in sources)
    warning = (
        " Photos are caption-matched stand-ins, not the tweets’ own: what they add here says nothing about "
        "what the originals add, and no figure is comparable with image results of the literature."
        if stand_in
        else ""
    )
    return f'<p class="mm-quiet mm-notice">{ready} of {len(listed)} checkpoints are ready.{warning}</p>'

"""README's tables, generated from the checkpoints' metrics.json and never typed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdemo.cells.files import read_json, write_json
from mmdemo.types import InputError
from train.experiments.seeds import SHOWN, mean_and_deviation
from train.fit.state import replace_file

START, END = "<!-- results: python -m train results -->", "<!-- results end -->"

NER_HEAD = (
    "| model | fusion | valid | test entity F1 | strict | token accuracy | token F1 | blank | shuffled "
    "| none |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
)
RE_HEAD = (
    "| model | fusion | valid | test micro-F1 without None | macro F1 | accuracy | weighted F1 | blank "
    "| shuffled | none |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
)

PUBLISHED_DATASETS = ("twitter2015", "twitter2017", "mnre")
#: Entity-level F1, and micro-F1 without None, as published (collected in the study's SPEC §8).
PUBLISHED = {
    "BERT-CRF; BERT (text only)": ("71.81", "83.44", "59.40"),
    "UMT": ("73.41", "85.31", "-"),
    "HVPNeT": ("75.32", "86.87", "81.85"),
    "ITA": ("78.03", "89.75", "-"),
    "PGIM (ChatGPT)": ("79.33", "91.43", "-"),
    "MEGA": ("-", "-", "66.41"),
    "TMR": ("-", "-", "89.05"),
}
#: The report's accuracies of its first model (SPEC §7); O counts, so they stand apart from the field's.
REPORTED = {
    "the report: FiLM": ("95.38", "97.18", "75.38"),
    "the report: attention": ("84.61", "87.39", "70.53"),
    "the report: cross-attention": ("89.34", "91.45", "73.86"),
    "the report: bimodal": ("95.28", "96.98", "74.62"),
    "the report: tuned FiLM": ("95.52", "97.56", "76.00"),
}

#: Figures of one photo condition, in the tables' order.
NER_COLUMNS = (("entity", "f1"), ("entity_strict", "f1"), ("token", "accuracy"), ("token", "f1"))
RE_COLUMNS = (("micro_without_none", "f1"), ("macro", "f1"), ("accuracy",), ("weighted", "f1"))


def write_results(root: Path, readme: Path) -> str:
    """Put the table of every lite cell's test figures between README's marks; return the table.

    Raises:
        InputError: the marks are missing, or a metrics.json cannot be read.
    """
    text = readme.read_text(encoding="utf-8")
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise InputError(f"{readme} lacks the lines {START} and {END}")
    table = results_table(root)
    new = f"{before}{START}\n{table}\n{END}{after}"
    replace_file(readme, lambda file: file.write_text(new, encoding="utf-8"))
    return table


def write_summary(root: Path, preset: str) -> Path:
    """Put every trained cell's metrics into results.json of ``root``, and lite's tables into results.md."""
    cells = [read_json(file) for file in sorted(root.glob(f"{preset}/*/*/*/metrics.json"))]
    write_json(root / "results.json", {"preset": preset, "cells": cells})
    if preset == "lite":
        table = results_table(root)
        replace_file(root / "results.md", lambda file: file.write_text(table + "\n", encoding="utf-8"))
    return root / "results.json"


def results_table(root: Path) -> str:
    """Markdown tables, one a dataset: the field's figure first, the report's beside it.

    The cell that validation chooses stands in bold.
    """
    by_dataset: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(root.glob("lite/*/*/*/metrics.json")):
        cell = read_json(file)
        by_dataset.setdefault(cell["cell"].split("/")[1], []).append(cell)
    tables = [_dataset_table(dataset, cells) for dataset, cells in by_dataset.items()]
    return "\n\n".join([*_comparison(by_dataset), *tables])


def _comparison(by_dataset: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The cell that validation chooses on each dataset, beside the report's and published figures."""
    ours: dict[str, tuple[str, float, float]] = {}
    for dataset, cells in by_dataset.items():
        columns = NER_COLUMNS if _is_ner(cells[0]) else RE_COLUMNS
        best = _chosen(cells, columns[0])
        photo = best["splits"]["test"]["photo"]
        accuracy = ("token", "accuracy") if _is_ner(best) else ("accuracy",)
        ours[dataset] = best["cell"], _figure(photo, columns[0]), _figure(photo, accuracy)
    if not ours:
        return []

    def line(name: str, figures: dict[str, str]) -> str:
        return f"| {name} | " + " | ".join(figures.get(d, "-") for d in PUBLISHED_DATASETS) + " |"

    rows = [
        "| | twitter2015 | twitter2017 | mnre |",
        "|---|--:|--:|--:|",
        line("**entity F1, micro-F1 without None**", dict.fromkeys(PUBLISHED_DATASETS, "")),
        line("this zoo's chosen cell", {d: f"{100 * f1:.2f}" for d, (_, f1, _) in ours.items()}),
        *(
            line(name, dict(zip(PUBLISHED_DATASETS, figures, strict=True)))
            for name, figures in PUBLISHED.items()
        ),
        line("**token accuracy, accuracy**", dict.fromkeys(PUBLISHED_DATASETS, "")),
        line("this zoo's chosen cell", {d: f"{100 * accuracy:.2f}" for d, (_, _, accuracy) in ours.items()}),
        *(
            line(name, dict(zip(PUBLISHED_DATASETS, figures, strict=True)))
            for name, figures in REPORTED.items()
        ),
    ]
    return [
        "**Beside the report and the literature** (their original photos, far larger models)\n\n"
        + "\n".join(rows)
    ]


def _chosen(cells: Sequence[dict[str, Any]], column: tuple[str, ...]) -> dict[str, Any]:
    """The cell with the best validation figure."""
    return max(cells, key=lambda cell: _figure(cell["splits"]["valid"]["photo"], column))


def _dataset_table(dataset: str, cells: Sequence[dict[str, Any]]) -> str:
    ner = _is_ner(cells[0])
    head, columns = (NER_HEAD, NER_COLUMNS) if ner else (RE_HEAD, RE_COLUMNS)
    chosen = _chosen(cells, columns[0])
    rows = [_row(cell, columns, chosen=cell is chosen) for cell in cells]
    folded = f"<details><summary>All {len(cells)} cells, the chosen one in bold</summary>"
    lines = [f"**{dataset}**", "", folded, "", *head, *rows, "", "</details>"]
    errors = [cell["calibration"] for cell in cells if "calibration" in cell]
    if errors:
        before, after = (sum(e[when]["ece"] for e in errors) / len(errors) for when in ("before", "after"))
        lines += ["", f"Calibration error (ECE, test, mean): {before:.3f} before, {after:.3f} after."]
    return "\n".join([*lines, *_effects(cells), *_seeds(cells)])


def _effects(cells: Sequence[dict[str, Any]]) -> list[str]:
    """How many cells' photos changed F1 beyond chance, and in which direction."""
    against = [cell["photo_effect"]["against"]["none"] for cell in cells if "photo_effect" in cell]
    if not against:
        return []
    up, down = (sum(f(a) for a in against) for f in (lambda a: a["low"] > 0, lambda a: a["high"] < 0))
    changes = [100 * a["change"] for a in against]
    return [
        "",
        f"Photo against no photo, paired bootstrap over the test posts: of {len(against)} cells {up} gain "
        f"and {down} lose beyond a 95 % interval; the differences are {min(changes):+.2f} to "
        f"{max(changes):+.2f} points.",
    ]


def _seeds(cells: Sequence[dict[str, Any]]) -> list[str]:
    """Mean and standard deviation of the cells that were trained from several seeds."""
    rows = []
    for cell in (c for c in cells if c.get("seeds")):
        _, _, model, fusion = cell["cell"].split("/")
        figures = []
        for split, condition in SHOWN:
            mean, deviation = mean_and_deviation([run[split][condition] for run in cell["seeds"]])
            figures.append(f"{100 * mean:.2f} ± {100 * deviation:.2f}")
        rows.append(f"| {model} | {fusion} | {len(cell['seeds'])} | " + " | ".join(figures) + " |")
    head = [
        "",
        "| model | fusion | seeds | valid | test | blank | shuffled | none |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    return [*head, *rows] if rows else []


def _is_ner(cell: dict[str, Any]) -> bool:
    return "entity" in cell["splits"]["test"]["photo"]


def _row(cell: dict[str, Any], columns: Sequence[tuple[str, ...]], *, chosen: bool) -> str:
    """Validation, a figure for each path with the posts' own photos, then the first one without them."""
    _, _, model, fusion = cell["cell"].split("/")
    test = cell["splits"]["test"]
    values = [_figure(cell["splits"]["valid"]["photo"], columns[0])]
    values += [_figure(test["photo"], path) for path in columns]
    values += [_figure(test[condition], columns[0]) for condition in ("blank", "shuffled", "none")]
    name = f"**{fusion}**" if chosen else fusion
    return f"| {model} | {name} | " + " | ".join(f"{100 * value:.2f}" for value in values) + " |"


def _figure(scores: dict[str, Any], path: tuple[str, ...]) -> float:
    value: Any = scores
    for key in path:
        value = value[key]
    return float(value)

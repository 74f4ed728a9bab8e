"""README's tables, generated from the checkpoints' metrics.json and never typed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdemo.files import read_json
from mmdemo.types import InputError
from train.state import replace_file

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


def results_table(root: Path) -> str:
    """Markdown tables, one a dataset: the field's figure first, the report's beside it.

    The cell that validation chooses stands in bold.
    """
    by_dataset: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(root.glob("lite/*/*/*/metrics.json")):
        cell = read_json(file)
        by_dataset.setdefault(cell["cell"].split("/")[1], []).append(cell)
    return "\n\n".join(_dataset_table(dataset, cells) for dataset, cells in by_dataset.items())


def _dataset_table(dataset: str, cells: Sequence[dict[str, Any]]) -> str:
    ner = _is_ner(cells[0])
    head, columns = (NER_HEAD, NER_COLUMNS) if ner else (RE_HEAD, RE_COLUMNS)
    chosen = max(cells, key=lambda cell: _figure(cell["splits"]["valid"]["photo"], columns[0]))
    rows = [_row(cell, columns, chosen=cell is chosen) for cell in cells]
    lines = [f"**{dataset}**", "", *head, *rows]
    errors = [cell["calibration"] for cell in cells if "calibration" in cell]
    if errors:
        before, after = (sum(e[when]["ece"] for e in errors) / len(errors) for when in ("before", "after"))
        lines += ["", f"Calibration error (ECE, test, mean): {before:.3f} before, {after:.3f} after."]
    return "\n".join(lines)


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

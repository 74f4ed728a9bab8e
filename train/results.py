"""README's tables, generated from the checkpoints' metrics.json and never typed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdemo.files import read_json
from mmdemo.types import InputError
from train.state import replace_file

START, END = "<!-- results: python -m train results -->", "<!-- results end -->"

NER_HEAD = (
    "| dataset | fusion | entity F1 | strict | token accuracy | token F1 | blank | shuffled | none |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|",
)
RE_HEAD = (
    "| dataset | fusion | micro-F1 without None | macro F1 | accuracy | weighted F1 | blank | shuffled "
    "| none |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|",
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
    """Markdown tables, NER then RE, of the test split: the field's figure first, the report's beside it."""
    cells = [read_json(file) for file in sorted(root.glob("lite/*/*/*/metrics.json"))]
    ner = [_row(cell, NER_COLUMNS) for cell in cells if _is_ner(cell)]
    relations = [_row(cell, RE_COLUMNS) for cell in cells if not _is_ner(cell)]
    parts = []
    for head, rows in ((NER_HEAD, ner), (RE_HEAD, relations)):
        if rows:
            parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts)


def _is_ner(cell: dict[str, Any]) -> bool:
    return "entity" in cell["splits"]["test"]["photo"]


def _row(cell: dict[str, Any], columns: Sequence[tuple[str, ...]]) -> str:
    """One line: a figure for each path with the posts' own photos, then the first one without them."""
    _, dataset, _, fusion = cell["cell"].split("/")
    test = cell["splits"]["test"]
    values = [_figure(test["photo"], path) for path in columns]
    values += [_figure(test[condition], columns[0]) for condition in ("blank", "shuffled", "none")]
    return f"| {dataset} | {fusion} | " + " | ".join(f"{100 * value:.2f}" for value in values) + " |"


def _figure(scores: dict[str, Any], path: tuple[str, ...]) -> float:
    value: Any = scores
    for key in path:
        value = value[key]
    return float(value)

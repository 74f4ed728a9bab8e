"""README's tables, generated from the checkpoints' metrics.json and never typed."""

from pathlib import Path
from typing import Any

from mmdemo.checkpoint import read_json
from mmdemo.types import InputError
from train.state import replace_file

START, END = "<!-- results: python -m train results -->", "<!-- results end -->"

NER_HEAD = (
    "| dataset | fusion | entity F1 | strict | token accuracy | token F1 | blank | shuffled | none |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|",
)
RE_HEAD = (
    "| dataset | fusion | micro-F1 without None | macro F1 | accuracy | weighted F1 | blank photo | shuffled "
    "| no photo |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|",
)


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
    ner = [_ner_row(cell) for cell in cells if "entity" in cell["splits"]["test"]["photo"]]
    relations = [_re_row(cell) for cell in cells if "entity" not in cell["splits"]["test"]["photo"]]
    parts = []
    for head, rows in ((NER_HEAD, ner), (RE_HEAD, relations)):
        if rows:
            parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts)


def _row(cell: dict[str, Any], values: list[float]) -> str:
    _, dataset, _, fusion = cell["cell"].split("/")
    return f"| {dataset} | {fusion} | " + " | ".join(f"{100 * value:.2f}" for value in values) + " |"


def _ner_row(cell: dict[str, Any]) -> str:
    test = cell["splits"]["test"]
    own = test["photo"]
    values = [
        own["entity"]["f1"],
        own["entity_strict"]["f1"],
        own["token"]["accuracy"],
        own["token"]["f1"],
        *(test[condition]["entity"]["f1"] for condition in ("blank", "shuffled", "none")),
    ]
    return _row(cell, values)


def _re_row(cell: dict[str, Any]) -> str:
    test = cell["splits"]["test"]
    own = test["photo"]
    values = [
        own["micro_without_none"]["f1"],
        own["macro"]["f1"],
        own["accuracy"],
        own["weighted"]["f1"],
        *(test[condition]["micro_without_none"]["f1"] for condition in ("blank", "shuffled", "none")),
    ]
    return _row(cell, values)

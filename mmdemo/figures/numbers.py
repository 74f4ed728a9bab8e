"""A view's numbers to take along: CSV and JSON."""

import csv
import io
from typing import Any

from mmdemo.types import Explanation, View


def view_csv(view: View) -> str:
    """A view's numbers as CSV: one line a row, its label first; the first line names the columns.

    A label that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    rows = view.values.reshape(len(view.values), -1)
    writer.writerow(["", *(_cell(name) for name in (view.axes[1] if len(view.axes) > 1 else ("value",)))])
    for label, row in zip(view.axes[0], rows, strict=True):
        writer.writerow([_cell(label), *(f"{value:.6g}" for value in row)])
    return stream.getvalue()


def _cell(label: str) -> str:
    return f"'{label}" if label[:1] in ("=", "+", "-", "@", "\t", "\r") else label


def view_json(view: View) -> dict[str, Any]:
    """A view as JSON values."""
    return {
        "name": view.name,
        "title": view.title,
        "note": view.note,
        "kind": view.kind,
        "centre": view.centre,
        "axes": [list(axis) for axis in view.axes],
        "values": [[round(float(x), 6) for x in row] for row in view.values.reshape(len(view.values), -1)],
    }


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """An explanation's target, views and absent views as JSON values; the prediction is not repeated."""
    return {
        "checkpoint": explanation.prediction.checkpoint,
        "target": explanation.target,
        "views": [view_json(view) for view in explanation.views],
        "absent": explanation.absent,
    }

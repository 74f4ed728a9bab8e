"""The Results tab: every checkpoint's figures in one table, charts of a data set, details of a picked row."""

from typing import Any

import gradio as gr
import pandas as pd
from pandas.io.formats.style import Styler

from mmdemo.cells.catalogue import Entry, entries, known_datasets
from mmdemo.measures import shown
from mmdemo.ui.results import effect as effect_view
from mmdemo.ui.results import page as zoo_view
from mmdemo.ui.shell import card
from mmdemo.ui.shell.titles import fusion_title, sized_title

PICK = "Press a row of the table for its calibration and for where the photo helped or hurt."


def show(dataset: str) -> tuple[Styler, str, str]:
    """Rows of the table, bars and scatter of one data set; "all" lists every cell and charts the first."""
    listed, known = entries(), known_datasets()
    chosen = [e for e in listed if e.status == "ready" and dataset in ("all", e.cell.dataset.name)]
    first = next((e.cell.dataset for e in chosen), next(iter(known.values())))
    charted = known.get(dataset, first)
    charts = zoo_view.bars_html(listed, charted), zoo_view.scatter_html(listed, charted)
    return _table(chosen), *charts


def _table(chosen: list[Entry]) -> Styler:
    """The rows, sorted as numbers and shown with as many decimals as docs/results.md has."""
    frame = pd.DataFrame(zoo_view.table_rows(chosen), columns=list(zoo_view.HEADERS))
    return frame.style.format({"ECE": "{:.3f}", "MB": "{:.1f}"}, na_rep="").format(
        "{:.2f}", subset=list(zoo_view.FIGURES), na_rep=""
    )


def detail(event: gr.SelectData) -> str:
    """The picked row's scores, reliability, and what photos changed."""
    row = event.row_value or []
    for entry in entries():
        cell = entry.cell
        names = [cell.dataset.title, sized_title(cell), fusion_title(cell.fusion)]
        if names == list(row[:3]):
            measures = shown("page", *cell.dataset.tasks)
            return (
                f'<section class="mm-card"><h3>{" · ".join(map(zoo_view.safe, names))}</h3>'
                f"{card.scores_html(entry.metrics, measures)}{card.conditions_html(entry.metrics)}"
                f"{zoo_view.reliability_html(entry.metrics)}"
                f"{effect_view.effect_html(entry.metrics)}{effect_view.classes_html(entry.metrics)}</section>"
            )
    return f'<p class="mm-quiet">{PICK}</p>'


def build() -> None:
    """Lay the tab out and wire it; call inside `gr.Blocks`."""
    listed = entries()
    rows, bars, scatter = show("all")
    gr.HTML(zoo_view.notice_html(listed), apply_default_css=False, elem_id="zoo-notice")
    choices = [("All", "all"), *((dataset.title, name) for name, dataset in known_datasets().items())]
    dataset = gr.Radio(choices, value="all", label="Data set", elem_id="zoo-dataset")
    datatype: Any = ["str"] * 4 + ["number"] * (len(zoo_view.HEADERS) - 4)
    table = gr.Dataframe(
        rows,
        datatype=datatype,
        interactive=False,
        show_search="search",
        max_height=420,
        elem_id="zoo-table",
        show_label=False,
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300):
            shown_bars = gr.HTML(bars, apply_default_css=False, elem_id="zoo-bars")
        with gr.Column(scale=2, min_width=300):
            picked = gr.HTML(f'<p class="mm-quiet">{PICK}</p>', apply_default_css=False, elem_id="zoo-detail")
            shown_scatter = gr.HTML(scatter, apply_default_css=False, elem_id="zoo-scatter")
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    dataset.input(show, dataset, [table, shown_bars, shown_scatter], **quiet)
    table.select(detail, None, picked, **quiet)

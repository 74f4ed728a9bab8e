"""The Compare tab: the post of the Predict tab through all fusions of a model, or all models of a fusion."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from mmdemo.answer import compare as comparing
from mmdemo.answer.compare import ACROSS
from mmdemo.answer.comparison_json import comparison_json
from mmdemo.cells.catalogue import dataset_named, describe
from mmdemo.cells.locate import Cell
from mmdemo.formats.shared.photo_words import words_json
from mmdemo.types import Comparison, InputError, PhotoWords, Question
from mmdemo.ui.compare.page import page_html
from mmdemo.ui.compare.view import comparison_html
from mmdemo.ui.photo import panel
from mmdemo.ui.predict.asked import Asked, read_sent
from mmdemo.ui.predict.tab import FAILED, Form, form_values, heard_more
from mmdemo.ui.serve.lanes import IN_MODEL_QUEUE, MODEL
from mmdemo.ui.shell import view
from mmdemo.ui.shell.post_bar import NO_POST, post_bar_html

log = logging.getLogger(__name__)

EMPTY = "No comparison yet. Press Compare: all answers come from one pass over the post."
#: A cell of the table was pressed: tell the server which one.
PRESSED = """
element.addEventListener('click', (event) => {
  const cell = event.target.closest('button[data-column]');
  if (!cell) return;
  const {column, target} = cell.dataset;
  trigger('select', {column: Number(column), place: Number(target)});
});
"""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A comparison with what was asked, by which cells, and their metrics in the same order."""

    question: Question
    comparison: Comparison
    cells: list[Cell]
    left_out: int
    metrics: list[dict[str, Any]]


def cells_of(across: str, asked: Asked) -> tuple[Cell, ...]:
    """The cells to compare, ready or not. Raises InputError as `comparing.side_by_side`."""
    return comparing.side_by_side(
        asked.dataset, across=across, model=asked.model, fusion=asked.fusion, preset=asked.preset
    )


def ask(asked: Asked, cells: Sequence[Cell]) -> Answered:
    """The comparison of these cells (`cells_of`). Those that are not ready are left out.

    Raises:
        InputError: the post or the photo cannot be used, or no cell of the row is ready.
    """
    ready = [cell for cell in cells if not cell.problem]
    if not ready:
        raise InputError(cells[0].problem or "no checkpoint is ready")
    question = asked.question(ready[0].dataset)
    with MODEL.take():
        comparison = comparing.compare(question, ready)
    return Answered(
        question=question,
        comparison=comparison,
        cells=ready,
        left_out=len(cells) - len(ready),
        metrics=[describe(cell)["metrics"] for cell in ready],
    )


def show(*inputs: Any) -> tuple[str, str, dict[str, Any] | None, dict[str, Any], str]:
    """Post bar, table, what the downloads hold, whether they can be pressed, the page as text."""
    try:
        across, *form = inputs
        asked = form_values(form)
        found = ask(asked, cells_of(across, asked))
        scheme = found.cells[0].dataset
        note = [f"{found.left_out} more are not among the checkpoints here."] if found.left_out else []
        table = view.notes_html(note) + comparison_html(found.comparison, scheme, found.metrics)
        kept: dict[str, Any] = {"cells": [[c.preset, c.dataset.name, c.model, c.fusion] for c in found.cells]}
        kept["json"] = comparison_json(found.comparison)
        kept["asked"] = asked_of(asked.preset, asked.dataset, asked.text, asked.photo, asked.words)
        shown = replace(found.question, post=found.comparison.post)
        page = page_html(found.comparison, scheme, found.metrics)
        return post_bar_html(shown, scheme), table, kept, gr.update(visible=True), page
    except InputError as error:
        sentence = str(error)
    except Exception:
        log.exception("comparing failed")
        sentence = FAILED
    return NO_POST, view.error_html(sentence), None, gr.update(visible=False), ""


def show_again(kept: dict[str, Any] | None, *inputs: Any) -> tuple[Any, ...]:
    """The comparison on screen follows what was read in the photo or edited, as the answer does."""
    if kept:
        _, _, text, _, words = kept["asked"]
        if heard_more(text, words_json(words), inputs):
            return show(*inputs)
    return (gr.skip(),) * 5


def show_post(dataset: str, text: str, photo: str | None, said: object = None) -> str:
    """The Predict tab's post, or that there is none yet."""
    try:
        scheme = dataset_named(dataset)
        return post_bar_html(read_sent(text, scheme, photo, panel.stated(said, photo)), scheme)
    except InputError:
        return NO_POST


def asked_of(
    preset: str, dataset: str, text: str | None, photo: str | None, words: tuple[PhotoWords, ...] = ()
) -> list[Any]:
    """What a comparison was asked about, apart from model and fusion."""
    return [preset, dataset, text, photo, words]


def pressed_cell(
    kept: dict[str, Any] | None, asked: list[Any], column: object, target: object
) -> tuple[list[str], int]:
    """The names (preset, dataset, model, fusion) and target of a pressed cell, as the browser sent it.

    ``asked`` is what the Predict tab holds now (`asked_of`).

    Raises:
        InputError: there is no such cell, or the comparison was of another post or dataset.
    """
    cells = (kept or {}).get("cells") or []
    if cells and (kept or {}).get("asked") != asked:
        raise InputError("the comparison is of another post or dataset than is picked now; compare again")
    if not isinstance(column, int) or not isinstance(target, int) or not 0 <= column < len(cells):
        raise InputError("that cell is no longer there; compare again")
    return cells[column], target


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the page wires on: the table (its ``select`` event names a cell), what it holds, the choice."""

    table: gr.HTML
    kept: gr.State
    across: gr.Radio


def build(form: Form) -> Parts:
    """Lay the tab out and wire it; call inside `gr.Blocks`."""
    dataset = form.pickers[1]
    bar = gr.HTML(NO_POST, apply_default_css=False, elem_id="compare-post")
    with gr.Row(elem_id="compare-row"):
        across = gr.Radio(
            [("All fusions of the model", "fusions"), ("All models with the fusion", "models")],
            value=ACROSS[0],
            label="Side by side",
            elem_id="across",
            scale=4,
        )
        button = gr.Button("Compare", variant="primary", elem_id="compare", scale=1, min_width=140)
    table = gr.HTML(view.empty_html(EMPTY), apply_default_css=False, elem_id="comparison", js_on_load=PRESSED)
    kept = gr.State(None)
    page = gr.Textbox(visible=False)
    with gr.Row(visible=False, elem_id="compare-downloads") as downloads:
        save_page = gr.Button("Save as one HTML file", size="sm", min_width=150)
        save_json = gr.Button("Save as JSON", size="sm", min_width=120)
        link = gr.Button("Copy a link to this question", size="sm", min_width=170)
    gr.HTML('<p id="link-hint" class="mm-quiet" role="status"></p>', apply_default_css=False)

    inputs = [across, *form.inputs]
    outputs = [bar, table, kept, downloads, page]
    run: dict[str, Any] = {**IN_MODEL_QUEUE, "api_visibility": "private"}
    button.click(show, inputs, outputs, show_progress="minimal", **run)
    form.compare.click(show, inputs, outputs, show_progress="minimal", **run)
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    follow: dict[str, Any] = {**IN_MODEL_QUEUE, **quiet, "trigger_mode": "always_last"}
    form.said.change(show_again, [kept, *inputs], outputs, **follow)
    save_page.click(None, page, js="(p) => window.mmdemo.save('comparison.html', 'text/html', p)")
    text_of = gr.Textbox(visible=False)
    save_json.click(_as_text, kept, text_of, **quiet).then(
        None, text_of, js="(t) => window.mmdemo.save('comparison.json', 'application/json', t)"
    )
    link.click(None, [*form.pickers, across, form.text], js="(...a) => window.mmdemo.permalink(...a)")
    post = [dataset, form.text, form.photo, form.said]
    changes = [form.text.change, form.photo.change, form.said.change]
    gr.on(changes, show_post, post, bar, trigger_mode="always_last", **quiet)
    return Parts(table=table, kept=kept, across=across)


def _as_text(kept: dict[str, Any] | None) -> str:
    return json.dumps((kept or {}).get("json"), ensure_ascii=False, indent=2)

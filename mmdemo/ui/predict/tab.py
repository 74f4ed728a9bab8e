"""The Predict tab: one post in, its entities or its relation out, with the checkpoint's card beside."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from mmdemo.answer import predict as predicting
from mmdemo.answer.answer_json import prediction_json
from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell
from mmdemo.formats.shared.photo_words import words_json
from mmdemo.types import InputError, Prediction, Question
from mmdemo.ui.photo import panel
from mmdemo.ui.predict.asked import Asked
from mmdemo.ui.predict.example_buttons import example_buttons
from mmdemo.ui.predict.pickers import (
    Pickers,
    adapt,
    build_pickers,
    offer_fusions,
    offer_presets,
    placeholder,
    show_card,
)
from mmdemo.ui.serve.lanes import IN_MODEL_QUEUE, MODEL
from mmdemo.ui.serve.uploads import uploaded
from mmdemo.ui.shell import examples, view

log = logging.getLogger(__name__)

EMPTY = "No answer yet. Press “Entities” or “Relation” under an example, or write a post and press Predict."
FAILED = "Something went wrong on the server; it has been logged. Please try again or change the input."


def answer(question: Question, cell: Cell) -> Prediction:
    """The cell's answer, when it is this question's turn. Raises InputError as `predicting.predict`."""
    with MODEL.take():
        return predicting.predict(question, cell)


def form_values(inputs: Sequence[Any]) -> Asked:
    """What `Form.inputs` hold: the panel's value becomes the words of this photo.

    Raises:
        InputError: the browser sent words that the panel cannot hold.
    """
    preset, dataset, model, fusion, text, photo, said = inputs
    words = panel.stated(said, photo)
    return Asked(
        preset=preset, dataset=dataset, model=model, fusion=fusion, text=text, photo=photo, words=words
    )


def show_answer(*inputs: Any) -> tuple[str, dict[str, Any] | None]:
    """The answer for the page and as JSON. Whatever fails becomes one sentence; the input stays."""
    try:
        asked = form_values(inputs)
        cell = asked.cell()
        prediction = answer(asked.question(cell.dataset), cell)
        return view.result_html(prediction, cell.dataset), prediction_json(prediction)
    except InputError as error:
        sentence = str(error)
    except Exception:
        log.exception("prediction failed")
        sentence = FAILED
    return view.error_html(sentence), None


def heard_more(text: object, words: object, now: Sequence[Any]) -> bool:
    """Whether an answer is to be given again: the text is still the same, but the photo was read since, or
    its words were edited. ``words`` are as in JSON; ``now`` ends with text, photo and panel."""
    *_, text_now, photo, said = now
    try:
        return text == text_now and words != words_json(panel.stated(said, photo))
    except InputError:
        return False


def ask_again(answered: dict[str, Any] | None, *inputs: Any) -> tuple[Any, Any]:
    """The answer on screen follows what was read in the photo or edited; one of another text stays."""
    if answered and heard_more(answered.get("text"), answered.get("photo_words"), inputs):
        return show_answer(*inputs)
    return gr.skip(), gr.skip()


@dataclass(frozen=True, kw_only=True)
class Form:
    """Where a post and a cell are picked: what the Compare and Why tabs ask about too."""

    pickers: Pickers  # preset, dataset, model, fusion
    text: gr.Textbox
    photo: gr.Image
    said: gr.HTML
    compare: gr.Button
    why: gr.Button

    @property
    def inputs(self) -> list[gr.components.Component]:
        """Preset, dataset, model, fusion, text, photo, what the photo says: `form_values` reads them."""
        return [*self.pickers, self.text, self.photo, self.said]


def _upload_path(payload: ImageData | None) -> str | None:
    """The uploaded file as it is. gr.Image would decode it here, and answer a broken file with a traceback;
    our own opener checks it and says what is wrong."""
    # One that was sent to the API as an address has no path, and would pass for no photo.
    return uploaded(payload.path) if payload else None


def photo_input(elem_id: str | None = None) -> gr.Image:
    """Where a photo is put in; it gives the file as it was uploaded."""
    photo = gr.Image(
        type="filepath",
        label="Photo (optional)",
        height=226,
        sources=["upload", "clipboard"],
        buttons=[],
        alt_text="The post's photo",
        elem_id=elem_id,
    )
    photo.preprocess = _upload_path  # type: ignore[method-assign]  # see its docstring
    return photo


def _html(value: str, elem_id: str | None = None) -> gr.HTML:
    """HTML in our own style: Gradio's would draw frames around tables and dim bold text."""
    return gr.HTML(value, elem_id=elem_id, apply_default_css=False)


@dataclass(frozen=True, kw_only=True)
class PostForm:
    """Where a person puts a post in; ``own`` are the picked dataset's own examples."""

    photo: gr.Image
    said: gr.HTML
    text: gr.Textbox
    own: gr.Dropdown
    marks: gr.Column
    button: gr.Button


def _post(dataset: str) -> PostForm:
    """Where a person puts a post in: photo, text, marks, Predict."""
    known = catalogue.known_datasets()[dataset]
    with gr.Row(elem_id="post"):
        with gr.Column(scale=2, min_width=170):
            photo = photo_input("predict-photo")
        with gr.Column(scale=3, min_width=240):
            text = gr.Textbox(
                label="Text (Ctrl+Enter predicts)",
                placeholder=placeholder(known),
                lines=4,
                max_lines=8,
                elem_id="predict-text",
            )
            with gr.Column(visible=known.has_relations, elem_id="marks") as marks:
                _mark_buttons()
            texts = examples.texts_of(known)
            own = gr.Dropdown(
                texts,
                value=None,
                label="Examples of this dataset",
                visible=len(texts) > 1,
                elem_id="own-examples",
            )
            button = gr.Button("Predict", variant="primary", elem_id="predict-go")
    said = panel.build("photo-words", "predict-photo")
    return PostForm(photo=photo, said=said, text=text, own=own, marks=marks, button=button)


def _mark_buttons() -> None:
    """Buttons that mark the words selected in the text box; all of it happens in the browser (marks.js)."""
    with gr.Row():
        for label, call in (
            ("Mark as [E1]", "mark('E1')"),
            ("Mark as [E2]", "mark('E2')"),
            ("Clear marks", "clear()"),
        ):
            gr.Button(label, size="sm", min_width=84).click(fn=None, js=f"() => window.mmdemo.{call}")
    _html('<p id="mark-hint" role="status">Select words in the text, then mark them.</p>')


def build() -> Form:
    """Lay the tab out and wire it; call inside `gr.Blocks`. Gives what other tabs ask about."""
    pickers = build_pickers()
    preset, dataset, model, fusion = pickers
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=280):
            post = _post(dataset.value)
            photo, said, text = post.photo, post.said, post.text
            tries = example_buttons()
        with gr.Column(scale=6, min_width=280):
            result = _html(view.empty_html(EMPTY), elem_id="predict-result")
            with gr.Row(elem_id="further"):
                compare = gr.Button("Compare all fusions", size="sm", min_width=120, elem_id="to-compare")
                why = gr.Button("Why this answer?", size="sm", min_width=120, elem_id="to-why")
            shown_card = _html(show_card(*(p.value for p in pickers)), elem_id="card")
            with gr.Accordion("Result as JSON", open=False):
                as_json = gr.JSON(show_label=False, elem_id="result-json")

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    model.change(offer_fusions, [model, fusion], fusion, **quiet)
    gr.on([dataset.change, model.change], offer_presets, [preset, dataset, model], preset, **quiet)
    for picker in pickers:
        picker.change(adapt, [*pickers], [text, post.marks, post.own, shown_card], **quiet)
    post.own.input(lambda chosen: chosen or "", post.own, text, **quiet)
    ask: dict[str, Any] = {
        "fn": show_answer,
        "inputs": [*pickers, text, photo, said],
        "outputs": [result, as_json],
        **IN_MODEL_QUEUE,
        "api_visibility": "private",
        "show_progress": "minimal",
    }
    reveal: dict[str, Any] = {"fn": None, "js": "() => window.mmdemo.reveal()"}
    # Without a sign of it: most have nothing to do, and the answer would be drawn faint meanwhile.
    refresh: dict[str, Any] = {
        **ask,
        "fn": ask_again,
        "inputs": [as_json, *ask["inputs"]],
        "show_progress": "hidden",
    }
    gr.on([post.button.click, text.submit], **ask).then(**reveal).then(**refresh)
    for one in tries:
        filled = one.button.click(one.tried.fill, [preset, dataset], [preset, dataset, text, photo], **quiet)
        filled.success(**ask).then(**reveal).then(**refresh)
    shown = photo.change(panel.begin, [photo, said], said, trigger_mode="always_last", **quiet)
    shown.then(panel.finish, [photo, said], said, **panel.IN_PHOTO_QUEUE, **quiet).then(**refresh)
    said.input(**refresh)
    return Form(pickers=pickers, text=text, photo=photo, said=said, compare=compare, why=why)

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
from mmdemo.datasets.schema import Dataset
from mmdemo.models.config import FUSIONS, MODELS
from mmdemo.posts.question import read_post
from mmdemo.types import InputError, PhotoWords, Prediction
from mmdemo.ui.photo import panel
from mmdemo.ui.predict.example_buttons import example_buttons
from mmdemo.ui.serve.lanes import IN_MODEL_QUEUE, MODEL
from mmdemo.ui.serve.uploads import uploaded
from mmdemo.ui.shell import card, examples, view
from mmdemo.ui.shell.titles import fusion_title, model_title, picker_title

log = logging.getLogger(__name__)

EMPTY = "No answer yet. Press “Entities” or “Relation” under an example, or write a post and press Predict."
FAILED = "Something went wrong on the server; it has been logged. Please try again or change the input."
Pickers = tuple[gr.Dropdown, gr.Dropdown, gr.Dropdown, gr.Dropdown]
#: One idea, named by whether the encoders are two or joint.
BASELINES = tuple(fusion.name for fusion in FUSIONS.values() if fusion.baseline)


def ready_cell(preset: str, dataset: str, model: str, fusion: str) -> Cell:
    """The picked cell. Raises InputError where there is none of this name, or it cannot run."""
    cell = catalogue.find_cell(dataset, model, fusion, preset)  # `cells` would read every card
    if cell.problem:
        raise InputError(cell.problem)
    return cell


def answer(
    preset: str,
    dataset: str,
    model: str,
    fusion: str,
    text: str,
    photo: str | None,
    words: tuple[PhotoWords, ...] = (),
) -> tuple[Prediction, Dataset]:
    """Read the post and ask the picked checkpoint; its answer, and the dataset whose labels that has.

    Raises:
        InputError: the post, the photo or the checkpoint cannot be used.
    """
    cell = ready_cell(preset, dataset, model, fusion)
    # Half of a surrogate pair (a cut emoji) cannot be sent back as JSON.
    whole = (text or "").encode("utf-8", "replace").decode("utf-8")
    question = read_post(whole, cell.dataset, photo, words)
    with MODEL.take():
        return predicting.predict(question, cell), cell.dataset


def form_values(inputs: Sequence[Any]) -> tuple[Any, ...]:
    """What `Form.inputs` hold, as `answer` takes it: the panel's value becomes the words of this photo.

    Raises:
        InputError: the browser sent words that the panel cannot hold.
    """
    *rest, said = inputs
    return *rest, panel.stated(said, rest[-1])


def show_answer(*inputs: Any) -> tuple[str, dict[str, Any] | None]:
    """The answer for the page and as JSON. Whatever fails becomes one sentence; the input stays."""
    try:
        prediction, dataset = answer(*form_values(inputs))
        return view.result_html(prediction, dataset), prediction_json(prediction)
    except InputError as error:
        sentence = str(error)
    except Exception:
        log.exception("prediction failed")
        sentence = FAILED
    return view.error_html(sentence), None


def show_card(preset: str, dataset: str, model: str, fusion: str) -> str:
    """The card of the picked cell, or why it cannot run and what can instead."""
    try:
        cell = ready_cell(preset, dataset, model, fusion)
        return card.card_html(cell, catalogue.describe(cell))
    except InputError as error:
        problem = str(error)
    ready = [
        f"{model_title(c.model)} with {fusion_title(c.fusion)}"
        for c in catalogue.cells()
        if c.dataset.name == dataset and not c.problem
    ]
    return card.missing_html(f"{preset}/{dataset}/{model}/{fusion}", problem, ready)


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


def fusion_choices(model: str) -> list[tuple[str, str]]:
    """(title, name) of the fusions that fit a model: the zoo's, and others that have been trained."""
    names = catalogue.pickable(model) if model in MODELS else FUSIONS
    return [(fusion_title(name), name) for name in names]


def fitting(model: str, fusion: str) -> str:
    """The fusion, or what stands in its place where the model has another baseline."""
    names = [name for _, name in fusion_choices(model)]
    if fusion in names:
        return fusion
    return next((name for name in names if fusion in BASELINES and name in BASELINES), names[0])


def offer_fusions(model: str, fusion: str) -> dict[str, Any]:
    """After the model changed: the fusions that fit it.

    The picked one is left alone where it fits: a link sets both pickers, and ``fusion`` may be outdated.
    """
    fits = fitting(model, fusion)
    choices = fusion_choices(model)
    return gr.update(choices=choices) if fits == fusion else gr.update(choices=choices, value=fits)


def adapt(
    preset: str, dataset: str, model: str, fusion: str
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]:
    """After a picker changed: placeholder, whether pairs are marked, the dataset's own examples, the card."""
    known = catalogue.known_datasets().get(dataset)
    if known is None:  # its checkpoints were taken away meanwhile
        return gr.update(), gr.update(), gr.update(), show_card(preset, dataset, model, fusion)
    return (
        gr.update(placeholder=placeholder(known)),
        gr.update(visible=known.has_relations),
        own_examples(known),
        show_card(preset, dataset, model, fitting(model, fusion)),
    )


def placeholder(dataset: Dataset) -> str:
    """What the empty text box shows: the dataset's first example, or what to do."""
    return next(iter(examples.texts_of(dataset)), "Type or paste a post")


def own_examples(dataset: Dataset) -> dict[str, Any]:
    """The dataset's examples as choices; hidden where its only one is the placeholder."""
    texts = examples.texts_of(dataset)
    return gr.update(choices=texts, value=None, visible=len(texts) > 1)


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


def _pickers() -> Pickers:
    """Preset (hidden where there is only one), dataset, model and fusion; a ready cell is picked."""
    cells = catalogue.cells()
    ready = [c for c in cells if not c.problem] or list(cells)
    first = next((c for c in ready if c.dataset.default), ready[0])
    presets = list(dict.fromkeys(c.preset for c in cells))
    names = {c.dataset.name: picker_title(c.dataset) for c in cells}
    datasets = [(title, name) for name, title in names.items()]
    with gr.Row(elem_id="pickers"):
        dataset = gr.Dropdown(datasets, value=first.dataset.name, label="Dataset", min_width=200)
        models = [(model_title(m), m) for m in dict.fromkeys(c.model for c in cells)]
        model = gr.Dropdown(models, value=first.model, label="Model", min_width=200)
        # All fusions: `layout` narrows them in each session, which the server may forget.
        every = [(fusion_title(name), name) for name in FUSIONS]
        fusion = gr.Dropdown(every, value=first.fusion, label="Fusion", min_width=120)
        preset = gr.Dropdown(
            presets, value=first.preset, label="Size", visible=len(presets) > 1, min_width=100
        )
    return preset, dataset, model, fusion


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
            photo = photo_input("photo")
        with gr.Column(scale=3, min_width=240):
            text = gr.Textbox(
                label="Text (Ctrl+Enter predicts)",
                placeholder=placeholder(known),
                lines=4,
                max_lines=8,
                elem_id="post-text",
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
            button = gr.Button("Predict", variant="primary", elem_id="predict")
    said = panel.build()
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
    pickers = _pickers()
    dataset = pickers[1]
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=280):
            post = _post(dataset.value)
            photo, said, text = post.photo, post.said, post.text
            tries = example_buttons()
        with gr.Column(scale=6, min_width=280):
            result = _html(view.empty_html(EMPTY), elem_id="result")
            with gr.Row(elem_id="further"):
                compare = gr.Button("Compare all fusions", size="sm", min_width=120, elem_id="to-compare")
                why = gr.Button("Why this answer?", size="sm", min_width=120, elem_id="to-why")
            shown_card = _html(show_card(*(p.value for p in pickers)), elem_id="card")
            with gr.Accordion("Result as JSON", open=False):
                as_json = gr.JSON(show_label=False, elem_id="result-json")

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    _, _, model, fusion = pickers
    model.change(offer_fusions, [model, fusion], fusion, **quiet)
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
    gr.on([post.button.click, text.submit], **ask).then(**reveal)
    for one in tries:
        filled = one.button.click(one.tried.fill, dataset, [dataset, text, photo], **quiet)
        filled.success(**ask).then(**reveal)
    _keep_words(photo, said, as_json, ask, quiet)
    return Form(pickers=pickers, text=text, photo=photo, said=said, compare=compare, why=why)


def _keep_words(
    photo: gr.Image, said: gr.HTML, as_json: gr.JSON, ask: dict[str, Any], quiet: dict[str, Any]
) -> None:
    """Read a photo's words when it is put in; an answer on screen follows what is read and what is edited."""

    def again(answered: dict[str, Any] | None, *inputs: Any) -> tuple[Any, Any]:
        return show_answer(*inputs) if answered else (gr.skip(), gr.skip())

    refresh: dict[str, Any] = {**ask, "fn": again, "inputs": [as_json, *ask["inputs"]]}
    shown = photo.change(panel.begin, [photo, said], said, trigger_mode="always_last", **quiet)
    shown.then(panel.finish, [photo, said], said, **panel.IN_PHOTO_QUEUE, **quiet).then(**refresh)
    said.input(**refresh)

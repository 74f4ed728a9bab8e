"""The Extract tab, the front door: a post in, its entities and the relations between them out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from mmdemo.datasets.schema import Task
from mmdemo.ui.extract import sending
from mmdemo.ui.extract.handlers import ask_again, edit, pair, run, stop
from mmdemo.ui.extract.pickers import build_pickers, by_line, follow
from mmdemo.ui.photo import panel
from mmdemo.ui.predict.tab import photo_input
from mmdemo.ui.serve.lanes import IN_MODEL_QUEUE
from mmdemo.ui.serve.uploads import found_again
from mmdemo.ui.shell import examples, view
from mmdemo.ui.shell.assets import head_of
from mmdemo.ui.shell.permalink import Link

ASSETS = Path(__file__).parent
#: In the order in which they need each other.
SCRIPTS = ("grips", "hands")
STYLES = ("form", "text", "answer", "below")
EMPTY = "No answer yet. Try an example, or write a post and press Extract."
PLACEHOLDER = "Paste a post. Marks ask for one pair alone: [E1] Ann [/E1] met [E2] Bob [/E2]"
HINT = '<p id="extract-link" class="mm-quiet" role="status"></p>'
GONE = "The link names a photo that is not kept here any more (photos go after a day): put it in again."
MOUNT = "window.mmextract.mount(element, (name, data) => trigger(name, data), watch);"


def head() -> str:
    """The tab's style and scripts, for the page's head, behind the arcs (`mmdemo.ui.arcs`)."""
    return head_of(ASSETS, STYLES, SCRIPTS)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the page and other tabs wire on. The answer's ``expand`` event asks why."""

    pickers: dict[Task, gr.Dropdown]
    text: gr.Textbox
    photo: gr.Image
    said: gr.HTML
    answer: gr.HTML
    pair: gr.HTML
    below: gr.HTML
    as_json: gr.JSON
    told: gr.HTML

    @property
    def inputs(self) -> list[gr.components.Component]:
        """Both cells, text, photo, what the photo says: `mmdemo.ui.extract.asked.read_form` reads them."""
        return [*self.pickers.values(), self.text, self.photo, self.said]

    @property
    def outputs(self) -> list[gr.components.Component]:
        return [self.answer, self.pair, self.below, self.as_json]


@dataclass(frozen=True, kw_only=True)
class _Form:
    """Where a post is put in, and the buttons that fill it with an example."""

    text: gr.Textbox
    photo: gr.Image
    said: gr.HTML
    go: gr.Button
    tries: list[tuple[gr.Button, str, str]]


def _html(value: str, elem_id: str | None = None, script: str | None = None) -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, apply_default_css=False, js_on_load=script)


def _form() -> _Form:
    # The page's first box, button and answer have the ids that they had in 0.2.0: scripts press them.
    with gr.Row(elem_id="extract-post", equal_height=False):
        with gr.Column(scale=5, min_width=280):
            text = gr.Textbox(
                label="Text (Ctrl+Enter extracts)",
                placeholder=PLACEHOLDER,
                lines=4,
                max_lines=8,
                elem_id="post-text",
            )
            go = gr.Button("Extract", variant="primary", elem_id="predict")
            tries = _examples()
        with gr.Column(scale=2, min_width=190):
            photo = photo_input("photo")
        with gr.Column(scale=3, min_width=220):
            said = panel.build("extract-words", "photo")
    return _Form(text=text, photo=photo, said=said, go=go, tries=tries)


def _examples() -> list[tuple[gr.Button, str, str]]:
    """A button for each example post: its text without marks, and its photo."""
    found = [
        (e.title, e.texts["entities"], str(path)) for e, path in examples.available() if "entities" in e.texts
    ]
    if not found:
        return []
    with gr.Row(elem_id="extract-examples"):
        _html('<p class="mm-quiet">Try:</p>')
        return [
            (gr.Button(title, size="sm", min_width=60, variant="secondary"), text, photo)
            for title, text, photo in found
        ]


def build() -> Parts:
    """Lay the tab out and wire it; call inside `gr.Blocks`."""
    by = _html("", "extract-by")
    with gr.Accordion("Choose who answers", open=False, elem_id="extract-who"):
        pickers = build_pickers()
    by.value = by_line(*(picker.value for picker in pickers.values()))
    form = _form()
    answer = _html(view.empty_html(EMPTY), "result", MOUNT)
    pair_shown = _html("", "extract-pair", "window.mmextract.told(watch);")
    below = _html("", "extract-below", None)
    with gr.Row(elem_id="extract-further"):
        link = gr.Button("Copy a link to this question", size="sm", min_width=170)
    told = _html(HINT, "extract-told")
    with gr.Accordion("Send to review", open=False):
        desk = sending.build()
    with gr.Accordion("Result as JSON", open=False):
        as_json = gr.JSON(show_label=False, elem_id="extract-json")
    parts = Parts(
        pickers=pickers,
        text=form.text,
        photo=form.photo,
        said=form.said,
        answer=answer,
        pair=pair_shown,
        below=below,
        as_json=as_json,
        told=told,
    )
    _wire(parts, form, by)
    link.click(None, parts.inputs[:-1], js="(...a) => window.mmextract.link(...a)")
    sending.wire(desk, [as_json, *parts.inputs])
    return parts


def _wire(parts: Parts, form: _Form, by: gr.HTML) -> None:
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    model: dict[str, Any] = {**quiet, **IN_MODEL_QUEUE}
    kept = [parts.as_json, *parts.inputs]
    names = list(parts.pickers.values())
    names[0].input(follow, names, names[1], **quiet)
    for picker in names:
        picker.change(by_line, names, by, **quiet)

    ask: dict[str, Any] = {"fn": run, "inputs": parts.inputs, "outputs": parts.outputs, **model}
    reveal: dict[str, Any] = {"fn": None, "js": "() => window.mmextract.reveal()"}
    refresh: dict[str, Any] = {**ask, "fn": ask_again, "inputs": kept}
    gr.on([form.go.click, form.text.submit], **ask).then(**reveal).then(**refresh)
    for button, text, photo in form.tries:
        filled = button.click(_filling(text, photo), None, [form.text, form.photo], **quiet)
        filled.success(**ask).then(**reveal).then(**refresh)
    shown = form.photo.change(
        panel.begin, [form.photo, form.said], form.said, trigger_mode="always_last", **quiet
    )
    read = shown.then(panel.finish, [form.photo, form.said], form.said, **panel.IN_PHOTO_QUEUE, **quiet)
    read.then(**refresh)
    form.said.input(**refresh)

    parts.answer.edit(edit, kept, parts.outputs, trigger_mode="multiple", **model)
    parts.answer.select(pair, kept, parts.pair, trigger_mode="always_last", **model)
    parts.answer.stop(stop, None, None, queue=False, **quiet)


def _filling(text: str, photo: str) -> Any:
    return lambda: (text, photo)


def from_link(asked: Link) -> list[Any]:
    """What a link says: both pickers, text, photo, and what is to be said of it."""
    photo = found_again(asked.photo) if asked.photo else None
    gone = view.notes_html([GONE]) if asked.photo and not photo else ""
    values = [asked.entities, asked.relations, asked.text, photo]
    updates = [gr.update() if value is None else gr.update(value=value) for value in values]
    return [*updates, gone + HINT if gone else gr.update()]

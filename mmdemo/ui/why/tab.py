"""The Why tab: what a fusion did with the Predict tab's post, and what it would have said otherwise."""

import logging
from collections.abc import Callable
from typing import Any

import gradio as gr

from mmdemo.answer import explain as explaining
from mmdemo.answer.answer_json import explained_json
from mmdemo.answer.imagine import counterfactuals
from mmdemo.cells.locate import Cell
from mmdemo.datasets.examples import example_photos
from mmdemo.formats.shared.photo_words import words_json
from mmdemo.types import Explanation, InputError, Question
from mmdemo.ui.compare.tab import Parts as Compared
from mmdemo.ui.compare.tab import asked_of, pressed_cell
from mmdemo.ui.extract.reasons import lead
from mmdemo.ui.extract.tab import Parts as Extracted
from mmdemo.ui.photo import panel
from mmdemo.ui.predict import pickers
from mmdemo.ui.predict.tab import FAILED, Form, form_values, heard_more
from mmdemo.ui.serve.lanes import EXPLAIN, IN_EXPLAIN_QUEUE
from mmdemo.ui.shell import view
from mmdemo.ui.shell.post_bar import NO_POST, post_bar_html
from mmdemo.ui.shell.safe import sentence
from mmdemo.ui.why import page as why_view
from mmdemo.ui.why.imagining import imagine, imagine_form
from mmdemo.ui.why.page import ALL_PANELS, SECTIONS

log = logging.getLogger(__name__)

EMPTY = (
    "No explanation yet. Press Explain; it asks the picked checkpoint many times, so it takes a few seconds."
)
OUTDATED = "What the photo says has changed since; press Explain to ask with the words as they are now."
#: More than the words of any post.
MOST_TARGETS = 1_000_000
TITLES = {
    "fusion": "What the fusion did",
    "photo": "Where in the photo",
    "words": "Which words, and what the photo added",
}
#: The page's colours travel with the last input, so that figures fit light and dark.
WITH_DARK = "(...a) => [...a.slice(0, -1), document.body.classList.contains('dark')]"


def ask(cell: Cell, question: Question, target: int | None) -> Explanation:
    """The cell's explanation of the post. A target that this answer lacks falls back to its surest.

    Raises:
        InputError: as `explaining.explain`.
    """
    others = example_photos()
    with EXPLAIN.take():
        try:
            return explaining.explain(question, cell, target=target, others=others)
        except InputError:
            if target is None:
                raise
            return explaining.explain(question, cell, others=others)


def show(*inputs: Any) -> tuple[Any, ...]:
    """Everything of the tab, in the order of ``shown`` in `build`."""
    *values, target, top, dark = inputs
    try:
        asked = form_values(values)
        cell = asked.cell()
        question = asked.question(cell.dataset)
        found = ask(cell, question, target)
        with EXPLAIN.take():
            cases = counterfactuals(question, cell, others=example_photos())
        targets = why_view.targets_of(found.prediction, cell.dataset.none)
        known = target in [value for _, value in targets]
        chosen = target if known else why_view.surest_target(found.prediction)
        sections = [why_view.section_html(found, name, dark=dark, top=int(top)) for name in SECTIONS]
        panels = why_view.panels_of(found)
        words = why_view.words_read(found.prediction)
        photo = found.prediction.post.image
        return (
            found,
            post_bar_html(Question(post=found.prediction.post, ask=found.prediction.ask), cell.dataset),
            why_view.headline_html(found),
            gr.update(choices=targets, value=chosen),
            gr.update(choices=panels, value=ALL_PANELS, visible=len(panels) > 1),
            *sections,
            why_view.counterfactuals_html(cases, cell.dataset.none) + why_view.absent_html(found),
            gr.update(value=photo if not isinstance(photo, str) else None, visible=photo is not None),
            gr.update(choices=words, value=[]),
            gr.update(choices=words, value=None),
            gr.update(visible=True),
        )
    except InputError as error:
        message = str(error)
    except Exception:
        log.exception("explaining failed")
        message = FAILED
    same = [gr.update() for _ in range(2)]
    empty = ["" for _ in SECTIONS]
    rest = [gr.update() for _ in range(3)]
    return None, NO_POST, why_view.failed_html(message), *same, *empty, "", *rest, gr.update(visible=False)


def outdated(found: Explanation | None, *now: Any) -> Any:
    """The headline once the photo was read or its words edited after the explanation, which asks the
    checkpoint too often to follow by itself. ``now`` ends with text, photo and panel."""
    if isinstance(found, Explanation):
        post = found.prediction.post
        if heard_more(post.text, words_json(post.photo_words), now):
            return why_view.headline_html(found) + view.notes_html([OUTDATED])
    return gr.skip()


def redraw(section: str) -> Callable[..., Any]:
    """A handler that draws one section again, with another number of channels or another panel."""

    def draw(found: Explanation | None, top: float, panel: str, dark: bool) -> Any:
        if not isinstance(found, Explanation):  # `mmdemo.ui.shell.sessions` has forgotten this visitor
            gr.Warning("This explanation is not kept any more; press Explain again.")
            return gr.update()
        return why_view.section_html(found, section, dark=dark, top=int(top), panel=panel)

    return draw


def explained(question: Question, cell: Cell, target: float | None) -> dict[str, Any]:
    """A cell's explanation as JSON: views with all their numbers, and imagined posts.

    Raises:
        InputError: as `explaining.explain`.
    """
    others = example_photos()
    whole = _whole(target)
    with EXPLAIN.take():
        found = explaining.explain(question, cell, target=whole, others=others)
        cases = counterfactuals(question, cell, others=others)
    return explained_json(found, cases)


def _whole(target: object) -> int | None:
    """A target as sent: JSON knows no whole numbers. Raises InputError for one that is none."""
    if target is None:
        return None
    if isinstance(target, int | float) and abs(target) < MOST_TARGETS and float(target).is_integer():
        return int(target)
    raise InputError(f"a target is a whole number, not {str(target)[:40]}")


def pick(
    kept: dict[str, Any] | None,
    preset: str,
    dataset: str,
    text: str,
    photo: str | None,
    said: object,
    event: gr.EventData,
) -> tuple[Any, ...]:
    """A pressed cell of the comparison: its model and fusion into the pickers, its target, the Why tab.

    Raises:
        gr.Error: there is no such cell any more; nothing is explained then.
    """
    place = getattr(event, "column", None), getattr(event, "place", None)
    try:
        asked_now = asked_of(preset, dataset, text, photo, panel.stated(said, photo))
        (_, _, model, fusion), target = pressed_cell(kept, asked_now, *place)
    except InputError as error:
        raise gr.Error(sentence(str(error)), print_exception=False) from error
    choices = pickers.fusion_choices(model)
    asked = gr.update(choices=[("the pressed cell", target)], value=target)  # `show` gives the real ones
    return model, gr.update(choices=choices, value=fusion), asked, gr.Tabs(selected="why-tab")


def build(form: Form, tabs: gr.Tabs, compared: Compared, extracted: Extracted) -> None:
    """Lay the tab out and wire it to the form, the tabs, and the answers whose parts are asked why."""
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    found = gr.State(None)
    bar = gr.HTML(NO_POST, apply_default_css=False, elem_id="why-post")
    with gr.Row(elem_id="why-row"):
        target = gr.Dropdown([], label="Explain", value=None, elem_id="why-target", scale=3, min_width=220)
        button = gr.Button("Explain", variant="primary", elem_id="explain", scale=1, min_width=140)
    headline = gr.HTML(view.empty_html(EMPTY), apply_default_css=False, elem_id="why-headline")
    dark = gr.Checkbox(visible=False)
    with gr.Column(visible=False, elem_id="why") as figures:
        top, panel, sections = _figures()
        gr.HTML('<h3 class="mm-section">The same post, imagined otherwise</h3>', apply_default_css=False)
        cases = gr.HTML("", apply_default_css=False, elem_id="why-cases")
        *otherwise, try_it, imagined = imagine_form()
        editor, masked, word = otherwise[:3]

    asked = [*form.inputs, target, top, dark]
    shown = [found, bar, headline, target, panel, *sections.values(), cases, editor, masked, word, figures]
    slow: dict[str, Any] = {
        **IN_EXPLAIN_QUEUE,
        "api_visibility": "private",
        "js": WITH_DARK,
        "show_progress_on": [headline],
    }
    button.click(show, asked, shown, **slow)
    now = [found, form.text, form.photo, form.said]
    form.said.change(outdated, now, headline, trigger_mode="always_last", **quiet)
    target.input(show, asked, shown, **slow)
    form.why.click(lambda: (gr.Tabs(selected="why-tab"), None), None, [tabs, target], **quiet).then(
        show, asked, shown, **slow
    )
    preset, dataset, model, fusion = form.pickers
    compared.table.select(
        pick,
        [compared.kept, preset, dataset, form.text, form.photo, form.said],
        [model, fusion, target, tabs],
        **quiet,
    ).success(show, asked, shown, **slow)
    extracted.answer.expand(
        lead,
        [extracted.as_json, *extracted.inputs],
        [*form.inputs, target, tabs],
        trigger_mode="always_last",
        **quiet,
    ).success(show, asked, shown, **slow)
    state = [found, top, panel, dark]
    top.release(redraw("fusion"), state, sections["fusion"], js=WITH_DARK, **quiet)
    panel.input(redraw("photo"), state, sections["photo"], js=WITH_DARK, **quiet)
    try_it.click(
        imagine,
        [*form.inputs, *otherwise],
        imagined,
        api_visibility="private",
        **IN_EXPLAIN_QUEUE,
    )


def _figures() -> tuple[gr.Slider, gr.Dropdown, dict[str, gr.HTML]]:
    """The sections of figures, under their titles, and what narrows them: how many channels, which head."""
    sections = {}
    for name, title in TITLES.items():
        gr.HTML(f'<h3 class="mm-section">{title}</h3>', apply_default_css=False)
        if name == "fusion":
            top = gr.Slider(4, 96, value=24, step=4, label="Channels shown, strongest first")
        if name == "photo":
            panel = gr.Dropdown([ALL_PANELS], value=ALL_PANELS, label="Attention head", elem_id="why-head")
        sections[name] = gr.HTML("", apply_default_css=False, elem_id=f"why-{name}")
    return top, panel, sections

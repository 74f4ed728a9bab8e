"""What stands below the editor and runs models: example posts, and predictions for a queue."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from mmdemo import pipeline
from mmdemo.types import InputError
from mmdemo.ui import review_predict, view
from mmdemo.ui.review_calls import FAILED, reviewer_of, store
from mmdemo.ui.safe import safe

log = logging.getLogger(__name__)

MODEL_QUEUE = "model"  # as in predict_tab: one model runs at a time
#: Fills a tool's first two inputs in the browser: the queue on screen and the reviewer's name.
HERE = "async (queue, name, ...rest) => [...(await window.mmreview.here()), ...rest]"
#: Shows the queue that a tool names in its first output.
SHOW = "(queue) => { if (queue) window.mmreview.refresh(queue); }"
#: (queue to show afterwards, HTML that says what was done).
Told = tuple[str | None, str]


def done_html(text: str, warnings: tuple[str, ...] = ()) -> str:
    """What a tool has done, announced politely, with what to mind."""
    return f'<p class="rv-told" role="status">{safe(text)}</p>{view.notes_html(warnings)}'


def told(handle: Callable[..., Any]) -> Callable[..., Any]:
    """Let a tool, whose last output is HTML, fail in one sentence there."""

    @wraps(handle)
    def safely(*values: Any) -> Any:
        try:
            return handle(*values)
        except InputError as error:
            return None, view.error_html(str(error))
        except Exception:
            log.exception("%s failed", handle.__name__)
            return None, view.error_html(FAILED)

    return safely


def wire(button: gr.Button, handle: Callable[..., Any], inputs: list[Any], first: Any = None, **more: Any) -> None:
    """Run a tool on click and say below its button what it did.

    ``first`` is the component of its first output; without one that is the queue to show.
    """
    here = [gr.Textbox(visible=False), gr.Textbox(visible=False)]
    shown = first or gr.Textbox(visible=False)
    words = gr.HTML(apply_default_css=False)
    quiet = {"api_visibility": "private", "show_progress_on": [words]}
    run = button.click(handle, [*here, *inputs], [shown, words], js=HERE, **quiet, **more)
    if first is None:
        run.then(None, shown, None, js=SHOW)


def note(text: str) -> None:
    """A quiet line of help."""
    gr.HTML(f'<p class="rv-note-line">{text}</p>', apply_default_css=False)


# --- examples --------------------------------------------------------------------------------------


@told
def load_examples(_: str, name: str, profile: gr.OAuthProfile | None = None) -> Told:
    """Two queues of one's own with the example posts, predicted."""
    reviewer = reviewer_of(name, profile)
    made = [review_predict.example_queue(store(), task, reviewer) for task in ("re", "ner")]
    return made[-1], done_html(f"Made the queues “{made[0]}” and “{made[1]}”.")


def examples_tool() -> None:
    """A button that fills queues with the example posts."""
    note("Three posts of our own, with predictions to correct: their entities, and a relation each.")
    button = gr.Button("Load the examples", elem_id="review-examples")
    wire(button, load_examples, [], concurrency_id=MODEL_QUEUE)


# --- predict ---------------------------------------------------------------------------------------


@told
def predict(
    queue: str,
    name: str,
    cell: str,
    compare: bool,
    blind: bool,
    profile: gr.OAuthProfile | None = None,
    progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio is told to pass one
) -> Told:
    """Suggest answers to the queue's undecided posts, with a bar that shows how far it is."""
    reviewer_of(name, profile)
    chosen = next((c for c in pipeline.cells() if c.name == cell and not c.problem), None)
    found = next((q for q in store().queues() if q.name == queue), None)
    if chosen is None or found is None:
        raise InputError("open a queue and choose a checkpoint first")
    if chosen.dataset != found.dataset:
        raise InputError(f"the queue holds {found.dataset} posts; choose a checkpoint of {found.dataset}")
    made = review_predict.predict_queue(
        store(),
        queue,
        chosen,
        compare=bool(compare),
        blind=bool(blind),
        progress=lambda done, total: progress((done, total), unit="posts"),
    )
    text = f"{made} posts predicted by {chosen.name}." if made else "Nothing was left to predict."
    return queue, done_html(text)


def predict_tool() -> None:
    """Choose a checkpoint and let it suggest answers to the posts on screen."""
    ready = [c.name for c in pipeline.cells() if not c.problem]
    note("Suggests answers to the queue's undecided posts. If it is broken off, press again to go on.")
    cell = gr.Dropdown(ready, value=ready[0] if ready else None, label="Checkpoint", elem_id="review-cell")
    compare = gr.Checkbox(False, label="Ask the other fusions too (orders by disagreement)")
    blind = gr.Checkbox(False, label="Ask without the photo too (orders by what it changes)")
    button = gr.Button("Predict the queue", elem_id="review-predict")
    wire(button, predict, [cell, compare, blind], concurrency_id=MODEL_QUEUE)

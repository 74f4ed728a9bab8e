"""How the tools below the editor run: with the queue on screen and the reviewer's name, failing in words."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr
from gradio.components import Component

from mmdemo.types import InputError
from mmdemo.ui.review.calls import FAILED
from mmdemo.ui.shell import view
from mmdemo.ui.shell.safe import safe

log = logging.getLogger(__name__)

#: Fills a tool's first two inputs in the browser: the queue on screen and the reviewer's name.
HERE = "async (queue, name, ...rest) => [...(await window.mmreview.here()), ...rest]"
#: Shows the queue that a tool names in its first output.
SHOW = "(queue) => { if (queue) window.mmreview.refresh(queue); }"
#: Hides a file that was made from other settings, and what was said of it.
HIDE = "() => [{__type__: 'update', value: null, visible: false}, '']"
#: Takes away what a tool said last, which would pass for the answer to this press.
HUSH = "() => ''"
#: (queue to show afterwards, HTML that says what was done).
Told = tuple[str | None, str]
NOTED = 10  # warnings shown; a file of thousands of posts may have as many


def done_html(text: str, warnings: tuple[str, ...] = ()) -> str:
    """What a tool has done, announced politely, with what to mind."""
    shown = warnings[:NOTED]
    if len(warnings) > NOTED:
        shown = (*shown, f"and {len(warnings) - NOTED} more of the kind")
    return f'<div class="rv-told" role="status"><p>{safe(text)}</p>{view.notes_html(shown)}</div>'


def told(handle: Callable[..., Any]) -> Callable[..., Any]:
    """Let a tool, whose last output is HTML, fail in one sentence there."""

    @wraps(handle)
    def safely(*values: Any) -> Any:
        try:
            return handle(*values)
        except InputError as error:
            log.warning("refused %s: %.300s", handle.__name__, error)
            return None, view.error_html(str(error))
        except Exception:
            log.exception("%s failed", handle.__name__)
            return None, view.error_html(FAILED)

    return safely


def wire(
    button: gr.Button,
    handle: Callable[..., Any],
    inputs: list[Component],
    file: gr.File | None = None,
    **more: Any,
) -> None:
    """Run a tool on click and say below its button what it did.

    Its first output is the queue to show afterwards or, where there is a ``file``, what that offers: until
    an input changes or the button is pressed again, lest an older file be taken for the one asked for.
    """
    here = [gr.Textbox(visible=False), gr.Textbox(visible=False)]
    shown = file or gr.Textbox(visible=False)
    words = gr.HTML(apply_default_css=False, min_height=24)
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress_on": [words]}
    if file is None:
        button.click(None, None, words, js=HUSH)
    else:
        # Gradio adds events to a component's class as it is made, which no type checker sees:
        changes = [one.change for one in inputs]  # type: ignore[attr-defined]  # see above
        gr.on([button.click, *changes], None, None, [file, words], js=HIDE)
    run = button.click(handle, [*here, *inputs], [shown, words], js=HERE, **quiet, **more)
    if file is None:
        run.then(None, shown, None, js=SHOW)


def note(text: str) -> None:
    """A quiet line of help."""
    gr.HTML(f'<p class="rv-note-line">{text}</p>', apply_default_css=False)

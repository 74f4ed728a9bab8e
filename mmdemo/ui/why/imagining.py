"""The Why tab's form for imagining a post otherwise, and the answer to what was imagined."""

import logging
from typing import Any

import gradio as gr
import numpy as np

from mmdemo.answer.imagine import counterfactuals
from mmdemo.types import InputError
from mmdemo.ui.predict.tab import FAILED, form_values
from mmdemo.ui.serve.lanes import EXPLAIN
from mmdemo.ui.serve.uploads import only_uploads
from mmdemo.ui.shell import view
from mmdemo.ui.why import page as why_view
from mmdemo.ui.why import painting

log = logging.getLogger(__name__)


def imagine(*inputs: Any) -> str:
    """What the cell says of the post with a part painted out, and words left out or replaced."""
    *values, painted, masked, word, instead, said = inputs
    try:
        asked = form_values(values)
        cell = asked.cell()
        question = asked.question(cell.dataset)
        mask = painted_mask(painted)
        replaced = {int(word): instead} if word is not None and (instead or "").strip() else None
        lines = (said or "").splitlines()
        if mask is None and not masked and replaced is None and not "".join(lines).strip():
            raise InputError(
                "paint over a part of the photo, write what it says instead, or choose a word to leave out "
                "or replace"
            )
        gone = [int(w) for w in masked or ()]
        with EXPLAIN.take():
            cases = counterfactuals(question, cell, painted=mask, masked=gone, replaced=replaced, said=lines)
        own = [case for case in cases if not case.name.startswith("without the photo")]
        blind = any(case.prediction.post.photo_words and not case.prediction.photo_words_used for case in own)
        note = [f"{cell.name} does not read the words of photos: they change nothing."] if blind else []
        return view.notes_html(note) + why_view.counterfactuals_html(own, cell.dataset.none)
    except InputError as error:
        return view.error_html(str(error))
    except Exception:
        log.exception("imagining failed")
        return view.error_html(FAILED)


def painted_mask(editor: dict[str, Any] | None) -> np.ndarray | None:
    """Where someone painted in the image editor: any layer's opacity; None where nobody did."""
    layers = [np.asarray(layer) for layer in (editor or {}).get("layers") or ()]
    masks = [layer[..., 3] > 0 for layer in layers if layer.ndim == 3 and layer.shape[-1] == 4]
    mask = np.any(masks, axis=0) if masks else np.zeros((1, 1), dtype=bool)
    return mask if mask.any() else None


def imagine_form() -> tuple[Any, ...]:
    """Where a person imagines the post otherwise: what they paint, leave out, replace and let the photo say,
    the button, and the place for the answer."""
    with gr.Accordion("Imagine it otherwise yourself", open=False, elem_id="imagine"):
        with gr.Row():
            with gr.Column(min_width=280):
                editor = painting.editor(
                    label="Paint over what the model shall not see",
                    brush=gr.Brush(default_size=40, colors=["#0072B2"], color_mode="fixed"),
                    sources=[],
                    transforms=[],
                    layers=False,
                    buttons=[],
                    height=340,
                    elem_id="paint",
                )
                only_uploads(editor)
            with gr.Column(min_width=240):
                masked = gr.Dropdown([], multiselect=True, label="Words to leave out", elem_id="mask-words")
                word = gr.Dropdown([], label="Word to replace", elem_id="replace-word")
                instead = gr.Textbox(label="by this word", max_lines=1)
                said = gr.Textbox(label="What the photo says instead, line by line", lines=2, max_lines=6)
                try_it = gr.Button("Ask again", variant="primary", elem_id="imagine-ask")
        imagined = gr.HTML("", apply_default_css=False, elem_id="imagined")
    return editor, masked, word, instead, said, try_it, imagined

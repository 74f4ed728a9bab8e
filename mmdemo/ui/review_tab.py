"""The Review tab: the editor, and who reviews."""

import gradio as gr

from mmdemo.ui import editor
from mmdemo.ui.review_calls import CALLS, on_space

INTRO = (
    "Correct what a model found, with a few keys; the corrections become a data set. "
    "Every decision is kept with its author and can be undone."
)


def build() -> None:
    """Lay the tab out and wire it; call inside `gr.Blocks`."""
    gr.HTML(f'<p class="mm-quiet rv-intro">{INTRO}</p>', apply_default_css=False)
    if on_space():  # a login button anywhere else would name whoever runs the server
        gr.LoginButton(size="sm", elem_id="review-login")
    editor.build(CALLS)

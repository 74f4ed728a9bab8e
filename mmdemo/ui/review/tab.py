"""The Review tab: the editor, and below it what fills a queue, predicts, exports and measures agreement."""

import gradio as gr

from mmdemo.review.store.engine import Busy
from mmdemo.ui.review import editor
from mmdemo.ui.review.calls import CALLS, refused
from mmdemo.ui.review.files import add_tool, agreement_tool, export_tool
from mmdemo.ui.review.people import on_space
from mmdemo.ui.review.predict import examples_tool, predict_tool
from mmdemo.ui.review.words_calls import WORDS_CALLS
from mmdemo.ui.serve.lanes import StoreLane

TOOLS = {
    "Try the examples": examples_tool,
    "Add posts": add_tool,
    "Predict": predict_tool,
    "Export": export_tool,
    "Agreement": agreement_tool,
}

INTRO = (
    "Correct what a model found, with a few keys; the corrections become a data set. "
    "Every decision is kept with its author and can be undone."
)


def build() -> None:
    """Lay the tab out and wire it; call inside `gr.Blocks`."""
    gr.HTML(f'<p class="mm-quiet rv-intro">{INTRO}</p>', apply_default_css=False)
    if on_space():  # a login button anywhere else would name whoever runs the server
        gr.LoginButton(size="sm", elem_id="review-login")
    lane = StoreLane(refused(Busy()))
    editor.build([lane.leads(call) for call in (*CALLS, *WORDS_CALLS)])
    with gr.Tabs(elem_id="review-tools"):
        for title, tool in TOOLS.items():
            with gr.Tab(title):
                tool()

"""The page: title, tabs, theme, and the settings that belong to launching it."""

from pathlib import Path
from typing import Any

import gradio as gr

from mmdemo.cells import catalogue
from mmdemo.cells.gpu import ZERO_GPU
from mmdemo.datasets.examples import example_photos
from mmdemo.ui.arcs import panel as arcs
from mmdemo.ui.compare import tab as compare_tab
from mmdemo.ui.extract import tab as extract_tab
from mmdemo.ui.photo import panel
from mmdemo.ui.predict import pickers
from mmdemo.ui.predict import tab as predict_tab
from mmdemo.ui.results import tab as zoo_tab
from mmdemo.ui.review import editor
from mmdemo.ui.review import tab as review_tab
from mmdemo.ui.shell import api as endpoints
from mmdemo.ui.shell import sessions
from mmdemo.ui.shell.permalink import Link, read_link
from mmdemo.ui.why import tab as why_tab

UI = Path(__file__).parents[1]
STYLES = (
    "shell/page.css",
    "shell/answer.css",
    "shell/card.css",
    "compare/compare.css",
    "why/why.css",
    "results/results.css",
)
TITLE = "Entities and relations in a tweet and its photo"
INTRO = (
    "A tweet and its photo go in; named entities and the relations between them come out, "
    "each with a probability and a reason. Pick how text and photo are fused."
)
#: Requests that may wait for an answer; more are told at once that the queue is full.
QUEUE = 128
# System fonts: the page loads nothing from elsewhere.
FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


#: Around #0072B2, the blue of DESIGN.md, so that buttons with white text pass AA.
BLUE = gr.themes.Color(
    name="mmblue",
    c50="#EFF8FD",
    c100="#D8EDF9",
    c200="#B0DAF2",
    c300="#7CC4F2",
    c400="#3FA3DF",
    c500="#0072B2",
    c600="#00659E",
    c700="#00537F",
    c800="#004466",
    c900="#00364F",
    c950="#002335",
)


def theme() -> gr.themes.Base:
    """Gradio's default look, quieter, with secondary text dark enough to read."""
    base = gr.themes.Default(primary_hue=BLUE, neutral_hue="slate", font=FONT, font_mono=MONO)
    return base.set(
        body_background_fill="*neutral_50",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_title_text_color="*neutral_700",
        block_label_text_color="*neutral_700",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_500",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover_dark="*primary_600",
        block_radius="10px",
        layout_gap="12px",
    )


def build() -> gr.Blocks:
    """The whole app. Uploads are deleted after a day; no usage data leaves the machine."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 86400)) as demo:
        endpoints.build()  # first: a handler of the page that has an endpoint's name gets another
        header = f'<header class="mm-header"><h1>{TITLE}</h1><p>{INTRO}</p></header>'
        gr.HTML(header, apply_default_css=False)
        with gr.Tabs() as tabs:
            with gr.Tab("Extract", id="extract-tab"):
                _heading("Extract")
                extracted = extract_tab.build()
            with gr.Tab("Predict", id="predict-tab"):
                _heading("Predict")
                form = predict_tab.build()
            with gr.Tab("Compare", id="compare-tab"):
                _heading("Compare")
                compared = compare_tab.build(form)
            with gr.Tab("Why", id="why-tab"):
                _heading("Why")
                why_tab.build(form, tabs, compared, extracted)
            with gr.Tab("Review", id="review-tab"):
                _heading("Review")
                review_tab.build()
            with gr.Tab("Results", id="results-tab"):
                _heading("Results")
                zoo_tab.build()
        _navigate(demo, tabs, form, compared, extracted)
    catalogue.preload()
    # One model runs at a time (`mmdemo.ui.serve.lanes`); ZeroGPU has a queue of its own.
    return demo.queue() if ZERO_GPU else demo.queue(max_size=QUEUE)


def _heading(title: str) -> None:
    """A tab's heading for those who move by headings; the tab itself shows it to everybody else."""
    gr.HTML(f"<h2>{title}</h2>", apply_default_css=False, elem_classes="mm-unseen")


def _navigate(
    demo: gr.Blocks,
    tabs: gr.Tabs,
    form: predict_tab.Form,
    compared: compare_tab.Parts,
    extracted: extract_tab.Parts,
) -> None:
    """From an answer to its comparison, and from a link to the question that it holds."""
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    form.compare.click(lambda: gr.Tabs(selected="compare-tab"), None, tabs, **quiet)
    front = [*extracted.pickers.values(), extracted.text, extracted.photo, extracted.told]
    filled = [*form.pickers, compared.across, form.text, *front, tabs]
    first_model = form.pickers[2].value

    def fill(request: gr.Request) -> list[Any]:  # not a partial: Gradio reads the annotation
        return _from_link(read_link(dict(request.query_params)), first_model)

    demo.load(fill, None, filled, **quiet)


def _from_link(asked: Link, first_model: str) -> list[Any]:
    """What the page's address says, into the pickers and the text boxes; nothing is run."""
    if asked.tab == "extract":
        return [*(gr.update() for _ in range(6)), *extract_tab.from_link(asked), gr.Tabs()]
    values = [asked.preset, asked.dataset, asked.model, asked.fusion, asked.across, asked.text]
    updates: list[Any] = [gr.update() if value is None else gr.update(value=value) for value in values]
    updates[3]["choices"] = pickers.fusion_choices(asked.model or first_model)
    untouched = [gr.update() for _ in range(5)]
    return [*updates, *untouched, _tab_of(asked)]


def _tab_of(asked: Link) -> gr.Tabs:
    """Where a link's question stands: the Extract tab is the first, and older links do not name it."""
    if asked.across and asked.text:
        return gr.Tabs(selected="compare-tab")
    if asked.dataset or asked.model or asked.text:
        return gr.Tabs(selected="predict-tab")
    return gr.Tabs()


def launch_settings() -> dict[str, Any]:
    """What `launch` needs. Only the example photos may be served beside uploads."""
    style = "".join((UI / name).read_text(encoding="utf-8") for name in STYLES)
    script = (UI / "predict" / "marks.js").read_text(encoding="utf-8")
    rooms = panel.head() + arcs.head() + extract_tab.head() + editor.head()
    return {
        "theme": theme(),
        # Not css_paths: Gradio rewrites those selectors, after which dark mode and @media rules lose.
        "head": f"<style>{style}</style><script>{script}</script>{rooms}",
        "allowed_paths": [str(path) for path in example_photos()],
        "max_file_size": "20mb",
        "state_session_capacity": sessions.SESSIONS,
        "footer_links": ["api", "settings"],
        "run_history": False,
        "enable_monitoring": False,
        # On a Space, Gradio would let Node send the page, without the headers of `mmdemo.ui.shell.server`.
        "ssr_mode": False,
    }

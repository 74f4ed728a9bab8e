"""The named endpoints: what `gradio_client`, plain HTTP and MCP clients call. JSON or a file out.

Function names and docstrings are theirs to read: Gradio makes API pages and MCP tools of them.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any

import gradio as gr
from gradio.blocks import BlockFunction
from gradio.context import Context

from mmdemo.answer.answer_json import prediction_json
from mmdemo.answer.compare import ACROSS
from mmdemo.answer.comparison_json import comparison_json
from mmdemo.answer.photo_words import words_for
from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell
from mmdemo.formats.shared.photo_words import refuse, stated_words
from mmdemo.formats.table import FORMATS
from mmdemo.models.config import FUSIONS, MODELS
from mmdemo.types import InputError
from mmdemo.ui.compare import tab as compare_tab
from mmdemo.ui.extract.endpoint import extract
from mmdemo.ui.predict import tab as predict_tab
from mmdemo.ui.predict.asked import Asked
from mmdemo.ui.predict.tab import FAILED
from mmdemo.ui.review import files as review_files
from mmdemo.ui.review.people import reviewer_of
from mmdemo.ui.serve.lanes import IN_EXPLAIN_QUEUE, IN_MODEL_QUEUE
from mmdemo.ui.shell.safe import public
from mmdemo.ui.why import tab as why_tab

log = logging.getLogger(__name__)


def predict(
    dataset: str,
    model: str,
    fusion: str,
    text: str,
    photo: str | None = None,
    preset: str = "lite",
    description: str | None = None,
    photo_words: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Find the named entities of a tweet, or the relation of a marked pair, with calibrated probabilities.

    Args:
        dataset: Whose labels: entities (people, places, organisations) or relations; the choices are listed.
        model: Which text and image encoders; roberta-resnet50 is the best of the small ones.
        fusion: How text and photo are fused. concat fits models of two encoders, native fits blip and vilt.
        text: The tweet. For a relation mark the pair: [E1] Ann [/E1] works for [E2] Acme [/E2].
        photo: The tweet's photo (JPEG, PNG, WEBP, GIF or BMP). Leave it out where there is none.
        preset: The size of the checkpoint; lite is shipped.
        description: What the photo shows, or its alt text; a checkpoint that reads no such words repeats it.
        photo_words: More words of the photo: a list of {source, text, score, box, by}, as answers have it.

    Returns:
        JSON: entities (text, label, first word, word after the last, score) or the five likeliest relations.
    """
    with _sentences(dataset, model, fusion, preset):
        asked = _asked(dataset, model, fusion, text, photo, preset)
        cell = asked.cell()
        asked = _with_words(asked, [cell], description, photo_words)
        return prediction_json(predict_tab.answer(asked.question(cell.dataset), cell))


def compare(
    dataset: str,
    across: str,
    model: str,
    fusion: str,
    text: str,
    photo: str | None = None,
    preset: str = "lite",
    description: str | None = None,
    photo_words: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Ask all fusions of a model, or all models with a fusion, about one tweet: where do they disagree?

    Args:
        dataset: Whose labels: entities (people, places, organisations) or relations; the choices are listed.
        across: "fusions" compares the fusions of the model, "models" compares the models with the fusion.
        model: Which text and image encoders; not used across models.
        fusion: How text and photo are fused; not used across fusions.
        text: The tweet. For a relation mark the pair: [E1] Ann [/E1] works for [E2] Acme [/E2].
        photo: The tweet's photo (JPEG, PNG, WEBP, GIF or BMP). Leave it out where there is none.
        preset: The size of the checkpoints; lite is shipped.
        description: What the photo shows, or its alt text; a checkpoint that reads no such words repeats it.
        photo_words: More words of the photo: a list of {source, text, score, box, by}, as answers have it.

    Returns:
        JSON: each checkpoint's answer, and how many agree on each span or relation.
    """
    with _sentences(dataset, across, model, fusion, preset):
        asked = _asked(dataset, model, fusion, text, photo, preset)
        cells = compare_tab.cells_of(across, asked)
        asked = _with_words(asked, [cell for cell in cells if not cell.problem], description, photo_words)
        return comparison_json(compare_tab.ask(asked, cells).comparison)


def explain(
    dataset: str,
    model: str,
    fusion: str,
    text: str,
    photo: str | None = None,
    target: float | None = None,
    preset: str = "lite",
    description: str | None = None,
    photo_words: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Say why a checkpoint answers a tweet as it does: what the fusion did, which words and regions count.

    Takes as long as dozens of predictions.

    Args:
        dataset: Whose labels: entities (people, places, organisations) or relations; the choices are listed.
        model: Which text and image encoders.
        fusion: How text and photo are fused; each shows something else.
        text: The tweet. For a relation mark the pair: [E1] Ann [/E1] works for [E2] Acme [/E2].
        photo: The tweet's photo (JPEG, PNG, WEBP, GIF or BMP). Leave it out where there is none.
        target: Which answer: a word's number from 0, or a relation's rank from 0. Left out: the surest.
        preset: The size of the checkpoint; lite is shipped.
        description: What the photo shows, or its alt text; a checkpoint that reads no such words repeats it.
        photo_words: More words of the photo: a list of {source, text, score, box, by}, as answers have it.

    Returns:
        JSON: the prediction, views with all their numbers, and answers to the same post imagined otherwise.
    """
    with _sentences(dataset, model, fusion, preset):
        asked = _asked(dataset, model, fusion, text, photo, preset)
        cell = asked.cell()
        asked = _with_words(asked, [cell], description, photo_words)
        return why_tab.explained(asked.question(cell.dataset), cell, target)


def review_export(
    queue: str,
    reviewer: str,
    format: str,
    photos: bool = False,
    skip: bool = False,
    profile: gr.OAuthProfile | None = None,
) -> str:
    """Export the decided posts of a review queue as one file; rejected posts are left out.

    Args:
        queue: The review queue's name, as the Review tab shows it.
        reviewer: Your name as a reviewer. On a Hugging Face Space you must be signed in instead.
        format: jsonl holds everything; conll, label-studio, spacy and others serve other tools.
        photos: Put the photos beside the posts, in a zip.
        skip: Leave out the posts that the format cannot hold, instead of refusing all.

    Returns:
        The file, which was read back and compared before.
    """
    with _sentences(queue, format):
        reviewer_of(reviewer, profile)
        return review_files.exported(queue, format, photos=photos, skip=skip)[0]


def _asked(dataset: str, model: str, fusion: str, text: str, photo: str | None, preset: str) -> Asked:
    """What the endpoints that answer take in common, but for the photo's words."""
    return Asked(preset=preset, dataset=dataset, model=model, fusion=fusion, text=text, photo=photo)


def _with_words(asked: Asked, cells: Sequence[Cell], description: object, photo_words: object) -> Asked:
    """With what the request says of the photo, and where it lists no words what is read off it for ``cells``.

    Raises:
        InputError: these are no such words, or the photo cannot be opened.
    """
    words = stated_words({"description": description, "photo_words": photo_words}, "the request", refuse)
    return replace(asked, words=words if photo_words is not None else words_for(cells, asked.photo, words))


@contextmanager
def _sentences(*names: object) -> Iterator[None]:
    """Whatever fails becomes one sentence without folders; ``names`` must be text (JSON holds anything)."""
    try:
        if not all(isinstance(name, str) for name in names):
            raise InputError("a name in the request is not text")
        yield
    except InputError as error:
        raise gr.Error(public(str(error)), print_exception=False) from error
    except Exception as error:
        log.exception("an endpoint failed")
        raise gr.Error(FAILED, print_exception=False) from error


# ---------------------------------------------------------------- wiring


def build() -> None:
    """Wire the endpoints; call inside `gr.Blocks`. Their inputs are never on the page.

    They are not the tabs' inputs: those narrow their choices to what was picked, in one session.
    """
    presets = list(dict.fromkeys(cell.preset for cell in catalogue.cells()))
    with gr.Column(visible=False):
        dataset = _choice(list(catalogue.known_datasets()), None)
        model, fusion = _choice(list(MODELS), next(iter(MODELS))), _choice(list(FUSIONS), next(iter(FUSIONS)))
        preset, across = _choice(presets, presets[0]), _choice(list(ACROSS), ACROSS[0])
        text, photo, target = gr.Textbox(), predict_tab.photo_input(), gr.Number(value=None)
        queue, reviewer, form = gr.Textbox(), gr.Textbox(), _choice(list(FORMATS), "jsonl")
        flags = [gr.Checkbox(False), gr.Checkbox(False)]
        answer, file = gr.JSON(), gr.File()
        said = [_description(), _photo_words()]
    asked = [model, fusion, text, photo]
    _serve(predict, [dataset, *asked, preset, *said], answer, IN_MODEL_QUEUE)
    _serve(compare, [dataset, across, *asked, preset, *said], answer, IN_MODEL_QUEUE)
    _serve(explain, [dataset, *asked, target, preset, *said], answer, IN_EXPLAIN_QUEUE)
    _take_shorter_requests(len(said))
    _serve(review_export, [queue, reviewer, form, *flags], file, {"concurrency_id": "export"})
    with gr.Column(visible=False):
        cells = [gr.Textbox(value=None), gr.Textbox(value=None)]
    extracted = [text, photo, *cells, *flags, preset, *said]
    _serve(_in_sentences(extract), extracted, answer, IN_MODEL_QUEUE)


def _take_shorter_requests(most: int) -> None:
    """Requests by place may end before the last ``most`` inputs: so did those of before there were such."""
    page = Context.root_block
    assert page is not None, "endpoints are wired within a page"
    check = page.validate_inputs
    served = ("predict", "compare", "explain", "extract")

    def filled(block_fn: BlockFunction, inputs: list[Any]) -> None:
        lacking = len(block_fn.inputs) - len(inputs)
        if block_fn.api_name in served and 0 < lacking <= most:
            inputs += [None] * lacking
        check(block_fn, inputs)

    page.validate_inputs = filled  # type: ignore[method-assign]  # Gradio refuses before it looks at defaults


def _in_sentences(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint, whose errors become one sentence."""

    @wraps(endpoint)
    def served(*values: Any) -> Any:
        with _sentences():
            return endpoint(*values)

    return served


def _choice(names: list[str], value: str | None) -> gr.Dropdown:
    """A name; which are known stands in the API's description, and whoever looks it up refuses others.

    Gradio's own refusal would quote all that was sent, in the answer and in the log.
    """
    choice = gr.Dropdown(names, value=value)
    choice.preprocess = lambda payload: payload  # type: ignore[method-assign]  # see above
    return choice


def _description() -> gr.Textbox:
    """A text or a list of texts as it was sent: Gradio would make one text of anything."""
    said = gr.Textbox(value=None)
    # Set on this one alone: a subclass would be another component, which Gradio's page does not know.
    said.preprocess = lambda payload: payload  # type: ignore[method-assign]  # see above
    return said


def _photo_words() -> gr.JSON:
    """A list of objects. Gradio would tell clients that its type is {}, which no JSON schema is."""
    words = gr.JSON(value=None)
    # Set on this one alone, for the same reason.
    words.api_info = lambda: {"type": "array", "items": {"type": "object"}}  # type: ignore[method-assign]  # see above
    return words


def _serve(
    endpoint: Callable[..., Any],
    inputs: list[gr.components.Component],
    output: gr.components.Component,
    line: dict[str, Any],
) -> None:
    """One endpoint, under its function's name. It hangs on a button that is never shown."""
    gr.Button(visible=False).click(endpoint, inputs, output, api_name=endpoint.__name__, **line)

"""Which cell answers: the pickers of data, model, fusion and size, and what follows from a choice."""

from typing import Any

import gradio as gr

from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell
from mmdemo.datasets.schema import Dataset
from mmdemo.models.config import FUSIONS, MODELS
from mmdemo.types import InputError
from mmdemo.ui.shell import card, examples
from mmdemo.ui.shell.titles import fusion_title, model_title, picker_title

#: Preset, dataset, model, fusion.
Pickers = tuple[gr.Dropdown, gr.Dropdown, gr.Dropdown, gr.Dropdown]
#: One idea, named by whether the encoders are two or joint.
BASELINES = tuple(fusion.name for fusion in FUSIONS.values() if fusion.baseline)


def ready_cell(preset: str, dataset: str, model: str, fusion: str) -> Cell:
    """The picked cell. Raises InputError where there is none of this name, or it cannot run."""
    cell = catalogue.find_cell(dataset, model, fusion, preset)  # `cells` would read every card
    if cell.problem:
        raise InputError(cell.problem)
    return cell


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


def offer_presets(preset: str, dataset: str, model: str) -> dict[str, Any]:
    """After dataset or model changed: the sizes that there are of them; the picked one stays if it is one."""
    there = _sizes(dataset, model)
    return gr.update(choices=there) if preset in there else gr.update(choices=there, value=there[0])


def _sizes(dataset: str, model: str) -> list[str]:
    """The presets of a dataset and model that have a ready cell, what answers by default first."""
    cells = [c for c in catalogue.cells() if c.dataset.name == dataset and c.model == model and not c.problem]
    names = dict.fromkeys(cell.preset for cell in cells)
    return sorted(names, key=_order) or ["lite"]


def _order(preset: str) -> int:
    first = catalogue.default_presets()
    return first.index(preset) if preset in first else len(first)


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


def build_pickers() -> Pickers:
    """Preset (hidden where there is only one), dataset, model and fusion; a ready cell is picked."""
    cells = catalogue.cells()
    ready = sorted((c for c in cells if not c.problem), key=lambda c: _order(c.preset)) or list(cells)
    first = next((c for c in ready if c.dataset.default), ready[0])
    presets = sorted({c.preset for c in cells}, key=_order)  # all: as with fusions below
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
            presets,
            value=first.preset,
            label="Size",
            visible=len(presets) > 1,
            min_width=100,
        )
    return preset, dataset, model, fusion

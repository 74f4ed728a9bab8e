"""The example cards of the Predict tab: a photo each, and a button for each task that it has a tweet for."""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from mmdemo.cells import catalogue
from mmdemo.datasets.schema import Task
from mmdemo.ui.shell import examples

BUTTONS: dict[Task, str] = {"entities": "Entities", "relations": "Relation"}


@dataclass(frozen=True, kw_only=True)
class Tried:
    """An example to try, on one of its tasks."""

    task: Task
    example: examples.Example
    photo: Path

    def fill(self, preset: str, dataset: str) -> tuple[str, str, str, str]:
        """The example as preset, dataset, text and photo: as they are picked if that can answer it."""
        fitting = [c for c in catalogue.cells() if self.task in c.dataset.tasks]
        able = [c for c in fitting if not c.problem] or fitting
        kept = [c for c in able if c.dataset.name == dataset] or able
        chosen = next((c for c in kept if c.preset == preset), kept[0])
        return chosen.preset, chosen.dataset.name, self.example.texts[self.task], str(self.photo)


@dataclass(frozen=True, kw_only=True)
class ExampleButton:
    """A button, and what it stands for."""

    tried: Tried
    button: gr.Button


def example_buttons() -> list[ExampleButton]:
    """Lay the cards out; call inside `gr.Blocks`."""
    tries = []
    if examples.available():
        gr.HTML('<h3 class="mm-side">Examples</h3>', apply_default_css=False)
    with gr.Row(elem_id="examples"):
        for example, path in examples.available():
            with gr.Column(min_width=150):
                gr.HTML(examples.figure_html(example, path), apply_default_css=False)
                with gr.Row():
                    for task, name in BUTTONS.items():
                        if task in example.texts:
                            button = gr.Button(name, size="sm", min_width=60)
                            tried = Tried(task=task, example=example, photo=path)
                            tries.append(ExampleButton(tried=tried, button=button))
    return tries

"""Tools below the editor that run models: predictions for a queue, and queues of the example posts."""

from dataclasses import replace
from typing import Any

import gradio as gr

from mmdemo.answer.preannotation import predict_queue, siblings
from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell, same_labels
from mmdemo.datasets.discovery import reviewed_as
from mmdemo.datasets.schema import TASKS, Task
from mmdemo.posts.question import read_post
from mmdemo.review.names import MAX_NAME, count_posts
from mmdemo.review.store.reviews import Store
from mmdemo.types import InputError
from mmdemo.ui.review.calls import store
from mmdemo.ui.review.people import reviewer_of
from mmdemo.ui.review.tools import Told, done_html, note, told, wire
from mmdemo.ui.serve.lanes import MODEL
from mmdemo.ui.shell import examples


def ready_cell(task: Task) -> Cell:
    """A cell of a task that can run, the default dataset's if any. Raises InputError where none is ready."""
    fitting = [c for c in catalogue.cells() if not c.problem and task in c.dataset.tasks]
    if not fitting:
        raise InputError("no checkpoint is ready to predict the examples")
    return next((cell for cell in fitting if cell.dataset.default), fitting[0])


def example_queue(into: Store, task: Task, reviewer: str) -> str:
    """A queue of the reviewer's own with the predicted examples; its name. It may exist already."""
    cell = ready_cell(task)
    kind = f" · {task}"
    name = f"examples of {reviewer}"[: MAX_NAME - len(kind)] + kind
    items = []
    for example, path in examples.available():
        if task not in example.texts:
            continue
        read = read_post(example.texts[task], cell.dataset, path)
        text = " ".join(read.post.tokens)  # without the marks
        post = replace(read.post, text=text, offsets=(), image=path, id=example.title)
        items.append(replace(read, post=post))
    into.make_queue(name, reviewed_as(cell.dataset))
    into.add(name, items)
    predict_queue(into, name, cell, others=siblings(cell), blind=True, turn=MODEL.take)
    return name


@told
def load_examples(_: str, name: str, profile: gr.OAuthProfile | None = None) -> Told:
    """Two queues of one's own with the example posts, predicted."""
    reviewer = reviewer_of(name, profile)
    made = [example_queue(store(), task, reviewer) for task in TASKS[::-1]]
    return made[-1], done_html(f"Made the queues “{made[0]}” and “{made[1]}”; the second is open above.")


def examples_tool() -> None:
    """A button that fills queues with the example posts."""
    note(
        "The three posts of the Predict tab with predictions to correct: their entities, and a relation each."
    )
    button = gr.Button("Load the examples", elem_id="review-examples", variant="primary")
    wire(button, load_examples, [])


def kinds() -> list[str]:
    """The ready cells' names without their data set, which is the queue's: "lite/roberta-resnet50/film"."""
    return list(dict.fromkeys(_kind(cell) for cell in catalogue.cells() if not cell.problem))


def _kind(cell: Cell) -> str:
    return f"{cell.preset}/{cell.model}/{cell.fusion}"


def fitting_cell(queue: str, kind: str) -> Cell:
    """The ready cell of this kind for the queue's labels. Raises InputError where there is none."""
    found = next((q for q in store().queues() if q.name == queue), None)
    if found is None:
        raise InputError("open a queue first")
    ready = [c for c in catalogue.cells() if not c.problem and same_labels(c.dataset, found.scheme)]
    for cell in ready:
        if _kind(cell) == kind:
            return cell
    known = ", ".join(map(_kind, ready)) or "no checkpoint"
    raise InputError(f"no {str(kind)[:60]} was trained for {found.dataset}; there is {known}")


@told
def predict(
    queue: str,
    name: str,
    kind: str,
    compare: bool,
    blind: bool,
    profile: gr.OAuthProfile | None = None,
    progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio is told to pass one
) -> Told:
    """Suggest answers to the queue's undecided posts, with a bar that shows how far it is."""
    reviewer_of(name, profile)
    chosen = fitting_cell(queue, kind)

    def tell(done: int, total: int) -> None:
        progress((done, total), unit="posts")

    others = siblings(chosen) if compare else []
    more: dict[str, Any] = {"others": others, "blind": bool(blind)}
    made = predict_queue(store(), queue, chosen, **more, progress=tell, turn=MODEL.take)
    text = f"{count_posts(made)} predicted by {chosen.name}." if made else "Nothing was left to predict."
    return queue, done_html(text)


def predict_tool() -> None:
    """Choose a checkpoint and let it suggest answers to the posts on screen."""
    ready = kinds()
    note("Suggests answers to the queue's undecided posts. If it is broken off, press again: it goes on.")
    kind = gr.Dropdown(ready, value=ready[0] if ready else None, label="Checkpoint", elem_id="review-cell")
    compare = gr.Checkbox(False, label="Ask the other fusions too, to order by disagreement")
    blind = gr.Checkbox(False, label="Ask without the photo too, to order by what the photo changes")
    button = gr.Button("Predict the queue", elem_id="review-predict", variant="primary")
    wire(button, predict, [kind, compare, blind])

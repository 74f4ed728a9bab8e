"""An answer as a post of a review queue, with its entities and relations as what a reviewer sees first."""

import logging
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from mmdemo.answer.extraction.records import Extraction
from mmdemo.datasets.discovery import reviewed_as
from mmdemo.datasets.schema import Dataset
from mmdemo.posts.marks import has_marks
from mmdemo.review.names import check_name
from mmdemo.types import Ask, Entity, InputError, Question, Relation
from mmdemo.ui.extract.answering import answer
from mmdemo.ui.extract.asked import read_form, read_kept
from mmdemo.ui.predict.tab import FAILED
from mmdemo.ui.review.calls import store
from mmdemo.ui.review.people import on_space, reviewer_of
from mmdemo.ui.review.tools import done_html
from mmdemo.ui.shell import view

log = logging.getLogger(__name__)

QUEUE = "from Extract"
#: What the desk of the Review tab opens next.
OPEN = """(queue) => {
  if (!queue) return;
  window.mmreview.session.remember('queue', queue);
  window.mmreview.refresh?.(queue);
}"""
#: The name that the Review tab knows, where none is written here; and one that is written is known there.
NAMED = """(name, ...rest) => {
  const { session } = window.mmreview;
  if (name?.trim()) session.rename(name.trim());
  return [session.name(), ...rest];
}"""


def as_post(found: Extraction, photo: str | None) -> Question:
    """The answer as a post with stated entities and relations; marks have left its text."""
    ends = {entity.id: entity.span for entity in found.entities}
    entities = tuple(
        Entity(start=e.start, end=e.end, label=e.label, text=e.text) for e in found.entities if e.label
    )
    kept = {(entity.start, entity.end) for entity in entities}
    relations = tuple(
        Relation(head=ends[r.head], tail=ends[r.tail], label=r.label)
        for r in found.relations
        if ends[r.head] in kept and ends[r.tail] in kept
    )
    post = replace(found.post, image=photo, entities=entities, relations=relations or None)
    if has_marks(post.text):
        post = replace(post, text=" ".join(post.tokens), offsets=())
    return Question(post=post, ask=Ask(entities=True))


def scheme_of(entities: Dataset, relations: Dataset | None) -> Dataset:
    """The labels that a reviewer of both has: the entities' dataset, with the relations of the other."""
    if relations is None or relations == entities:
        return reviewed_as(entities)
    return entities.with_relations_of(relations)


def send(
    name: str,
    queue: str,
    answered: object,
    entities: str | None,
    relations: str | None,
    text: str,
    photo: str | None,
    said: object,
    profile: gr.OAuthProfile | None = None,
) -> tuple[str | None, str]:
    """Put the answer on screen into a queue, which is made where there is none: (queue, what was done)."""
    try:
        reviewer = reviewer_of(name, profile)
        target = check_name((queue or "").strip() or QUEUE, "queue")
        kept = read_kept(answered)
        stated = tuple(entity for entity in kept.entities.values() if entity.label)
        asked = kept.asked(read_form([entities, relations, text, photo, said]), stated)
        cells = asked.cells()
        found = answer(asked.question(cells), cells, stated)
        scheme = scheme_of(cells.entities.dataset, cells.relations.dataset if cells.relations else None)
        if target not in {known.name for known in store().queues()}:
            store().make_queue(target, scheme)
        done = store().add(target, [as_post(found, asked.photo)], use="suggest", reviewer=reviewer)
        told = "Added to" if done.added else "It is in"
        return target, done_html(f"{told} “{target}”; the Review tab shows it.", done.warnings)
    except InputError as error:
        return None, view.error_html(str(error))
    except Exception:
        log.exception("sending to review failed")
        return None, view.error_html(FAILED)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where queue and name are said, and what was done."""

    queue: gr.Textbox
    name: gr.Textbox
    button: gr.Button
    done: gr.HTML


def build() -> Desk:
    """Lay the fields out; call inside `gr.Blocks`."""
    if (
        on_space()
    ):  # a login button elsewhere than here or in the Review tab would name whoever runs the server
        gr.HTML('<p class="mm-quiet">Sign in on the Review tab first.</p>', apply_default_css=False)
    with gr.Row(elem_id="extract-send", equal_height=True):
        queue = gr.Textbox(QUEUE, label="Queue", max_length=80, min_width=160, elem_id="extract-queue")
        name = gr.Textbox(
            label="Reviewer", max_length=60, min_width=160, visible=not on_space(), elem_id="extract-name"
        )
        button = gr.Button("Send to review", min_width=140, elem_id="extract-review")
    done = gr.HTML("", apply_default_css=False, elem_id="extract-sent", min_height=24)
    return Desk(queue=queue, name=name, button=button, done=done)


def wire(desk: Desk, kept: list[gr.components.Component]) -> None:
    """Send what is ``kept`` of the answer, with the form as it is."""
    sent = gr.Textbox(visible=False)
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress_on": [desk.done]}
    run = desk.button.click(send, [desk.name, desk.queue, *kept], [sent, desk.done], js=NAMED, **quiet)
    run.then(None, sent, None, js=OPEN)

"""From any part of an answer to its reason: which cell, text and target the Why tab is to explain."""

import logging
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mmdemo.cells.locate import Cell
from mmdemo.posts.marking import marked, unmarked
from mmdemo.types import Entity, InputError
from mmdemo.ui.extract.asked import Asked, Kept, read_form, read_kept
from mmdemo.ui.extract.edits import Given
from mmdemo.ui.extract.handlers import given_by
from mmdemo.ui.predict import pickers
from mmdemo.ui.predict import tab as predict_tab
from mmdemo.ui.predict.asked import read_sent
from mmdemo.ui.predict.tab import FAILED
from mmdemo.ui.shell.safe import sentence

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What is to be explained: a cell's answer to a text, and which part of it."""

    cell: Cell
    text: str
    target: int


def reason(kept: Kept, form: Asked, given: Given) -> Reason:
    """The reason that is asked for.

    Args:
        given: ``of`` ("entity", "relation" or "word") and what that takes: ``entity``, ``head``, ``tail``
            and ``label``, or ``word``.

    Raises:
        InputError: there is no such part, or its cell cannot answer.
    """
    asked = kept.asked(form, ())
    cells = asked.cells()
    if given.get("of") == "relation":
        if cells.relations is None:
            raise InputError("no checkpoint tells relations here")
        ends = [kept.entity(given.get(side)) for side in ("head", "tail")]
        return _of_pair(asked, cells.relations, ends, str(given.get("label")), kept)
    word = kept.entity(given.get("entity")).start if given.get("of") == "entity" else given.get("word")
    if not str(word).isdecimal():
        raise InputError("what is to be explained is no word of this post")
    return Reason(cell=cells.entities, text=unmarked(kept.text), target=int(str(word)))


def _of_pair(asked: Asked, cell: Cell, ends: list[Entity], label: str, kept: Kept) -> Reason:
    """A relation's rank among what its cell says of the pair, which is how the Why tab names it."""
    cells = asked.cells()
    offsets = asked.question(cells).post.offsets
    places = []
    for end in ends:
        if not 0 <= end.start < end.end <= len(offsets):
            raise InputError("an entity is not of this post; press Extract again")
        first, last = offsets[end.start], offsets[end.end - 1]
        assert first is not None and last is not None, "a pasted text has every word in it"
        places.append((first[0], last[1]))
    text = marked(kept.text, *places)
    told = predict_tab.answer(read_sent(text, cell.dataset, asked.photo, asked.words), cell).relations
    rank = next((i for i, relation in enumerate(told) if relation.label == label), 0)
    return Reason(cell=cell, text=text, target=rank)


def lead(
    answered: object,
    entities: str | None,
    relations: str | None,
    text: str,
    photo: str | None,
    said: object,
    event: gr.EventData,
) -> tuple[Any, ...]:
    """The reason's cell and post into the Predict tab's form, its target, and the Why tab.

    Raises:
        gr.Error: it cannot be explained; nothing changes then.
    """
    try:
        form = read_form([entities, relations, text, photo, said])
        found = reason(read_kept(answered), form, given_by(event))
    except InputError as error:
        raise gr.Error(sentence(str(error)), print_exception=False) from error
    except Exception as error:
        log.exception("leading to a reason failed")
        raise gr.Error(FAILED, print_exception=False) from error
    cell = found.cell
    fusions = gr.update(choices=pickers.fusion_choices(cell.model), value=cell.fusion)
    target = gr.update(choices=[("the chosen part", found.target)], value=found.target)
    return (
        *(cell.preset, cell.dataset.name, cell.model, fusions),
        *(found.text, form.photo, said, target, gr.Tabs(selected="why-tab")),
    )

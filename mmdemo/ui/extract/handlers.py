"""What the Extract tab answers: an answer with its progress, an edit, one pair. Failures are one sentence.

Inputs are named one by one where Gradio puts a request or an event behind them.
"""

import logging
from collections.abc import Iterator
from typing import Any

import gradio as gr

from mmdemo.answer.extract_json import extraction_json
from mmdemo.answer.extraction.defaults import CellPair
from mmdemo.answer.extraction.records import Extraction
from mmdemo.types import InputError
from mmdemo.ui.extract.answering import STOPS, answer, answers
from mmdemo.ui.extract.asked import Asked, one_pair, read_form, read_kept
from mmdemo.ui.extract.drawing.below import below_html
from mmdemo.ui.extract.drawing.page import answer_html, pair_html, progress_html
from mmdemo.ui.extract.edits import Given, edited
from mmdemo.ui.predict.tab import FAILED, heard_more
from mmdemo.ui.shell import view

log = logging.getLogger(__name__)

#: Pairs without a relation that the page's JSON lists; the API lists all.
NONE_IN_JSON = 60
#: Answer, the panel of a pair, what is below, JSON.
Shown = tuple[Any, Any, Any, Any]


def shown(found: Extraction, cells: CellPair, *, mended: bool = False) -> Shown:
    """An answer in all its places on the page."""
    told = extraction_json(found)
    if len(found.none) > NONE_IN_JSON:
        del told["none"]
    if mended:
        told["mended"] = True
    dataset = cells.entities.dataset
    return answer_html(found, dataset), "", below_html(found, dataset), told


def failed(sentence: str) -> Shown:
    """Why there is no answer."""
    return view.error_html(sentence), "", "", None


def run(
    entities: str | None,
    relations: str | None,
    text: str,
    photo: str | None,
    said: object,
    request: gr.Request,
) -> Iterator[Shown]:
    """The answer, behind signs of progress where it takes long."""
    try:
        asked = read_form([entities, relations, text, photo, said])
        cells = asked.cells()
        question = asked.question(cells)
        for one in answers(question, cells, asked.stated, str(request.session_hash)):
            if isinstance(one, Extraction):
                yield shown(one, cells)
            else:
                yield progress_html(one.done, one.total), "", "", gr.skip()
    except InputError as error:
        yield failed(str(error))
    except Exception:
        log.exception("extraction failed")
        yield failed(FAILED)


def stop(request: gr.Request) -> None:
    """End what this visitor waits for; what was found so far is shown."""
    STOPS.stop(str(request.session_hash))


def ask_again(answered: object, *inputs: Any) -> Shown:
    """The answer on screen follows what was read in the photo or edited, with its mended entities."""
    if not isinstance(answered, dict):
        return (gr.skip(),) * 4
    if not heard_more(answered.get("text"), answered.get("photo_words"), inputs):
        return (gr.skip(),) * 4
    try:
        kept = read_kept(answered)
        stated = tuple(kept.entities.values()) if kept.mended else None
        return _answered(kept.asked(read_form(inputs), stated), mended=kept.mended)
    except InputError as error:
        return failed(str(error))
    except Exception:
        log.exception("extraction failed")
        return failed(FAILED)


def _answered(asked: Asked, *, mended: bool) -> Shown:
    cells = asked.cells()
    return shown(answer(asked.question(cells), cells, asked.stated), cells, mended=mended)


def edit(
    answered: object,
    entities: str | None,
    relations: str | None,
    text: str,
    photo: str | None,
    said: object,
    event: gr.EventData,
) -> Shown:
    """The answer after an edit of its entities: the relations follow. What cannot be is said beside it."""
    try:
        kept = read_kept(answered)
        return _answered(
            kept.asked(read_form([entities, relations, text, photo, said]), edited(kept, given_by(event))),
            mended=True,
        )
    except InputError as error:
        sentence = str(error)
    except Exception:
        log.exception("an edit failed")
        sentence = FAILED
    return gr.skip(), view.error_html(sentence), gr.skip(), gr.skip()


def pair(
    answered: object,
    entities: str | None,
    relations: str | None,
    text: str,
    photo: str | None,
    said: object,
    event: gr.EventData,
) -> str:
    """The relation between two entities of the answer that were chosen, with the next likeliest."""
    given = given_by(event)
    try:
        kept = read_kept(answered)
        asked = kept.asked(
            read_form([entities, relations, text, photo, said]),
            [e for e in kept.entities.values() if e.label],
        )
        cells = asked.cells()
        ends = kept.entity(given.get("head")), kept.entity(given.get("tail"))
        found = answer(one_pair(asked.question(cells), *ends), cells, asked.stated)
        (relation,) = (*found.relations, *found.none)
        return (
            '<section class="xt-tool xt-pair" role="status" aria-label="The relation of two entities">'
            f"{pair_html(relation, found)}</section>"
        )
    except InputError as error:
        return view.error_html(str(error))
    except Exception:
        log.exception("a pair failed")
        return view.error_html(FAILED)


def given_by(event: gr.EventData) -> Given:
    """What the browser sent with an event."""
    return event._data if isinstance(event._data, dict) else {}

"""What the editor's scripts may ask: JSON in, JSON out. Whatever a browser sends may be forged.

Each call answers ``{"ok": true, …}`` or ``{"ok": false, "problem": one sentence}``; refused ones are logged.
A call is one short HTTP request beside Gradio's queue: reviewers wait neither for models nor for each other.
"""

import logging
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr

from mmdemo.review.backup import Backup, backup_from_environment
from mmdemo.review.names import check_number
from mmdemo.review.records import Another, Changed, Conflict, Dispute, Leased, Review
from mmdemo.review.store.reviews import Store, open_store
from mmdemo.types import InputError
from mmdemo.ui.review.page import dispute_json, facets_json, page_facts, post_json, row_json
from mmdemo.ui.review.people import GUEST, WHO, on_space
from mmdemo.ui.review.photo import data_uri
from mmdemo.ui.review.requests import Asked, read_asked
from mmdemo.ui.shell.safe import sentence

log = logging.getLogger(__name__)

FAILED = "Something went wrong on the server; it has been logged. Your draft is kept."
ROWS = 20  # posts on a page of the list
Answer = dict[str, Any]
#: (what was asked, who asks) -> the reply without its "ok".
Handler = Callable[[Asked, str], Answer]


_opening = Lock()


def store() -> Store:
    """The one store of this process; backed up where `mmdemo.review.backup` is told where to."""
    with _opening:
        return _kept()[0]


@cache
def _kept() -> tuple[Store, Backup | None]:
    found = open_store()
    return found, backup_from_environment(found)


def close_store() -> None:
    """Push what a backup still lacks, and close; for the end of the process."""
    with _opening:
        if not _kept.cache_info().currsize:
            return
        found, backup = _kept()
        _kept.cache_clear()
    if backup:
        backup.close()
    found.close()


def call(*, who: str) -> Callable[[Handler], Callable[..., Answer]]:
    """Make a handler answer browsers: check what they send, name who asks, catch what goes wrong."""

    def decorate(handle: Handler) -> Callable[..., Answer]:
        @wraps(handle)
        def answered(
            sent: Any, profile: gr.OAuthProfile | None = None, request: gr.Request | None = None
        ) -> Answer:
            try:
                asked = read_asked(sent, request.headers.get("content-length") if request else None)
                return {"ok": True, **handle(asked, WHO[who](asked.name, profile))}
            except Conflict as error:
                return {**refused(error), "conflict": True, "post": _theirs(error, asked)}
            except Another as error:
                return {**refused(error), "another": True, "posts": [], "kept": 0}
            except InputError as error:
                log.warning("refused %s: %.300s", handle.__name__, error)
                return refused(error)
            except Exception:
                log.exception("%s failed", handle.__name__)
                return {"ok": False, "problem": FAILED}

        # Gradio reads these to pass the profile and the request in.
        answered.__annotations__ = {"profile": gr.OAuthProfile | None, "request": gr.Request | None}
        del answered.__wrapped__
        return answered

    return decorate


def _theirs(error: Conflict, asked: Asked) -> Answer:
    """The post as it is now, with the version that the next save of this kind must name."""
    who, dispute = asked.name or GUEST, _disputed(asked) if asked.settles else None
    return dispute_json(dispute, who) if dispute else post_json(error.review, who)


def refused(error: InputError) -> Answer:
    """What a call answers that is not done."""
    return {"ok": False, "problem": sentence(str(error))}


# --- look ------------------------------------------------------------------------------------------


@call(who="anyone")
def review_start(asked: Asked, reviewer: str) -> Answer:
    """What the page needs once, and the queue it shows first: the one asked for, else the newest."""
    closed = on_space() and reviewer == GUEST
    queues = () if closed else store().queues()
    chosen = next((q for q in queues if q.name == asked.queue), queues[-1] if queues else None)
    return {
        **page_facts(chosen.scheme if chosen else None),
        "queue": chosen.name if chosen else None,
        "name": "" if reviewer == GUEST else reviewer,
        "fixed": on_space(),
        "closed": closed,
        "facets": facets_json(queues, store().progress(chosen.name) if chosen else None),
    }


@call(who="reader")
def review_list(asked: Asked, reviewer: str) -> Answer:
    """A page of the list, with the counts of the whole queue."""
    if asked.queue is None:
        return {"rows": [], "page": 0, "pages": 0, "offset": 0, "total": 0, "counts": {}}
    offset = asked.page * ROWS
    if asked.settles:
        found = [dispute.review for dispute in store().disputes(asked.queue)]
        rows, total = tuple(found[offset : offset + ROWS]), len(found)
    else:
        page = store().page(
            asked.queue, reviewer, order=asked.order, wanted=asked.wanted, offset=offset, limit=ROWS
        )
        rows, total = page.reviews, page.total
    return {
        "rows": [row_json(review, reviewer) for review in rows],
        "page": asked.page,
        "pages": -(-total // ROWS),
        "offset": offset,
        "total": total,
        "counts": dict(store().progress(asked.queue).by_status),
    }


@call(who="reader")
def review_photo(asked: Asked, reviewer: str) -> Answer:
    """A post's photo as a data URI: no folder of the server is opened to browsers."""
    found = store().reviews([asked.id], reviewer)
    source = found[0].post.image if found else None
    if source is None:
        raise InputError(f"post {asked.id} has no photo")
    return {"photo": data_uri(Path(str(source)))}


# --- open and leave ----------------------------------------------------------------------------------


def _disputed(asked: Asked) -> Dispute | None:
    return next((found for found in store().disputes(asked.chosen) if found.review.key == asked.id), None)


def _leave(asked: Asked, reviewer: str) -> None:
    if asked.leave is not None:
        store().release(asked.leave, reviewer)


@call(who="reviewer")
def review_open(asked: Asked, reviewer: str) -> Answer:
    """One post, reserved for this reviewer; one that somebody else has can be looked at."""
    _leave(asked, reviewer)
    if asked.settles:
        dispute = _disputed(asked)
        if dispute is None:
            raise InputError("this post is not in dispute any more")
        return {"post": dispute_json(dispute, reviewer)}
    try:
        review = store().open(asked.id, reviewer)
    except Leased:
        review = store().open(asked.id, reviewer, lease=False)
    return {"post": post_json(review, reviewer)}


@call(who="reviewer")
def review_next(asked: Asked, reviewer: str) -> Answer:
    """The next post that this reviewer can decide, reserved for them; null when there is none."""
    _leave(asked, reviewer)
    if asked.settles:
        found = store().disputes(asked.chosen)
        keys = [dispute.review.key for dispute in found]
        at = keys.index(asked.leave) + 1 if asked.leave in keys else 0
        return {"post": dispute_json(found[at], reviewer) if at < len(found) else None}
    review = store().next(asked.chosen, reviewer, order=asked.order, wanted=asked.wanted, after=asked.leave)
    return {"post": post_json(review, reviewer) if review else None}


@call(who="reviewer")
def review_leave(asked: Asked, reviewer: str) -> Answer:
    """Give the post on screen back: its reviewer goes by another name, or to another queue or task."""
    _leave(asked, reviewer)
    return {}


@call(who="reviewer")
def review_renew(asked: Asked, reviewer: str) -> Answer:
    """Keep the reservation of the post on screen."""
    store().lease(asked.id, reviewer)
    return {}


# --- decide ------------------------------------------------------------------------------------------


@call(who="reviewer")
def review_save(asked: Asked, reviewer: str) -> Answer:
    """A decision: an answer, or that the post is unusable."""
    save = store().adjudicate if asked.settles else store().decide
    review = save(
        asked.chosen,
        asked.id,
        reviewer,
        asked.answer,
        version=check_number(asked.version, "version"),
        seconds=asked.seconds,
        reject=asked.reject,
    )
    return _state(review)


def _state(review: Review) -> Answer:
    return {"id": review.key, "version": review.version, "status": review.status}


@call(who="reviewer")
def review_bulk(asked: Asked, reviewer: str) -> Answer:
    """Accept the suggestions of several posts at once, where they are what the page showed."""
    least, shown = asked.least, asked.checkpoints
    changed = store().accept(asked.chosen, reviewer, asked.posts, least=least, checkpoints=shown)
    return _changed(changed, reviewer)


@call(who="reviewer")
def review_undo(asked: Asked, reviewer: str) -> Answer:
    """Take this reviewer's latest decision back, if it is the one that the page means."""
    return _changed(store().undo(asked.chosen, reviewer, asked.expect), reviewer)


@call(who="reviewer")
def review_redo(asked: Asked, reviewer: str) -> Answer:
    """Repeat what was taken back, if it is what the page means."""
    return _changed(store().redo(asked.chosen, reviewer, asked.expect), reviewer)


def _changed(changed: Changed, reviewer: str) -> Answer:
    found = store().reviews(changed.keys, reviewer)
    return {"posts": [_state(review) for review in found], "kept": len(changed.kept)}


CALLS: list[Callable[..., Answer]] = [
    review_start,
    review_list,
    review_photo,
    review_open,
    review_next,
    review_leave,
    review_renew,
    review_save,
    review_bulk,
    review_undo,
    review_redo,
]

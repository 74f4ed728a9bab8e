"""The photo in words, beside the photo: read when it is uploaded, editable, with where each part is from.

The panel's value is what the browser holds: ``{"state", "photo", "parts", "notes"}``. No text of it ever
stands in a template: `parts.js` sets it as text. What the browser sends is read like anybody's JSON.
"""

import hashlib
import logging
from pathlib import Path
from typing import Any

import gradio as gr

from mmdemo.formats.shared.photo_words import read_words, refuse, words_json
from mmdemo.photo_words.reader import photo_reader
from mmdemo.photo_words.reading import PhotoReading
from mmdemo.types import InputError, PhotoWords
from mmdemo.ui.shell.assets import head_of

log = logging.getLogger(__name__)

ASSETS = Path(__file__).parent
#: In the order in which they need each other.
SCRIPTS = ("parts", "panel")
SHELL = '<section class="pw" aria-label="What the photo says" data-at="photo-words"></section>'
#: Photos that are read at a time; reading takes a core for about a second.
IN_PHOTO_QUEUE: dict[str, Any] = {"concurrency_id": "photo-words", "concurrency_limit": 1}
FAILED = "The photo could not be read for words; the answer uses its pixels."


def head() -> str:
    """The panel's style and scripts, for the page's head; the review desk needs them too."""
    return head_of(ASSETS, ("panel",), SCRIPTS)


def build(elem_id: str, photo: str) -> gr.HTML:
    """The panel; call inside `gr.Blocks`. Its ``input`` event says that a person edited it.

    ``photo`` is the element over which it draws where text was found.
    """
    return gr.HTML(
        _value("none", None),
        html_template=SHELL,
        js_on_load=f"window.mmphoto.mount(element, props, (n) => trigger(n || 'input'), watch, '#{photo}');",
        apply_default_css=False,
        elem_id=elem_id,
    )


def stated(value: object, photo: str | None) -> tuple[PhotoWords, ...]:
    """The words that the panel holds for this photo; none where they are another photo's.

    Raises:
        InputError: the browser sent what the panel cannot hold.
    """
    if not isinstance(value, dict) or not value.get("parts"):
        return ()
    words = read_words(value["parts"], "the page", refuse)
    if value.get("photo") in (_key(photo), ""):
        return words
    return ()  # the panel lags behind the photo


def begin(photo: str | None, value: object) -> dict[str, Any]:
    """What stands beside a photo at once: what is known of it, or that it is being read."""
    own = _written(photo, value)
    if photo is None:
        return _value("none", None, own)
    try:
        known = photo_reader().kept(photo)
    except Exception:  # the page must not lose the photo over what it says
        log.exception("looking up a photo's words failed")
        known = None
    if known is None or known.unread:
        return _value("reading", photo, (*own, *(known.words if known else ())))
    return _read(photo, own, known)


def finish(photo: str | None, value: object) -> dict[str, Any]:
    """The panel after the photo was read. Whatever fails becomes a note; the photo and the edits stay."""
    if not isinstance(value, dict) or value.get("state") != "reading" or value.get("photo") != _key(photo):
        return gr.skip()
    own = _written(photo, value)
    try:
        return _read(photo, own, photo_reader().read(str(photo)))
    except InputError as error:
        return _value("read", photo, own, [str(error)])
    except Exception:
        log.exception("reading a photo for words failed")
        return _value("read", photo, own, [FAILED])


def _written(photo: str | None, value: object) -> tuple[PhotoWords, ...]:
    """What a person wrote for this photo, or before there was one."""
    try:
        same = isinstance(value, dict) and value.get("photo") in (_key(photo), "")
        words = read_words(value.get("parts"), "the page", refuse) if same and isinstance(value, dict) else ()
    except InputError:
        return ()
    return tuple(one for one in words if one.source == "described")


def _read(photo: str | None, own: tuple[PhotoWords, ...], found: PhotoReading) -> dict[str, Any]:
    return _value("read", photo, (*own, *found.words), list(found.notes))


def _key(photo: str | None) -> str:
    """What tells photos apart in the browser, which need not know where they lie; "" is none."""
    return hashlib.sha256(photo.encode()).hexdigest()[:16] if photo else ""


def _value(
    state: str, photo: str | None, words: tuple[PhotoWords, ...] = (), notes: list[str] | None = None
) -> dict[str, Any]:
    return {"state": state, "photo": _key(photo), "parts": words_json(words), "notes": notes or []}

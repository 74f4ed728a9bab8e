"""What annotation tools carry along with a text and hand back: by it, an export finds its posts again.

The keys: ``tokens`` (the text is these, parted by single blanks), ``own_text`` and ``offsets`` (the text as
pasted and the words' places in it), ``image_id``, ``photo_words``, and ``unlabelled``, the label of spans
that are no entities where that is not `UNLABELLED`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.offsets import UNLABELLED, joined, raw_post, unlabelled
from mmdemo.formats.shared.photo_words import KEY, stated_words, words_json
from mmdemo.formats.shared.regions import Marked
from mmdemo.formats.text.lines import check_span, check_text, check_words, text_or_none
from mmdemo.types import InputError, Post, Question


def carried(post: Post, unlabelled_name: str) -> dict[str, Any]:
    """The keys for a post."""
    values: dict[str, Any] = {"tokens": list(post.tokens), "own_text": post.text, "image_id": post.image_id}
    if post.offsets:
        values["offsets"] = [place and list(place) for place in post.offsets]
    if post.photo_words:
        values[KEY] = words_json(post.photo_words)
    if unlabelled_name != UNLABELLED:
        values["unlabelled"] = unlabelled_name
    return values


def unlabelled_among(rows: Sequence[Question]) -> str:
    """What a file calls spans that are no entities: a name that no entity of it has."""
    return unlabelled({entity.label for row in rows for entity in row.post.entities or ()})


def carried_post(
    values: dict[str, Any], text: Any, dataset: Dataset | None, where: str, left: LeftOut
) -> Marked:
    """A post, without id and answer, whose marks in ``text`` are to be collected.

    Without ``tokens`` the text comes from elsewhere: it is parted into words here.
    """
    image_id = text_or_none(values, "image_id", where)
    said = stated_words(values, where, left.cut)
    if "tokens" not in values:
        post = raw_post(check_text(text, where), dataset, where)
        post = replace(post, image_id=image_id, photo_words=said)
        places = [place for place in post.offsets if place]
        return Marked(post=post, text=post.text, places=places, left=left, own=True)
    tokens = check_words(values["tokens"], where)
    own = text_or_none(values, "own_text", where) or ""
    stated = values.get("offsets") or []
    if not isinstance(stated, list) or len(stated) not in (0, len(tokens)):
        raise InputError(f"{where} has offsets that are not one place for each word")
    offsets = tuple(None if place is None else check_span(place, len(own), where) for place in stated)
    post = Post(text=own, tokens=tokens, offsets=offsets, image_id=image_id, photo_words=said)
    joint, places = joined(tokens)
    return Marked(post=post, text=joint, places=places, left=left)

"""What the editor may ask about the words of a photo: change them, describe the photo, take that back.

As in `mmdemo.ui.review.calls`; an answer has the words as they are now, also where a change was refused
because somebody else's came first.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from mmdemo.review.names import check_number
from mmdemo.review.records import Review
from mmdemo.review.store.photos.words import PhotoConflict
from mmdemo.types import InputError
from mmdemo.ui.review import calls
from mmdemo.ui.review.calls import Answer, call
from mmdemo.ui.review.page import photo_words_json
from mmdemo.ui.review.requests import Asked

#: Changes the words of the photo of the post that is asked for, at the version that was seen.
Change = Callable[[Asked, str, int], Review]


def _changing(change: Change) -> Callable[..., Answer]:
    """A call that changes words."""

    @call(who="reviewer")
    @wraps(change)
    def answered(asked: Asked, reviewer: str) -> Answer:
        version = check_number(asked.photo_version, "version of the photo's words")
        try:
            return _told(change(asked, reviewer, version))
        except PhotoConflict as error:
            # Not refused as other mistakes are: the page needs what stands there now.
            return {**calls.refused(error), "conflict": True, **_told(error.review)}

    return answered


def _told(review: Review) -> Answer:
    return {"id": review.key, **photo_words_json(review)}


@_changing
def review_change_words(asked: Asked, reviewer: str, version: int) -> Review:
    """Put the sent words in place of all words of the photo: edited, added, less some."""
    return calls.store().change_photo_words(
        asked.chosen, asked.id, reviewer, asked.photo_words, version=version
    )


@_changing
def review_describe(asked: Asked, reviewer: str, version: int) -> Review:
    """Put the sent description in place of this reviewer's own; "" takes it away."""
    if not isinstance(asked.description, str):
        raise InputError("the description is not text")
    return calls.store().describe_photo(asked.chosen, asked.id, reviewer, asked.description, version=version)


@_changing
def review_undo_words(asked: Asked, reviewer: str, version: int) -> Review:
    """Take this reviewer's latest change of these words back."""
    return calls.store().undo_photo_words(asked.chosen, asked.id, reviewer, version=version)


WORDS_CALLS: list[Callable[..., Any]] = [review_change_words, review_describe, review_undo_words]

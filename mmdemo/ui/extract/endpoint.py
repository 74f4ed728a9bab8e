"""The endpoint ``/extract``: a post's entities and relations together. `mmdemo.ui.shell.api` wires it."""

from typing import Any

from mmdemo.answer.extract import extract as answer
from mmdemo.answer.extract_json import extraction_json
from mmdemo.answer.extraction.defaults import cell_pair
from mmdemo.answer.photo_words import words_for
from mmdemo.formats.shared.photo_words import refuse, stated_words
from mmdemo.posts.pairs import read_whole
from mmdemo.types import InputError
from mmdemo.ui.extract.pickers import ready_named


def extract(
    text: str,
    photo: str | None = None,
    entities: str | None = None,
    relations: str | None = None,
    with_none: bool = False,
    words: bool = False,
    preset: str = "lite",
    description: str | None = None,
    photo_words: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Find the named entities of a tweet and the relations between them, with calibrated probabilities.

    Args:
        text: The tweet. Marks ask about their pair alone: [E1] Ann [/E1] works for [E2] Acme [/E2].
        photo: The tweet's photo (JPEG, PNG, WEBP, GIF or BMP). Leave it out where there is none.
        entities: Which checkpoint finds entities: preset/dataset/model/fusion. Left out: the best.
        relations: Which checkpoint tells relations. Left out: the best.
        with_none: List pairs without a relation too.
        words: Tell each word's tag and its probability.
        preset: Where the best is looked for; lite is shipped.
        description: What the photo shows, or its alt text; a checkpoint that reads no such words repeats it.
        photo_words: More words of the photo: a list of {source, text, score, box, by}, as answers have it.

    Returns:
        JSON: entities with ids and character offsets, relations with head, tail, label and score.
    """
    for name in (text, entities or "", relations or "", preset):
        if not isinstance(name, str):
            raise InputError("a name in the request is not text")
    cells = cell_pair(entities or None, relations or None, preset or "lite", ready_named)
    both = [cells.entities, *([cells.relations] if cells.relations else [])]
    said = stated_words({"description": description, "photo_words": photo_words}, "the request", refuse)
    seen = said if photo_words is not None else words_for(both, photo, said)
    whole = text.encode("utf-8", "replace").decode("utf-8")  # half of an emoji cannot be sent back as JSON
    question = read_whole(whole, cells.entities.dataset.words, photo, seen)
    found = answer(
        question, cells.entities, cells.relations, with_none=bool(with_none), with_words=bool(words)
    )
    return extraction_json(found)

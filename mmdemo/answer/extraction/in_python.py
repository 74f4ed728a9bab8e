"""What ``from mmdemo import extract`` gives: a text, perhaps a photo, in; entities and relations out."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mmdemo.answer import extract as answering
from mmdemo.answer.extraction.defaults import cell_pair
from mmdemo.answer.extraction.records import Extraction
from mmdemo.answer.photo_words import words_for
from mmdemo.formats.shared.photo_words import refuse, stated_words
from mmdemo.posts.pairs import read_whole
from mmdemo.types import Entity, ImageSource, PhotoWords


def extract(
    text: str,
    photo: ImageSource = None,
    *,
    entities: str | None = None,
    relations: str | None = None,
    description: str | Sequence[str] | None = None,
    photo_words: tuple[PhotoWords, ...] = (),
    stated: Sequence[Entity] | None = None,
    with_none: bool = False,
    with_words: bool = False,
    preset: str = "lite",
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Extraction:
    """Find the entities of a post and the relations between them.

    ::

        from mmdemo import extract
        found = extract("Lauren Bacall and Humphrey Bogart on the set of Key Largo", photo="p.jpg")
        found.relations

    Args:
        text: the post. Marks ask about their pair alone: ``[E1]Ann[/E1] weds [E2]Bob[/E2]``.
        photo: a path or an opened image.
        entities: the checkpoint that finds entities, ``preset/dataset/model/fusion``; the best if not said.
        relations: the checkpoint that tells relations; if not said, the first if it does both, or the best.
        description: what the photo shows, in words, for checkpoints that read such words.
        photo_words: more words of the photo.
        stated: entities that you know, by word indices and a label of the checkpoint's dataset, in place of
            those that it would find.
        with_none: list the pairs without a relation too.
        with_words: tell each word's tag and its probability.
        preset: where the best is looked for.
        progress: is told how many of how many pairs are answered.
        should_stop: is asked after each batch of pairs; True ends the answer there.

    Raises:
        mmdemo.types.InputError: the text, the photo, a name or a checkpoint cannot be used, and why.
    """
    cells = cell_pair(entities, relations, preset)
    both = [cells.entities, *([cells.relations] if cells.relations else [])]
    said = description if description is None or isinstance(description, str) else list(description)
    words = (*photo_words, *stated_words({"description": said}, "the call", refuse))
    if isinstance(photo, str | Path):  # an opened image is not read for words
        words = words_for(both, photo, words)
    return answering.extract(
        read_whole(text, cells.entities.dataset.words, photo, words),
        cells.entities,
        cells.relations,
        entities=stated,
        with_none=with_none,
        with_words=with_words,
        progress=progress,
        should_stop=should_stop,
    )

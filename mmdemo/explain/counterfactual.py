"""Posts imagined otherwise: without the photo, with another, with a part painted out, with other words."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from mmdemo.photo.opening import open_image
from mmdemo.types import (
    QUOTED,
    Change,
    Entity,
    ImageSource,
    InputError,
    Pair,
    PhotoWords,
    Post,
    Prediction,
    Relation,
    quoted,
)

MOST_OTHERS = 16
#: Lines that a photo can be imagined to say, and characters of each.
MOST_LINES, MOST_SAID = 50, 2_000


def imagined(
    post: Post,
    *,
    others: Sequence[ImageSource] = (),
    painted: np.ndarray | None = None,
    masked: Collection[int] = (),
    replaced: Mapping[int, str] | None = None,
    said: Sequence[str] = (),
) -> list[tuple[str, Post]]:
    """The asked-for posts, each with the name of what is otherwise.

    Args:
        others: photos to put in place of the post's.
        painted: where to paint the photo out: a 2-D mask over the whole photo, of any size.
        masked: words to leave out, by index; the others keep their index.
        replaced: new words by index, each one word.
        said: what the photo says instead of its words, line by line.

    Raises:
        InputError: a photo cannot be read, nothing is painted, or a word is not there or not one word.
    """
    if len(others) > MOST_OTHERS:
        raise InputError(f"{len(others)} other photos were given; at most {MOST_OTHERS} can be compared")
    cases: list[tuple[str, Post]] = []
    # The words are the photo's own: with it they go, and another one does not say them.
    wordless = replace(post, photo_words=())
    if post.image is not None:
        cases.append(("without the photo", replace(wordless, image=None)))
    if post.photo_words:
        cases.append(("without the photo's words", wordless))
    name = "another photo" if post.image is not None else "a photo"
    cases += [
        (name if len(others) == 1 else f"{name} {number}", replace(wordless, image=open_image(other)))
        for number, other in enumerate(others, start=1)
        if other is not None
    ]
    if painted is not None:
        if post.image is None:
            raise InputError("the post has no photo to paint out")
        photo = paint_out(open_image(post.image), painted)
        cases.append(("part of the photo painted out", replace(post, image=photo)))
    if masked:
        gone = sorted({_checked(post, word) for word in masked})
        if len(gone) == len(post.tokens):
            raise InputError("every word is left out; keep at least one")
        names = ", ".join(post.tokens[word] for word in gone)
        cases.append((f"without the words: {names}", _with_words(post, dict.fromkeys(gone, ""))))
    if replaced:
        new = {_checked(post, word): _one_word(text) for word, text in replaced.items()}
        names = ", ".join(f"{post.tokens[word]} → {text}" for word, text in sorted(new.items()))
        cases.append((f"other words: {names}", _with_words(post, new)))
    lines = [" ".join(line.split())[:MOST_SAID] for line in said if line.strip()][:MOST_LINES]
    if lines:
        words = tuple(PhotoWords(source="described", text=line) for line in lines)
        names = " / ".join(lines)
        shown = names if len(names) <= QUOTED else names[: QUOTED - 1] + "…"
        cases.append((f"the photo says: {shown}", replace(post, photo_words=words)))
    return cases


def paint_out(photo: Image.Image, mask: np.ndarray) -> Image.Image:
    """The photo with its own mean colour wherever the mask, stretched over it, is not zero.

    The mean colour rather than black: a black patch is a thing of its own, which a model may react to.

    Raises:
        InputError: the mask is not a 2-D array, or is zero everywhere.
    """
    marked = np.asarray(mask)
    if marked.ndim != 2 or marked.size == 0 or marked.dtype.kind not in "bif" or not np.any(marked):
        raise InputError("nothing is painted on the photo; paint over the part to leave out")
    area = Image.fromarray(np.where(marked != 0, 255, 0).astype(np.uint8))
    area = area.resize(photo.size, Image.Resampling.NEAREST)
    red, green, blue = np.asarray(photo).reshape(-1, 3).mean(0).round().astype(int).tolist()
    painted = photo.copy()
    painted.paste((red, green, blue), mask=area)
    return painted


def changes(before: Prediction, after: Prediction) -> tuple[Change, ...]:
    """What differs: every entity of either answer once, then the best relation of every pair of either."""
    return (*_entity_changes(before, after), *_relation_changes(before, after))


def _relation_changes(before: Prediction, after: Prediction) -> list[Change]:
    first, second = best_relations(before), best_relations(after)
    return [Change(before=first.get(pair), after=second.get(pair)) for pair in {**first, **second}]


def best_relations(prediction: Prediction) -> dict[Pair, Relation]:
    """The likeliest relation of each pair that was asked, in the order asked."""
    best: dict[Pair, Relation] = {}
    for relation in prediction.relations:
        best.setdefault(relation.pair, relation)
    return best


def _entity_changes(before: Prediction, after: Prediction) -> list[Change]:
    left = list(after.entities)
    found: list[Change] = []
    alone: list[Entity] = []
    for entity in before.entities:
        same = next((e for e in left if (e.start, e.end) == (entity.start, entity.end)), None)
        if same is None:
            alone.append(entity)
        else:
            left.remove(same)
            found.append(Change(before=entity, after=same))
    for entity in alone:
        over = next((e for e in left if e.start < entity.end and entity.start < e.end), None)
        if over is not None:
            left.remove(over)
        found.append(Change(before=entity, after=over))
    found += [Change(before=None, after=entity) for entity in left]
    return sorted(found, key=_place)


def _place(change: Change) -> tuple[int, int]:
    entity = change.before or change.after
    assert isinstance(entity, Entity)
    return entity.start, entity.end


def _checked(post: Post, word: int) -> int:
    if not 0 <= word < len(post.tokens):
        raise InputError(f"there is no word {word}; the post has {len(post.tokens)}, counted from 0")
    return int(word)


def _one_word(text: str) -> str:
    if len(text.split()) != 1 or len(text) > 200:
        raise InputError(f"{quoted(text)} is not one word; replace each word by exactly one")
    return text.strip()


def _with_words(post: Post, new: Mapping[int, str]) -> Post:
    tokens = tuple(new.get(index, token) for index, token in enumerate(post.tokens))
    return replace(post, tokens=tokens, text=" ".join(token for token in tokens if token), offsets=())

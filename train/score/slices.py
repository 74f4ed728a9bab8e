"""Kinds of posts that figures are given of apart: by length, photo, names known from training or not."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from mmdemo.types import Post

FEWEST = 30  # posts in a slice
QUOTED = re.compile(r"[\"“][^\"“”]{2,}[\"”]")

#: What the number is called that descriptions state of how much a photo has to do with its text (TMR).
RELATED = "relatedness"

#: A name in lower case -> the types that training gives it; "" where it states none.
Known = Mapping[str, frozenset[str]]


def names_of(post: Post) -> list[tuple[str, str]]:
    """The names that the data state of a post, in lower case, and their types; a relation's ends too."""
    spans = [((one.start, one.end), one.label) for one in post.entities or ()]
    spans += [(span, "") for one in post.relations or () for span in (one.head, one.tail)]
    return [(" ".join(post.tokens[slice(*span)]).lower(), label) for span, label in spans]


def known_names(posts: Sequence[Post]) -> Known:
    """The names of training posts, and every type that one has there."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for post in posts:
        for name, label in names_of(post):
            found[name].add(label)
    return {name: frozenset(labels) for name, labels in found.items()}


def _quotes(post: Post) -> bool:
    """Whether a description of the photo quotes text, as captioners do with what they can read."""
    return any(QUOTED.search(one.text) for one in post.photo_words)


def slices_of(
    posts: Sequence[Post], has_photo: np.ndarray, known: Known, related: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Groups of at least `FEWEST` posts by name, as masks; they overlap.

    ``related`` says how much each photo has to do with its text, (posts,), NaN where nothing says it.
    """
    related = np.full(len(posts), np.nan) if related is None else related
    middle = np.nanmedian(related) if np.isfinite(related).any() else np.nan
    words = np.array([len(post.tokens) for post in posts])
    texts = [" ".join(post.tokens) for post in posts]
    entities = np.array([len(post.entities or ()) for post in posts])
    names = [[name for name, _ in names_of(post)] for post in posts]
    groups = {
        "with a photo": has_photo,
        "photo and text related, upper half": related > middle,
        "photo and text related, lower half": related <= middle,
        "described as having text in the photo": np.array([_quotes(post) for post in posts]),
        "up to 10 words": words <= 10,
        "11 to 20 words": (words > 10) & (words <= 20),
        "over 20 words": words > 20,
        "with a hashtag": np.array(["#" in text for text in texts]),
        "with a user's name": np.array(["@" in text for text in texts]),
        "one entity": entities == 1,
        "several entities": entities > 1,
        "all names known from training": np.array([bool(n) and all(x in known for x in n) for n in names]),
        "a name unknown to training": np.array([any(x not in known for x in n) for n in names]),
        "a name of several types in training": np.array(
            [any(len(known.get(x, ())) > 1 for x in n) for n in names]
        ),
    }
    return {name: mask for name, mask in groups.items() if mask.sum() >= FEWEST}

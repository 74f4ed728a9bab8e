"""Words <-> characters, for formats that place spans in a text.

Offsets count code points, as Python, brat, spaCy, doccano and (since 2021) Label Studio do.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from typing import Any

from mmdemo.datasets.schema import Dataset, WordRules
from mmdemo.posts.words import split_words
from mmdemo.types import Entity, InputError, Post, Span

#: The label of a span that a relation joins and that is no entity.
UNLABELLED = "SPAN"


def joined(tokens: Sequence[str]) -> tuple[str, list[Span]]:
    """The words parted by single blanks, and where each stands in that text."""
    places, at = [], 0
    for token in tokens:
        places.append((at, at + len(token)))
        at += len(token) + 1
    return " ".join(tokens), places


def raw_post(text: str, dataset: Dataset | None, where: str) -> Post:
    """A post of a text whose words the file does not part. Raises InputError where it has none."""
    words = split_words(text, dataset.words if dataset else WordRules())
    if not words.tokens:
        raise InputError(f"{where} has a text without words")
    return Post(text=text, tokens=words.tokens, offsets=words.offsets)


def parted(
    text: str, tokens: Sequence[str], places: Sequence[Span], cuts: Collection[int]
) -> tuple[tuple[str, ...], list[Span]]:
    """The words, parted further wherever a mark starts or ends within one that stands so in the text."""
    words, kept = list[str](), list[Span]()
    for token, (start, end) in zip(tokens, places, strict=True):
        inside = sorted(cut for cut in cuts if start < cut < end)
        if not inside or text[start:end] != token:
            words.append(token)
            kept.append((start, end))
            continue
        for first, last in zip([start, *inside], [*inside, end], strict=True):
            if text[first:last].strip():
                words.append(text[first:last])
                kept.append((first, last))
    return tuple(words), kept


def characters(places: Sequence[Span], span: Span) -> Span:
    """Character offsets of a span of words."""
    return places[span[0]][0], places[span[1] - 1][1]


def words(places: Sequence[Span], start: Any, end: Any, where: str) -> Span:
    """The span of all words that the characters touch: a person may have marked a part of one.

    Raises:
        InputError: no numbers, or no word there.
    """
    if type(start) is int and type(end) is int and 0 <= start < end:
        first = bisect_right([stop for _, stop in places], start)
        last = bisect_left([begin for begin, _ in places], end)
        if first < last:
            return first, last
    raise InputError(f"{where} marks the characters {str(start)[:20]}-{str(end)[:20]}, where no word is")


def entity_at(span: Span, label: str, tokens: Sequence[str]) -> Entity:
    """The entity of a span of words."""
    return Entity(start=span[0], end=span[1], label=label, text=" ".join(tokens[span[0] : span[1]]))


def unlabelled(labels: Collection[str]) -> str:
    """What to call spans without a label where these labels are in use."""
    name, number = UNLABELLED, 1
    while name in labels:
        number += 1
        name = f"{UNLABELLED}-{number}"
    return name

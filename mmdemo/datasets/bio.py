"""BIO tags <-> spans."""

from collections.abc import Sequence

from mmdemo.types import Entity, InputError, quoted


def spans_of(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Spans (start, end, type) of BIO tags, as seqeval's default mode reads them.

    An orphan ``I-X`` (after O, at the start, or after another type) opens a span: Twitter2015 has
    374 of these (data/README), and the field's scorer counts them as entities.

    Raises:
        InputError: a tag is neither O nor B-/I- plus a type.
    """
    spans: list[tuple[int, int, str]] = []
    start, kind = 0, ""
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, here = tag.partition("-")
        if tag != "O" and (prefix not in ("B", "I") or not here):
            raise InputError(f"tag {quoted(tag)} is not O, B-TYPE or I-TYPE")
        if kind and (prefix != "I" or here != kind):
            spans.append((start, i, kind))
            kind = ""
        if here and not kind:
            start, kind = i, here
    return spans


def tags_of(entities: Sequence[Entity], length: int) -> list[str]:
    """BIO tags of non-overlapping entities over ``length`` words; the inverse of `spans_of`.

    Raises:
        InputError: a span is empty, outside the words, or overlaps another.
    """
    tags = ["O"] * length
    for entity in entities:
        if not 0 <= entity.start < entity.end <= length:
            raise InputError(f"entity span {entity.start}-{entity.end} is outside the {length} words")
        if any(tag != "O" for tag in tags[entity.start : entity.end]):
            raise InputError(f"entity span {entity.start}-{entity.end} overlaps another entity")
        tags[entity.start] = f"B-{entity.label}"
        tags[entity.start + 1 : entity.end] = [f"I-{entity.label}"] * (entity.end - entity.start - 1)
    return tags

"""Reasons that several formats have for not holding a post."""

from mmdemo.types import Question


def empty_word(row: Question) -> str | None:
    """A word without characters has no place in a text."""
    return None if all(row.post.tokens) else "one of its words is empty"


def overlap(row: Question, name: str) -> str | None:
    """Entities that share words."""
    spans = sorted((e.start, e.end) for e in row.post.entities or ())
    crossing = any(end > start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
    return f"{name} holds no overlapping entities" if crossing else None

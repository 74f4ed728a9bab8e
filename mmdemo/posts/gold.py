"""What a post states, as a model is trained on it."""

from collections.abc import Sequence

from mmdemo.datasets.bio import spans_of, tags_of
from mmdemo.types import Entity, InputError, Post


def gold_tags(post: Post, *, flat: bool = False) -> list[str]:
    """The post's BIO tags, one a token: the file's own while they still say what ``entities`` say.

    The file's tags differ from the rebuilt ones only at orphan I- tags. They give way to ``entities`` once
    a reviewer has changed those.

    Tags hold one entity a word. ``flat`` leaves out entities that overlap a longer one (or an earlier one of
    that length), as a model learns them; else they are an error.

    Raises:
        InputError: the post states no entities, or they are empty, overlap or leave the tokens.
    """
    if post.entities is None:
        raise InputError(f"{name_of(post)} states no entities")
    if post.tags is not None and len(post.tags) == len(post.tokens):
        stated = {(entity.start, entity.end, entity.label) for entity in post.entities}
        if set(spans_of(post.tags)) == stated:
            return list(post.tags)
    try:
        return tags_of(flat_entities(post.entities) if flat else post.entities, len(post.tokens))
    except InputError as error:
        raise InputError(f"{name_of(post)}: {error}") from error


def flat_entities(entities: Sequence[Entity]) -> list[Entity]:
    """The entities without those that share a word with a longer one, or an earlier one of that length."""
    kept: list[Entity] = []
    for entity in sorted(entities, key=lambda e: (e.start - e.end, e.start)):
        if all(entity.end <= other.start or other.end <= entity.start for other in kept):
            kept.append(entity)
    return sorted(kept, key=lambda e: e.start)


def name_of(post: Post) -> str:
    """What an error calls a post."""
    return f"post {post.id or post.image_id or post.text[:40]!r}"

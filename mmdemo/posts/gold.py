"""What a post states, as a model is trained on it."""

from mmdemo.datasets.bio import spans_of, tags_of
from mmdemo.types import InputError, Post


def gold_tags(post: Post) -> list[str]:
    """The post's BIO tags, one a token: the file's own while they still say what ``entities`` say.

    The file's tags differ from the rebuilt ones only at orphan I- tags. They give way to ``entities`` once
    a reviewer has changed those.

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
        return tags_of(post.entities, len(post.tokens))
    except InputError as error:
        raise InputError(f"{name_of(post)}: {error}") from error


def name_of(post: Post) -> str:
    """What an error calls a post."""
    return f"post {post.id or post.image_id or post.text[:40]!r}"

"""What a file asks about a post, where it does not say so itself."""

from mmdemo.datasets.schema import Dataset
from mmdemo.types import Ask, Pair, Post, Question


def stated_ask(post: Post, dataset: Dataset | None = None) -> Ask:
    """What a post's own statements answer: its entities; and of its relations all, or the stated pairs.

    Without entities nobody can tell which pairs were looked at, so only those with a stated relation are
    asked. A post that states nothing is asked for what the dataset's models find.
    """
    if post.entities is None and post.relations is None:
        if dataset is None or dataset.has_entities:
            return Ask(entities=True, relations="all" if dataset and dataset.has_relations else ())
        return Ask(entities=False, relations=())
    if post.relations is None:
        return Ask(entities=True)
    if post.entities:
        return Ask(entities=True, relations="all")
    return Ask(entities=post.entities is not None, relations=pairs_of(post))


def pairs_of(post: Post) -> tuple[Pair, ...]:
    """The pairs that a post states relations of, each once."""
    return tuple(dict.fromkeys(relation.pair for relation in post.relations or ()))


def question(post: Post, dataset: Dataset | None = None) -> Question:
    """A post with what its own statements answer."""
    return Question(post=post, ask=stated_ask(post, dataset))

"""What a model is trained and scored on: a post's entities, and each pair that may be related.

A question is one row of a batch: it asks either for the entities of a post or for the relation of one pair.
"""

from collections.abc import Sequence

from mmdemo.datasets.schema import Dataset
from mmdemo.posts.gold import gold_tags
from mmdemo.types import Ask, Pair, Post, Question
from train.fit.streams import VALIDATION, stream

#: What a question is answered with: BIO tags, or a relation's label.
Gold = list[str] | str

ENTITIES = Ask(entities=True)


def questions_of(posts: Sequence[Post], dataset: Dataset) -> list[Question]:
    """All that the posts state an answer to: those about entities first, then those about pairs.

    Of a post that states its entities too, every ordered pair that the dataset's relations allow is asked
    about, and one without a stated relation has none. Else only the stated pairs are.
    """
    found: list[Question] = []
    if dataset.has_entities:
        found += [Question(post=post, ask=ENTITIES) for post in posts if post.entities is not None]
    if dataset.has_relations:
        found += [
            Question(post=post, ask=Ask(entities=False, relations=(pair,)))
            for post in posts
            for pair in pairs_of(post, dataset)
        ]
    return found


def pairs_of(post: Post, dataset: Dataset) -> list[Pair]:
    """The pairs of a post whose relation is known, stated ones first."""
    if post.relations is None:
        return []
    pairs = dict.fromkeys(relation.pair for relation in post.relations)
    for head in post.entities or ():
        for tail in post.entities or ():
            if head is not tail and len(dataset.relations_between(head.label, tail.label)) > 1:
                pairs.setdefault(Pair(head=(head.start, head.end), tail=(tail.start, tail.end)))
    return list(pairs)


def pair_of(question: Question) -> Pair | None:
    """The pair that a question asks about; None where it asks for entities."""
    return (
        question.ask.relations[0]
        if isinstance(question.ask.relations, tuple) and question.ask.relations
        else None
    )


def gold_of(question: Question, dataset: Dataset) -> Gold:
    """The right answer: tags, or the first stated relation of the pair, else the dataset's ``none``."""
    pair = pair_of(question)
    if pair is None:
        return gold_tags(question.post, flat=True)
    stated = [relation.label for relation in question.post.relations or () if relation.pair == pair]
    return stated[0] if stated else dataset.none


def count_posts(questions: Sequence[Question]) -> int:
    """How many posts the questions are about; of pairs alone, how many rows."""
    return sum(asked.ask.entities for asked in questions) or len(questions)


def about_some_posts(questions: Sequence[Question], count: int, seed: int) -> list[Question]:
    """The questions about ``count`` of the posts, drawn by ``seed`` and in their order; 0 is all."""
    posts = list({id(asked.post): asked.post for asked in questions})
    if not 0 < count < len(posts):
        return list(questions)
    drawn = {posts[i] for i in stream(seed, VALIDATION).permutation(len(posts))[:count]}
    return [asked for asked in questions if id(asked.post) in drawn]

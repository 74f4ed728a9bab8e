"""A post that wants in, held against its queue: its id, words, places and what is stated of it."""

import hashlib
from dataclasses import replace

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.shared.photo_words import read_words, refuse, words_json
from mmdemo.formats.text.lines import check_span, check_text, check_words
from mmdemo.posts.gold import name_of
from mmdemo.review.answers import read_answer
from mmdemo.review.names import check_name
from mmdemo.review.records import Answer
from mmdemo.review.store.arriving.inserting import Row, Use
from mmdemo.review.store.rows import post_body
from mmdemo.types import InputError, Post, Question

MAX_CHARACTERS = 200_000
MAX_NAME = 300


def checked(item: Question, scheme: Dataset, use: Use) -> Row:
    """The item with a checked id, text and answer. Raises InputError naming the post.

    Answers that are ignored need not fit the labels: they are not looked at.
    """
    post, where = item.post, name_of(item.post)
    check_words(post.tokens, where)
    if len(check_text(post.text, where)) + sum(map(len, post.tokens)) > 2 * MAX_CHARACTERS:
        raise InputError(f"{where} is longer than {MAX_CHARACTERS:,} characters")
    asked = item.ask.relations if isinstance(item.ask.relations, tuple) else ()
    stated = None if use == "ignore" else stated_answer(post)
    words = read_words(words_json(post.photo_words), where, refuse) if post.photo_words else ()
    image_id = post.image_id or None
    body = post_body(post if post.image_id == image_id else replace(post, image_id=image_id), asked)
    ref = post.id or hashlib.sha256(body.encode()).hexdigest()[:20]
    if len(check_text(ref, where)) > MAX_NAME or min(ref) < " ":
        raise InputError(f"{where[:80]} has an id with control characters or over {MAX_NAME} characters")
    for pair in asked:
        for span in (pair.head, pair.tail):
            check_span(span, len(post.tokens), where)
    bare = {"id": ref, "entities": None, "relations": None, "image_id": image_id, "photo_words": words}
    post = Post(**vars(post) | bare)
    try:
        own = None if stated is None else read_answer(stated, post, scheme)
        reviews = () if stated is None else _reviews(item, post, scheme)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return Row(post=post, body=body, answer=own, asked=asked, reviews=reviews)


def _reviews(item: Question, post: Post, scheme: Dataset) -> tuple[tuple[str, Answer], ...]:
    """What each of several people states of a post, by their names."""
    return tuple(
        (
            check_name(one.reviewer or "annotator", "reviewer"),
            read_answer(Answer(entities=one.entities, links=one.relations), post, scheme),
        )
        for one in item.reviews
    )


def stated_answer(post: Post) -> Answer | None:
    """What a file states of a post; None where it states nothing."""
    if post.entities is None and post.relations is None:
        return None
    return Answer(entities=post.entities or (), links=post.relations or ())

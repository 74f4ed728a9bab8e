"""What photos say in words, as training takes it: read off the photos ahead, one description at a time.

A photo may be described by several captioners. Each is a noisy view of it, so training shows one of them,
drawn anew at each visit; validation and test see the first. Text, objects and what a person wrote stand with
each.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmdemo.models.batch import Example
from mmdemo.models.encode import PostEncoder
from mmdemo.models.photo_text import read_photo_text
from mmdemo.photo_words.rules import apply_rules, read_rules
from mmdemo.types import PhotoWords, Post

Words = tuple[PhotoWords, ...]


def variants(words: Words) -> tuple[Words, ...]:
    """The words of a photo, after the rules, once with each of its descriptions by a captioner.

    There is always one; without captions it is all the rest. Captions that the rules drop are none.
    """
    order = read_rules().order
    rest = apply_rules(one for one in words if one.source != "captioned").kept
    captions = [apply_rules([one]).kept for one in words if one.source == "captioned"]
    chosen = list(dict.fromkeys(kept for kept in captions if kept)) or [()]
    return tuple(tuple(sorted((*rest, *one), key=lambda w: order.index(w.source))) for one in chosen)


def first_described(post: Post, encoder: PostEncoder) -> Post:
    """The post as validation sees it: with the first description alone."""
    if not post.photo_words or not encoder.config.photo_words:
        return post
    return replace(post, photo_words=variants(post.photo_words)[0])


def one_described(
    examples: Sequence[Example], posts: Sequence[Post], encoder: PostEncoder, rng: np.random.Generator
) -> list[Example]:
    """The examples, each with one of its photo's descriptions; each post draws a number, whatever it has."""
    found = list(examples)
    if not encoder.config.photo_words:
        return found
    for i, drawn in enumerate(rng.random(len(found))):
        if len(posts[i].photo_words) > 1 and len(choices := variants(posts[i].photo_words)) > 1:
            chosen = choices[int(drawn * len(choices))]
            found[i] = replace(found[i], words=read_photo_text(encoder.reader, chosen))
    return found

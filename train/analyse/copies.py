"""Posts that repeat others: within a split, between splits (a leak), and between datasets."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from mmdemo.types import Post
from train.analyse.photos import Facts, PhotoFacts

#: Two photos whose fingerprints differ in so many of 64 bits at most are taken for the same picture.
NEAR_BITS = 2
#: A plain picture has a fingerprint of noise: below this contrast it is not compared.
PLAIN = 0.05
#: Texts of fewer words than this are not called alike: "good morning" is no copy.
SHORT = 4

_NOISE = re.compile(r"https?\S*|www\.\S+|@\w+|\brt\b")
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Posts that repeat others: what is the same, where, how many, and three of them in words."""

    what: str
    where: str
    count: int
    examples: tuple[str, ...]


def find_copies(posts: Mapping[str, Sequence[Post]], facts: Facts) -> list[Copies]:
    """Repetitions inside each split and leaks between each two, of texts and of photos.

    A row is a text with its labels or pair: one post that asks about several pairs is no copy.
    """
    found = [_repeated("the same row", split, rows, _row) for split, rows in posts.items()]
    for one, two in combinations(posts, 2):
        where, earlier, later = f"in {two}, known from {one}", posts[one], posts[two]
        found += [
            _shared("the same text", where, earlier, later, lambda post: post.text),
            _shared("a text alike but for case, links, @names", where, earlier, later, alike_key),
            _shared("the same photo", where, earlier, later, lambda post: _digest(post, facts)),
            _near_photos("a photo that looks the same", where, earlier, later, facts),
        ]
    return found


def shared_texts(posts: Mapping[str, Sequence[Post]]) -> np.ndarray:
    """How many distinct texts (alike, see `alike_key`) each two of the named lists of posts share."""
    keys = [{alike_key(post) for post in rows} - {""} for rows in posts.values()]
    return np.array([[len(one & other) for other in keys] for one in keys])


def alike_key(post: Post) -> str:
    """The text without case, links, account names and punctuation; "" for one too short to compare."""
    words = _MARKS.sub(" ", _NOISE.sub(" ", post.text.lower())).split()
    return " ".join(words) if len(words) >= SHORT else ""


def _row(post: Post) -> str:
    return repr((post.text, post.pair, post.relation, post.entities))


def _fact(post: Post, facts: Facts) -> PhotoFacts | None:
    return facts.get(Path(post.image)) if isinstance(post.image, str | Path) else None


def _digest(post: Post, facts: Facts) -> str:
    fact = _fact(post, facts)
    return fact.digest if fact else ""


def _repeated(what: str, split: str, posts: Sequence[Post], key: Callable[[Post], str]) -> Copies:
    seen: set[str] = set()
    again = []
    for post in posts:
        if key(post) in seen:
            again.append(_say(post))
        seen.add(key(post))
    return Copies(what=what, where=f"within {split}", count=len(again), examples=tuple(again[:3]))


def _shared(
    what: str, where: str, earlier: Sequence[Post], later: Sequence[Post], key: Callable[[Post], str]
) -> Copies:
    known = {key(post) for post in earlier} - {""}
    again = [_say(post) for post in later if key(post) in known]
    return Copies(what=what, where=where, count=len(again), examples=tuple(again[:3]))


def _near_photos(
    what: str, where: str, earlier: Sequence[Post], later: Sequence[Post], facts: Facts
) -> Copies:
    """Posts of the later split whose photo looks like one of the earlier split, but is another file."""
    old = {f.digest: f.fingerprint for f in _textured(earlier, facts)}
    known = np.array(list(old.values()), dtype=np.uint64)
    near = {
        fact.digest
        for fact in {f.digest: f for f in _textured(later, facts)}.values()
        if fact.digest not in old
        and len(known)
        and np.bitwise_count(known ^ np.uint64(fact.fingerprint)).min() <= NEAR_BITS
    }
    again = [_say(post) for post in later if _digest(post, facts) in near]
    return Copies(what=what, where=where, count=len(again), examples=tuple(again[:3]))


def _textured(posts: Sequence[Post], facts: Facts) -> list[PhotoFacts]:
    found = [_fact(post, facts) for post in posts]
    return [fact for fact in found if fact is not None and fact.contrast >= PLAIN]


def _say(post: Post) -> str:
    return f"{post.id or post.image_id or '?'}: {post.text[:90]}{'…' if len(post.text) > 90 else ''}"

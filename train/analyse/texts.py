"""What is in the texts: lengths, labels, and the words of each class."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmdemo.formats.published import gold_tags
from mmdemo.posts.text import TextReader
from mmdemo.types import Post


@dataclass(frozen=True, kw_only=True)
class SplitFacts:
    """One split, a number for each post: words, sub-tokens (with marks and [CLS], [SEP]), labels.

    ``labels`` counts entity types, or relations; ``tags`` the BIO tags (empty for relations).
    """

    words: tuple[int, ...]
    subtokens: tuple[int, ...]
    per_post: tuple[int, ...]
    labels: Counter[str]
    tags: Counter[str]

    @property
    def posts(self) -> int:
        return len(self.words)


def split_facts(posts: Sequence[Post], reader: TextReader) -> SplitFacts:
    """Count one split. Relations count 1 a post where they are not ``None``."""
    labels: Counter[str] = Counter()
    tags: Counter[str] = Counter()
    for post in posts:
        if post.pair is not None:
            labels[str(post.relation)] += 1
        else:
            labels.update(entity.label for entity in post.entities or ())
            tags.update(gold_tags(post))
    return SplitFacts(
        words=tuple(len(post.tokens) for post in posts),
        subtokens=tuple(len(reader.read(post.tokens, post.pair).ids) for post in posts),
        per_post=tuple(len(post.entities or ()) if post.pair is None else 1 for post in posts),
        labels=labels,
        tags=tags,
    )


def words_by_class(posts: Sequence[Post], stopwords: set[str]) -> dict[str, Counter[str]]:
    """Class -> how often each word stands in it: in entities of a type, or in posts of a relation."""
    found: dict[str, Counter[str]] = {}
    for post in posts:
        if post.pair is not None:
            counts = found.setdefault(str(post.relation), Counter())
            counts.update(_telling(post.tokens, stopwords))
        for entity in post.entities or () if post.pair is None else ():
            counts = found.setdefault(entity.label, Counter())
            counts.update(_telling(post.tokens[entity.start : entity.end], stopwords))
    return found


def _telling(words: Sequence[str], stopwords: set[str]) -> Iterator[str]:
    """Words with a letter, without their #, that are no stop words, links or names of accounts."""
    for word in words:
        plain = word.lstrip("#")
        known = plain.lower() in stopwords or plain.lower() == "rt"
        if len(plain) > 1 and not known and not plain.startswith(("http", "@")) and plain.isascii():
            if any(char.isalpha() for char in plain):
                yield plain

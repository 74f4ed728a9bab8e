"""How far reviewers agree, from their blind double reviews.

Order and white space do not count: a span that takes an invisible or blank word along at its end is the
same span, and such words are no items of the kappa. Posts that one of the two rejected are left out.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mmdemo.review.records import Answer, DoubleReview
from mmdemo.types import Post, Span

#: (start, end, label)
Marked = tuple[int, int, str]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Agreement on one class, or on all. None where there is nothing to agree on.

    ``exact`` and ``overlap`` are F1 of the spans: same words and label; same label and at least one word in
    common, each span matched once. ``kappa`` is Cohen's: of the words' labels (with O), or of the relations
    of span pairs that either reviewer names. ``first`` and ``second`` count what each marked.
    """

    exact: float | None
    overlap: float | None
    kappa: float | None
    first: int
    second: int


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Between two reviewers over ``posts`` posts: entities and relations, each over all and per class."""

    reviewers: tuple[str, str]
    posts: int
    entities: Scores
    by_entity: dict[str, Scores]
    relations: Scores
    by_relation: dict[str, Scores]


def agreements(reviews: Iterable[DoubleReview]) -> tuple[Agreement, ...]:
    """Agreement of every two reviewers with posts in common, by name."""
    by_pair: dict[tuple[str, str], list[DoubleReview]] = {}
    for review in reviews:
        if "rejected" not in (review.one.verdict, review.other.verdict):
            first, second = sorted((review.one, review.other), key=lambda decision: decision.reviewer)
            pair = (first.reviewer, second.reviewer)
            by_pair.setdefault(pair, []).append(replace(review, one=first, other=second))
    return tuple(_agreement(pair, items) for pair, items in sorted(by_pair.items()))


def _agreement(pair: tuple[str, str], items: Sequence[DoubleReview]) -> Agreement:
    spans = [(_spans(x.one.answer, x.post), _spans(x.other.answer, x.post)) for x in items]
    words = [row for x, two in zip(items, spans, strict=True) for row in _words(x.post, *two)]
    related = [row for x in items for row in _related(_links(x.one.answer, x), _links(x.other.answer, x))]
    return Agreement(
        reviewers=pair,
        posts=len(items),
        entities=_scores(spans, words, None),
        by_entity={label: _scores(spans, words, label) for label in _labels(words, "O")},
        relations=_link_scores(related, None),
        by_relation={label: _link_scores(related, label) for label in _labels(related, NOTHING)},
    )


def _labels(rows: Sequence[tuple[str, str]], nothing: str) -> list[str]:
    return sorted({label for row in rows for label in row} - {nothing})


# ---------------------------------------------------------------- entities


def _blank(word: str) -> bool:
    return all(unicodedata.category(c)[0] in "ZC" or "\ufe00" <= c <= "\ufe0f" for c in word)


def trimmed(span: Span, post: Post) -> Span:
    """The span without blank words at its ends (as it is where all are blank)."""
    solid = [word for word in range(*span) if not _blank(post.tokens[word])]
    return (solid[0], solid[-1] + 1) if solid else span


def _spans(answer: Answer, post: Post) -> set[Marked]:
    return {(*trimmed((e.start, e.end), post), e.label) for e in answer.entities}


def _words(post: Post, one: set[Marked], other: set[Marked]) -> list[tuple[str, str]]:
    """The two labels of each word that is not blank; of nested spans the shortest counts."""
    return [
        (_label_at(word, one), _label_at(word, other))
        for word, token in enumerate(post.tokens)
        if not _blank(token)
    ]


def _label_at(word: int, spans: set[Marked]) -> str:
    over = [(end - start, start, label) for start, end, label in spans if start <= word < end]
    return min(over)[2] if over else "O"


def _scores(
    spans: Sequence[tuple[set[Marked], set[Marked]]],
    words: Sequence[tuple[str, str]],
    label: str | None,
) -> Scores:
    chosen = [
        tuple({span for span in side if label is None or span[2] == label} for side in two) for two in spans
    ]
    first, second = (sum(len(two[side]) for two in chosen) for side in (0, 1))
    return Scores(
        exact=_f1(sum(len(one & other) for one, other in chosen), first, second),
        overlap=_f1(sum(_overlapping(one, other) for one, other in chosen), first, second),
        kappa=cohen_kappa(_binary(words, label)),
        first=first,
        second=second,
    )


def _overlapping(one: set[Marked], other: set[Marked]) -> int:
    """How many spans of one label can be matched one to one with at least one word in common."""
    free = sorted(other)
    matched = 0
    for start, end, label in sorted(one, key=lambda span: (span[1], span[0], span[2])):
        # Earliest end first, on both sides, leaves the most for the rest (exactly so where none nest).
        fits = [span for span in free if span[2] == label and span[0] < end and start < span[1]]
        if fits:
            free.remove(min(fits, key=lambda span: (span[1], span[0])))
            matched += 1
    return matched


# ---------------------------------------------------------------- relations

LinkKey = tuple[Span, Span]

#: Stands for no relation, whatever a dataset calls it: no label is empty.
NOTHING = ""


def _links(answer: Answer, review: DoubleReview) -> dict[LinkKey, set[str]]:
    found: dict[LinkKey, set[str]] = {}
    for link in answer.links:
        if link.label != review.none:
            key = (trimmed(link.head, review.post), trimmed(link.tail, review.post))
            found.setdefault(key, set()).add(link.label)
    for pair in review.asked:  # the question was put to both: no relation is an answer too
        found.setdefault((trimmed(pair.head, review.post), trimmed(pair.tail, review.post)), set())
    return found


def _related(one: dict[LinkKey, set[str]], other: dict[LinkKey, set[str]]) -> list[tuple[str, str]]:
    """The two labels of each pair of spans; several labels on one pair count as one joint label."""
    return [(_joint(one, key), _joint(other, key)) for key in sorted({*one, *other})]


def _joint(side: dict[LinkKey, set[str]], key: LinkKey) -> str:
    return " + ".join(sorted(side.get(key, ()))) or NOTHING


def _link_scores(related: Sequence[tuple[str, str]], label: str | None) -> Scores:
    """As for entities; a relation has no words of its own, so ``overlap`` is ``exact``."""

    def counts(name: str) -> bool:
        return name == label if label else name != NOTHING

    first, second = (sum(counts(row[side]) for row in related) for side in (0, 1))
    exact = _f1(sum(one == other and counts(one) for one, other in related), first, second)
    kappa = cohen_kappa(_binary(related, label))
    return Scores(exact=exact, overlap=exact, kappa=kappa, first=first, second=second)


# ---------------------------------------------------------------- figures


def _binary(rows: Sequence[tuple[str, str]], label: str | None) -> list[tuple[str, str]]:
    """All labels as they are, or only "this one or not"."""
    if label is None:
        return list(rows)
    return [(str(one == label), str(other == label)) for one, other in rows]


def _f1(matched: int, first: int, second: int) -> float | None:
    """F1 of two sets; it does not matter which of them is called right."""
    return 2 * matched / (first + second) if first + second else None


def cohen_kappa(rows: Sequence[tuple[str, str]]) -> float | None:
    """(observed - expected) / (1 - expected) agreement; None where chance alone would agree always.

    Cohen (1960), A coefficient of agreement for nominal scales.
    """
    if not rows:
        return None
    total = len(rows)
    one, other = Counter(row[0] for row in rows), Counter(row[1] for row in rows)
    observed = sum(first == second for first, second in rows) / total
    expected = sum(one[label] * other[label] for label in one) / total**2
    return None if expected >= 1 else (observed - expected) / (1 - expected)

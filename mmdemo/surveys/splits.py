"""Splits for posts that have none: alike in their labels, seeded, and no text in two of them."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from mmdemo.datasets.schema import Split
from mmdemo.posts.same_text import text_key
from mmdemo.types import Question

SEED = 1337
#: The share of each split where none is given.
SHARES: dict[Split, float] = {"train": 0.8, "valid": 0.1, "test": 0.1}


def split_rows(
    rows: Sequence[Question], shares: Mapping[Split, float] = SHARES, seed: int = SEED
) -> dict[Split, list[Question]]:
    """Rows by split, in their own order, in these shares of the posts and, as near as can be, of each label.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011) of the texts: rows of one text, whatever
    its case and spacing, go together. The rarest label is dealt first, to the split that lacks most of it.
    """
    groups: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(text_key(row.post), []).append(number)
    order = np.random.default_rng(seed).permutation(len(groups))
    keys = list(groups)
    shuffled = [groups[keys[place]] for place in order]
    labels = [labels_of([rows[number] for number in group]) for group in shuffled]
    dealt = _deal(labels, [len(group) for group in shuffled], shares)
    chosen: dict[Split, list[int]] = {name: [] for name in shares}
    for group, name in zip(shuffled, dealt, strict=True):
        chosen[name] += group
    return {name: [rows[number] for number in sorted(numbers)] for name, numbers in chosen.items()}


def labels_of(rows: Sequence[Question]) -> Counter[str]:
    """How often each label stands in some rows; entities' and relations' apart."""
    found = Counter[str]()
    for row in rows:
        found.update(f"entity {entity.label}" for entity in row.post.entities or ())
        found.update(f"relation {relation.label}" for relation in row.post.relations or ())
    return found


def _deal(labels: Sequence[Counter[str]], sizes: Sequence[int], shares: Mapping[Split, float]) -> list[Split]:
    """The split of each group of rows."""
    total = sum(labels, Counter[str]())
    lacking = {name: {label: total[label] * share for label in total} for name, share in shares.items()}
    room = {name: sum(sizes) * share for name, share in shares.items()}
    dealt: dict[int, Split] = {}

    def put(group: int, name: Split) -> None:
        dealt[group] = name
        room[name] -= sizes[group]
        for label, count in labels[group].items():
            lacking[name][label] -= count

    for label in sorted(total, key=lambda label: (total[label], label)):
        for group in range(len(labels)):
            if label in labels[group] and group not in dealt:
                put(group, max(shares, key=lambda name: (lacking[name][label], room[name])))
    for group in range(len(labels)):
        if group not in dealt:
            put(group, max(shares, key=lambda name: room[name]))
    return [dealt[group] for group in range(len(labels))]

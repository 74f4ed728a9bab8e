"""A dataset's record, drafted from what a survey found: all that can be inferred is, for a person to edit."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmdemo.datasets.records import LONGEST_LABEL, NAME
from mmdemo.datasets.schema import (
    Dataset,
    EntityType,
    ExamplePost,
    Files,
    RelationType,
    Task,
    WordRules,
    readable,
)
from mmdemo.surveys.survey import Survey
from mmdemo.types import InputError, Post, Relation

#: What files call a pair without a relation.
NONES = ("none", "no_relation", "no-relation", "norelation", "no relation", "na", "n/a", "null")
#: A label that stands once among so many of its kind is taken for a slip.
SLIP = 500
EXAMPLES = 3
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A record, and what a person should know of how it came about."""

    dataset: Dataset
    notes: tuple[str, ...]


def case_twins(counts: Mapping[str, int]) -> dict[str, str]:
    """Labels that differ from another by letter case only -> that one, the commonest of them."""
    chosen: dict[str, str] = {}
    for label in sorted(counts, key=lambda label: (-counts[label], label)):
        chosen.setdefault(label.casefold(), label)
    return {label: chosen[label.casefold()] for label in counts if chosen[label.casefold()] != label}


def draft(found: Survey, files: Files, *, name: str = "", title: str = "", merge_case: bool = False) -> Draft:
    """The record for a survey's posts, whose splits lie in ``files``.

    Args:
        name: else the folder's.
        merge_case: take labels that differ by letter case only as the commonest of them.

    Raises:
        InputError: the name is none, there are such labels and ``merge_case`` is False, or no label is left.
    """
    notes, renamed = list[str](), dict[str, str]()
    entities = _kept(found.entity_counts, "entity", merge_case, notes, renamed)
    relations = _kept(found.relation_counts, "relation", merge_case, notes, renamed)
    none = next((label for label in relations if label.casefold() in NONES), "None")
    relations = [label for label in relations if label != none]
    stated: dict[Task, list[str]] = {"entities": entities, "relations": relations}
    tasks = [task for task, labels in stated.items() if labels]
    if not tasks:
        raise InputError(f"{found.folder} states no label that can be used")
    name = _name(name or found.folder.resolve().name)
    seen = [row.post for file in found.files if file.split != "test" for row in file.rows]
    ends = _ends(seen, entities, renamed)
    dataset = Dataset(
        name=name,
        title=title or readable(name),
        tasks=tuple(tasks),
        words=word_rules(found.posts),
        files=files,
        entities=tuple(EntityType(label=label) for label in entities),
        relations=tuple(
            RelationType(label=label, head=heads, tail=tails)
            for label in relations
            for heads, tails in [ends.get(label, ((), ()))]
        ),
        none=none,
        label_map=tuple(sorted(renamed.items())),
        examples=_examples(found, bool(entities), none),
    )
    return Draft(dataset=dataset, notes=tuple(notes))


def _name(text: str) -> str:
    """A text as a dataset's name."""
    name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", text).strip("-._+")[:40].rstrip("-._+")
    if not NAME.fullmatch(name):
        raise InputError(f"{text[:60]!r} gives no name of letters and digits; say one by --name")
    return name


def _kept(
    counts: Counter[str], kind: str, merge_case: bool, notes: list[str], renamed: dict[str, str]
) -> list[str]:
    """The labels to keep, commonest first; what becomes of others goes to ``renamed`` and ``notes``."""
    twins = case_twins(counts)
    if twins and not merge_case:
        pairs = ", ".join(f"{a!r} ({counts[a]:,}) and {b!r} ({counts[b]:,})" for a, b in twins.items())
        raise InputError(
            f"the {kind} labels {pairs} differ by letter case only; say --merge-case where they are one, "
            "or rename one of them in the files"
        )
    for label, other in twins.items():
        renamed[label] = other
        notes.append(f"the {kind} label {label!r} ({counts[label]:,}) counts as {other!r}")
    total = sum(counts.values())
    kept = []
    for label, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if label in twins:
            continue
        if not label.strip() or len(label) > LONGEST_LABEL or _CONTROLS.search(label):
            renamed[label] = ""
            notes.append(f"{label[:40]!r} is no label (one line, 1 to {LONGEST_LABEL} characters); left out")
        elif count == 1 and total >= SLIP:
            renamed[label] = ""
            notes.append(
                f"the {kind} label {label!r} stands once among {total:,} and is left out as a slip; "
                "change it under [map] where it is none"
            )
        else:
            kept.append(label)
    return kept


def _ends(
    posts: Sequence[Post], entities: Sequence[str], renamed: Mapping[str, str]
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The entity labels that each relation joins in the posts, in the record's order; empty where unknown."""
    seen: dict[str, tuple[set[str], set[str]]] = {}
    for post in posts:
        labels: dict[tuple[int, int], set[str]] = {}
        for entity in post.entities or ():
            label = renamed.get(entity.label, entity.label)
            labels.setdefault((entity.start, entity.end), set()).add(label)
        for relation in post.relations or ():
            heads, tails = seen.setdefault(
                renamed.get(relation.label, relation.label), (set[str](), set[str]())
            )
            heads |= labels.get(relation.head, set())
            tails |= labels.get(relation.tail, set())
    return {
        label: (
            tuple(kind for kind in entities if kind in heads),
            tuple(kind for kind in entities if kind in tails),
        )
        for label, (heads, tails) in seen.items()
    }


def word_rules(posts: Sequence[Post]) -> WordRules:
    """How the files part hashtags and English clitics, by what stands more often."""
    counts = Counter[str]()
    for post in posts:
        if post.offsets:  # parted here, by no file
            continue
        for token, after in zip(post.tokens, (*post.tokens[1:], ""), strict=True):
            low = token.casefold().replace("’", "'")
            counts["# apart"] += token == "#" and after[:1].isalpha()
            counts["# kept"] += token.startswith("#") and token[1:2].isalpha()
            counts["clitic"] += low in ("'s", "n't", "'re", "'ll", "'ve")
            counts["apostrophe"] += low == "'" and after.casefold() in ("s", "t", "re", "ll", "ve")
    return WordRules(
        split_hashtags=counts["# apart"] > counts["# kept"],
        split_clitics=counts["clitic"] > counts["apostrophe"],
    )


def _examples(found: Survey, entities: bool, none: str) -> tuple[ExamplePost, ...]:
    """A few short posts that state much, of the last files (the test split comes last where it is named)."""
    chosen = list[ExamplePost]()
    for post in reversed(found.posts):
        stated = [r for r in post.relations or () if r.label != none and _apart(r)]
        if not 5 <= len(post.tokens) <= 25 or not (len(post.entities or ()) >= 2 or stated):
            continue
        text = post.text if entities else marked(post, stated[0])
        if text.isprintable():
            chosen.append(ExamplePost(text=text))
        if len(chosen) == EXAMPLES:
            break
    return tuple(chosen)


def marked(post: Post, relation: Relation) -> str:
    """A post's words with marks around a relation's head and tail, which must share no word."""
    words = list(post.tokens)
    for (start, end), number in sorted([(relation.head, 1), (relation.tail, 2)], reverse=True):
        words[start:end] = [f"[E{number}]", *words[start:end], f"[/E{number}]"]
    return " ".join(words)


def _apart(relation: Relation) -> bool:
    return relation.head[1] <= relation.tail[0] or relation.tail[1] <= relation.head[0]

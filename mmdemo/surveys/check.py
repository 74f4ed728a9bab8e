"""What a dataset's splits hold, and what in them wants a look: counted, never silently dropped."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdemo.datasets.schema import SPLITS, Dataset
from mmdemo.formats.descriptions import counted, descriptions_of, with_descriptions
from mmdemo.formats.reading import read_split, with_photos
from mmdemo.photo.lookup import photo_lookup
from mmdemo.posts.gold import flat_entities
from mmdemo.posts.same_text import text_key
from mmdemo.types import InputError, Post


@dataclass(frozen=True, kw_only=True)
class SplitReport:
    """One split's counts.

    ``overlapping`` are pairs of entities that share a word, ``nested`` those of them where one holds the
    other. ``unlearnt`` are entities that a model's tags cannot hold beside a longer one, ``twice`` pairs of
    spans with several relations, of which a model learns one. ``unlabelled`` are relations between spans
    that are no entities of the post, ``misfits`` relations between labels that the record does not let them
    join. ``without_photo`` is None where the record names no photos. ``described`` counts posts with words of
    their photo by who or what they are from. ``left_out`` counts what the reader left
    out, by what it is.
    """

    posts: int
    words: int
    entities: dict[str, int]
    relations: dict[str, int]
    overlapping: int
    nested: int
    unlearnt: int
    twice: int
    unlabelled: int
    misfits: int
    without_photo: int | None
    described: dict[str, int]
    left_out: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A dataset's splits by name, and what concerns several. ``problems`` are splits that cannot be read."""

    dataset: str
    splits: dict[str, SplitReport]
    shared_texts: dict[str, int]
    seen_once: tuple[str, ...]
    unseen: tuple[str, ...]
    problems: tuple[str, ...] = ()


def check(folder: Path, dataset: Dataset) -> Report:
    """Read all splits of a dataset in its folder and count. Raises InputError where none can be read."""
    splits, posts, problems = dict[str, SplitReport](), dict[str, list[Post]](), list[str]()
    for split in SPLITS:
        left_out = Counter[str]()
        try:
            rows = read_split(folder, dataset, split, left_out)
            photos = dataset.files.photos
            if photos:
                rows = with_photos(rows, photo_lookup(Path(folder), None, dataset, split))
            rows = with_descriptions(rows, descriptions_of(Path(folder), dataset))
        except InputError as error:
            problems.append(str(error))
            continue
        posts[split] = [row.post for row in rows]
        splits[split] = _report(posts[split], dataset, left_out, bool(photos), counted(posts[split]))
    if not splits:
        raise InputError("; ".join(problems))
    totals = Counter[str]()
    for report in splits.values():
        totals.update(report.entities)
        totals.update(report.relations)
    labels = (*dataset.entity_labels, *dataset.relation_labels[1:])
    return Report(
        dataset=dataset.name,
        splits=splits,
        shared_texts=_shared(posts),
        seen_once=tuple(label for label in labels if totals[label] == 1),
        unseen=tuple(label for label in labels if not totals[label]),
        problems=tuple(problems),
    )


def _report(
    posts: Sequence[Post],
    dataset: Dataset,
    left_out: Counter[str],
    photos: bool,
    described: dict[str, int],
) -> SplitReport:
    overlapping, nested = 0, 0
    for post in posts:
        spans = [(e.start, e.end) for e in post.entities or ()]
        for number, (start, end) in enumerate(spans):
            for other, last in spans[number + 1 :]:
                if start < last and other < end:
                    overlapping += 1
                    nested += (start <= other and last <= end) or (other <= start and end <= last)
    relations = [relation for post in posts for relation in post.relations or ()]
    return SplitReport(
        posts=len(posts),
        words=sum(len(post.tokens) for post in posts),
        entities=_counted((e.label for post in posts for e in post.entities or ()), dataset.entity_labels),
        relations=_counted((r.label for r in relations), dataset.relation_labels),
        overlapping=overlapping,
        nested=nested,
        unlearnt=sum(len(p.entities or ()) - len(flat_entities(p.entities or ())) for p in posts),
        twice=sum(_pairs_with_several(post) for post in posts),
        unlabelled=sum(_unlabelled(post) for post in posts) if dataset.has_entities else 0,
        misfits=sum(_misfits(post, dataset) for post in posts),
        without_photo=sum(post.image is None for post in posts) if photos else None,
        described=described,
        left_out=dict(left_out),
    )


def _counted(labels: Iterable[str], known: Sequence[str]) -> dict[str, int]:
    counts = Counter(labels)
    return {label: counts[label] for label in known if counts[label]}


def _pairs_with_several(post: Post) -> int:
    return sum(count > 1 for count in Counter(r.pair for r in post.relations or ()).values())


def _unlabelled(post: Post) -> int:
    spans = {(e.start, e.end) for e in post.entities or ()}
    return sum(not {r.head, r.tail} <= spans for r in post.relations or ())


def _misfits(post: Post, dataset: Dataset) -> int:
    """Relations whose ends have labels that the record does not let them join."""
    labels: dict[tuple[int, int], list[str]] = {}
    for entity in post.entities or ():
        labels.setdefault((entity.start, entity.end), []).append(entity.label)
    count = 0
    for relation in post.relations or ():
        kind = dataset.relation_type(relation.label)
        ends: list[Sequence[str | None]] = [
            labels.get(span) or [None] for span in (relation.head, relation.tail)
        ]
        if kind and not any(kind.fits(head, tail) for head in ends[0] for tail in ends[1]):
            count += 1
    return count


def _shared(posts: dict[str, list[Post]]) -> dict[str, int]:
    """How many posts of a later split say what one of an earlier split says."""
    keys = {split: [text_key(post) for post in found] for split, found in posts.items()}
    names = list(keys)
    shared: dict[str, int] = {}
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            there = set(keys[one])
            if count := sum(key in there for key in keys[other]):
                shared[f"{one} and {other}"] = count
    return shared

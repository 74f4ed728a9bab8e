"""``python -m train prepare``: check a data folder before training, and say what is there, missing or odd.

Every finding says how often, gives the first offenders, and for whom it matters. No file is changed.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from tqdm import tqdm

from mmdemo.datasets.bio import spans_of
from mmdemo.datasets.schema import SPLITS, Dataset, Task
from mmdemo.formats.descriptions import counted
from mmdemo.photo.opening import load_photo
from mmdemo.posts.gold import gold_tags
from mmdemo.types import InputError, Post, Relation, quoted
from train.data.photo_reading import Named, counted_readings
from train.data.source import DataSource, datasets_in

#: What a finding is called -> for whom it matters.
MATTERS: dict[str, str] = {
    "posts without a photo": "they train and predict as text only: matters to those who report image results",
    "posts with a broken photo": "they count as posts without one: matters to those who can fetch it again",
    "orphan I- tags": "entities by default, none in strict scoring: matters to those who compare F1",
    "invisible tokens": "they give no sub-token, words align by word ids: matters to those who re-split text",
    "URL tokens": "the report's cleaning drops them: matters to those who compare with and without cleaning",
    "pairs with the tail before the head": "normal: matters to code that assumes an order of the marks",
    "pairs whose spans touch or overlap": "normal: matters to code that inserts marks one after the other",
    "pairs that end the sentence": "normal: matters to code that looks for a word behind the mark",
    "pairs with several relations": "a model learns the first of them: matters to those who labelled more",
    "overlapping entities": "tags hold one entity a word, longer ones are kept: matters to those who nest",
    "relations without a row": "macro-F1 over all and over present classes differ: matters in tables",
    "repeated ids": "reviews and photos are found by id: matters to those who review these posts",
    "texts in both train and valid": "seen before they are judged: matters to those who choose by validation",
    "texts in both train and test": "seen before they are judged: matters to those who report test figures",
    "texts in both valid and test": "chosen on what is judged: matters to those who report test figures",
}


#: What is counted as a label, by task.
COUNTED: dict[Task, str] = {"entities": "entities", "relations": "relations other than {none}"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something worth knowing: ``what`` (a key of `MATTERS`), how often, and the first three offenders."""

    what: str
    count: int
    first: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SplitReport:
    """One split. ``labels`` counts entities (seqeval's default reading) and relations other than ``none``;
    ``described`` the posts with words of their photo, by who or what they are from; ``readings`` what became
    of the photos that were read ahead (`train.data.photo_reading`).
    """

    split: str
    posts: int
    labels: int
    photos: int
    described: dict[str, int] = field(default_factory=dict)
    readings: dict[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """One dataset; ``counted`` says what its labels are, ``problems`` what blocks its training."""

    dataset: str
    title: str
    counted: str
    splits: tuple[SplitReport, ...]
    findings: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """A data folder. ``photo_source`` says in words where photos were looked for."""

    data: str
    photo_source: str
    datasets: tuple[DatasetReport, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether every dataset can be trained and tested."""
        return not any(dataset.problems for dataset in self.datasets)


def check(
    data: Path,
    images: Path | None = None,
    pairs: Path | None = None,
    photo_sources: Named | None = None,
) -> Report:
    """Read every split, open every photo, compare the splits; with ``photo_sources`` read what photos say.

    Without ``images`` and ``pairs`` the stand-ins of the folder itself are taken where it has them.

    Raises:
        InputError: ``images`` or ``pairs`` itself is unusable, or both are given. A missing or
            malformed dataset file is a problem in the report instead.
    """
    source = DataSource(folder=Path(data), images=images, pairs=pairs, photo_sources=photo_sources)
    broken: dict[Path, bool] = {}  # each photo is opened once: posts and datasets share them
    datasets = tuple(_check_dataset(source, dataset, broken) for dataset in datasets_in(source.folder))
    return Report(data=str(data), photo_source=source.described, datasets=datasets)


def _check_dataset(source: DataSource, dataset: Dataset, broken: dict[Path, bool]) -> DatasetReport:
    posts: dict[str, list[Post]] = {}
    problems: list[str] = []
    for split in SPLITS:
        source.lookup(dataset, split)  # photos that cannot be used at all are the caller's mistake
        try:
            posts[split] = source.told(dataset, split)
            if not posts[split]:
                raise InputError(f"{source.folder / dataset.files.of(split)} holds no post")
        except InputError as error:
            posts.pop(split, None)
            need = "test figures" if split == "test" else f"training on {dataset.name}"
            problems.append(f"{error}; this blocks {need}")
    return DatasetReport(
        dataset=dataset.name,
        title=dataset.title,
        counted=" and ".join(COUNTED[task].format(none=dataset.none) for task in dataset.tasks),
        splits=tuple(_check_split(source, dataset, split, posts[split], broken) for split in posts),
        findings=_leaks(posts),
        problems=tuple(problems),
    )


def _check_split(
    source: DataSource, dataset: Dataset, split: str, posts: list[Post], broken: dict[Path, bool]
) -> SplitReport:
    for post in tqdm(posts, desc=f"{dataset.name} {split}: photos", unit="post", leave=False, disable=None):
        if isinstance(post.image, Path) and post.image not in broken:
            broken[post.image] = load_photo(post)[0] is None
    bad = [post for post in posts if isinstance(post.image, Path) and broken[post.image]]
    without = [post for post in posts if post.image is None]
    labels = 0
    findings: list[Finding] = []
    if any(post.image is not None for post in posts) or dataset.files.photos:  # else text-only is normal
        findings.append(_finding("posts without a photo", (_id(post) for post in without)))
        findings.append(_finding("posts with a broken photo", (f"{_id(p)} ({_name(p)})" for p in bad)))
    if dataset.has_entities:
        labels += sum(len(post.entities or ()) for post in posts)
        findings += _entity_findings(posts)
    if dataset.has_relations:
        labels += sum(r.label != dataset.none for post in posts for r in post.relations or ())
        findings += _pair_findings(dataset, posts)
    repeated = (i for i, n in Counter(map(_id, posts)).items() if n > 1)
    return SplitReport(
        split=split,
        posts=len(posts),
        labels=labels,
        photos=len(posts) - len(without) - len(bad),
        described=counted(posts),
        readings=counted_readings(posts, source.photo_sources or ()),
        findings=_present(*findings, _finding("repeated ids", repeated)),
    )


def _entity_findings(posts: Sequence[Post]) -> list[Finding]:
    words = [(post, token) for post in posts for token in post.tokens]
    return [
        _finding(
            "orphan I- tags", (f"{_id(post)} {quoted(word)}" for post in posts for word in _orphans(post))
        ),
        _finding(
            "invisible tokens", (f"{_id(post)} {ascii(word)}" for post, word in words if _invisible(word))
        ),
        _finding(
            "URL tokens", (f"{_id(post)} {quoted(word)}" for post, word in words if word.startswith("http"))
        ),
        _finding("overlapping entities", (_id(post) for post in posts if overlapping(post))),
    ]


def _pair_findings(dataset: Dataset, posts: Sequence[Post]) -> list[Finding]:
    stated = [(_id(post), r, len(post.tokens)) for post in posts for r in post.relations or ()]
    several = Counter((i, r.pair) for i, r, _ in stated)
    seen = {r.label for _, r, _ in stated} | ({dataset.none} if dataset.has_entities else set())
    return [
        _finding("pairs with the tail before the head", (i for i, r, _ in stated if r.tail[0] < r.head[0])),
        _finding("pairs whose spans touch or overlap", (i for i, r, _ in stated if _touch(r))),
        _finding("pairs that end the sentence", (i for i, r, n in stated if n in (r.head[1], r.tail[1]))),
        _finding("pairs with several relations", (i for (i, _), n in several.items() if n > 1)),
        _finding("relations without a row", (r for r in dataset.relation_labels if r not in seen)),
    ]


def _touch(relation: Relation) -> bool:
    return relation.head[0] <= relation.tail[1] and relation.tail[0] <= relation.head[1]


def overlapping(post: Post) -> bool:
    """Whether two of the post's entities share a word, which BIO tags cannot say."""
    spans = sorted((entity.start, entity.end) for entity in post.entities or ())
    return any(end > start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))


def _leaks(posts: dict[str, list[Post]]) -> tuple[Finding, ...]:
    """Distinct texts that stand in two splits, for each two splits."""
    places = {
        split: {post.text or " ".join(post.tokens): _id(post) for post in posts[split]} for split in posts
    }
    return _present(
        *(
            _finding(
                f"texts in both {one} and {two}",
                (f"{places[one][text]} = {places[two][text]}" for text in places[one] if text in places[two]),
            )
            for one, two in combinations(places, 2)
        )
    )


def _orphans(post: Post) -> list[str]:
    if overlapping(post):
        return []
    tags = gold_tags(post)
    return [post.tokens[start] for start, _, _ in spans_of(tags) if tags[start].startswith("I-")]


def _invisible(word: str) -> bool:
    """Whether no character shows: white space, controls, format characters or marks without a base."""
    return all(unicodedata.category(char) in ("Cc", "Cf", "Mn", "Zl", "Zp", "Zs") for char in word)


def _finding(what: str, offenders: Iterable[str]) -> Finding:
    found = list(offenders)
    return Finding(what=what, count=len(found), first=tuple(found[:3]))


def _present(*findings: Finding) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.count)


def _id(post: Post) -> str:
    return post.id or "(no id)"


def _name(post: Post) -> str:
    return post.image.name if isinstance(post.image, Path) else "no photo"

"""``python -m train prepare``: check a data folder before training, and say what is there, missing or odd.

Every finding says how often, gives the first offenders, and for whom it matters. No file is changed.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

from tqdm import tqdm

from mmdemo.datasets.bio import RELATIONS, spans_of
from mmdemo.formats.published import FILES, gold_tags, read_split
from mmdemo.models.config import DATASETS, SPLITS
from mmdemo.photo.image import load_photo, photo_lookup, with_photos
from mmdemo.terminal import say, say_json
from mmdemo.types import InputError, Post

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
    "relations without a row": "macro-F1 over all 23 and over present classes differ: matters in tables",
    "repeated ids": "reviews and photos are found by id: matters to those who review these posts",
    "texts in both train and valid": "seen before they are judged: matters to those who choose by validation",
    "texts in both train and test": "seen before they are judged: matters to those who report test figures",
    "texts in both valid and test": "chosen on what is judged: matters to those who report test figures",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something worth knowing: ``what`` (a key of `MATTERS`), how often, and the first three offenders."""

    what: str
    count: int
    first: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SplitReport:
    """One split. ``labels`` counts entities (NER, seqeval default) or rows with a relation but None (RE)."""

    split: str
    posts: int
    labels: int
    photos: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """One dataset; ``problems`` are the sentences that block its training."""

    dataset: str
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


def run(data: Path, images: Path | None = None, pairs: Path | None = None, as_json: bool = False) -> int:
    """Check, print the report to stdout, and return 0 when all can be trained, 2 when something is missing.

    Raises:
        InputError: ``images`` or ``pairs`` itself is unusable, or both are given.
    """
    report = check(data, images, pairs)
    say_json(as_record(report)) if as_json else say(*render(report).split("\n"))
    return 0 if report.ready else 2


def check(data: Path, images: Path | None = None, pairs: Path | None = None) -> Report:
    """Read every split, open every photo, compare the splits.

    Without ``images`` and ``pairs`` the stand-ins of the folder itself are taken where it has them.

    Raises:
        InputError: as `run`. A missing or malformed dataset file is a problem in the report instead.
    """
    data = Path(data)
    source = f"originals in {images}" if images else f"stand-ins by {pairs}"
    if images is None and pairs is None:
        pairs = data / "standins" / "pairs.csv"
        source = f"stand-ins by {pairs} (found there; caption-matched, not the tweets' own photos)"
        if not pairs.is_file():
            pairs, source = None, "none given and no standins/pairs.csv here: all posts are text only"
    broken: dict[Path, bool] = {}  # each photo is opened once: posts and datasets share them
    datasets = tuple(_check_dataset(data, images, pairs, dataset, broken) for dataset in DATASETS)
    return Report(data=str(data), photo_source=source, datasets=datasets)


def _check_dataset(
    data: Path, images: Path | None, pairs: Path | None, dataset: str, broken: dict[Path, bool]
) -> DatasetReport:
    posts: dict[str, list[Post]] = {}
    problems: list[str] = []
    for split in SPLITS:
        lookup = photo_lookup(images, pairs, dataset, split)
        try:
            posts[split] = with_photos(read_split(data, dataset, split), lookup)
            if not posts[split]:
                raise InputError(f"{data / FILES[dataset, split]} holds no post")
        except InputError as error:
            posts.pop(split, None)
            need = "test figures" if split == "test" else f"training on {dataset}"
            problems.append(f"{error}; this blocks {need}")
    return DatasetReport(
        dataset=dataset,
        splits=tuple(_check_split(dataset, split, posts[split], broken) for split in posts),
        findings=_leaks(posts),
        problems=tuple(problems),
    )


def _check_split(dataset: str, split: str, posts: list[Post], broken: dict[Path, bool]) -> SplitReport:
    for post in tqdm(posts, desc=f"{dataset} {split}: photos", unit="post", leave=False, disable=None):
        if isinstance(post.image, Path) and post.image not in broken:
            broken[post.image] = load_photo(post)[0] is None
    bad = [post for post in posts if isinstance(post.image, Path) and broken[post.image]]
    without = [post for post in posts if post.image is None]
    is_ner = DATASETS[dataset].task == "ner"
    entities = sum(len(post.entities or ()) for post in posts)
    return SplitReport(
        split=split,
        posts=len(posts),
        labels=entities if is_ner else sum(post.relation != "None" for post in posts),
        photos=len(posts) - len(without) - len(bad),
        findings=_present(
            _finding("posts without a photo", (_id(post) for post in without)),
            _finding("posts with a broken photo", (f"{_id(p)} ({_name(p)})" for p in bad)),
            *(_ner_findings(posts) if is_ner else _pair_findings(posts)),
            _finding("repeated ids", (i for i, n in Counter(map(_id, posts)).items() if n > 1)),
        ),
    )


def _ner_findings(posts: Sequence[Post]) -> list[Finding]:
    words = [(post, token) for post in posts for token in post.tokens]
    return [
        _finding("orphan I- tags", (f"{_id(post)} {word!r}" for post in posts for word in _orphans(post))),
        _finding(
            "invisible tokens", (f"{_id(post)} {ascii(word)}" for post, word in words if _invisible(word))
        ),
        _finding("URL tokens", (f"{_id(post)} {word!r}" for post, word in words if word.startswith("http"))),
    ]


def _pair_findings(posts: Sequence[Post]) -> list[Finding]:
    pairs = [(_id(post), post.pair, len(post.tokens)) for post in posts if post.pair]
    return [
        _finding("pairs with the tail before the head", (i for i, p, _ in pairs if p.tail[0] < p.head[0])),
        _finding(
            "pairs whose spans touch or overlap",
            (i for i, p, _ in pairs if p.head[0] <= p.tail[1] and p.tail[0] <= p.head[1]),
        ),
        _finding("pairs that end the sentence", (i for i, p, n in pairs if n in (p.head[1], p.tail[1]))),
        _finding("relations without a row", (r for r in RELATIONS if r not in {p.relation for p in posts})),
    ]


def _leaks(posts: dict[str, list[Post]]) -> tuple[Finding, ...]:
    """Distinct texts that stand in two splits, for each two splits."""
    places = {split: {post.text: _id(post) for post in posts[split]} for split in posts}
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


def as_record(report: Report) -> dict[str, object]:
    """The report as JSON values, with ``ready`` and, by name, for whom each finding matters."""
    return {**asdict(report), "ready": report.ready, "matters": MATTERS}


def render(report: Report) -> str:
    """The report as lines for a person."""
    lines = [f"data folder: {report.data}", f"photos: {report.photo_source}"]
    for dataset in report.datasets:
        lines += ["", DATASETS[dataset.dataset].title]
        lines += [f"  MISSING OR UNREADABLE: {problem}" for problem in dataset.problems]
        word = "entities" if DATASETS[dataset.dataset].task == "ner" else "relations other than None"
        for split in dataset.splits:
            lines.append(
                f"  {split.split}: {split.posts} posts, {split.labels} {word}, {split.photos} with a photo"
            )
            lines += [f"    {_line(finding)}" for finding in split.findings]
        lines += [f"  {_line(finding)}" for finding in dataset.findings]
    found = {
        f.what for d in report.datasets for f in (*d.findings, *(f for s in d.splits for f in s.findings))
    }
    if found:
        lines += ["", "What it means:"]
        lines += [f"  {what}: {matters}." for what, matters in MATTERS.items() if what in found]
    lines += [
        "",
        "Ready to train on all datasets." if report.ready else "Something needed is missing, see above.",
    ]
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    more = ", …" if finding.count > len(finding.first) else ""
    return f"{finding.what}: {finding.count} ({', '.join(finding.first)}{more})"

"""Reviewed posts as more training data: read, check for leaks into what scores are measured on, compare.

A reviewer's corrections (`python -m mmdemo review export --format jsonl`) go into training only. Validation
and test stay frozen, so that figures before and after speak of the same posts.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mmdemo.cells.card import read_metrics
from mmdemo.cells.conditions import marks_text
from mmdemo.datasets.discovery import reviewed_as
from mmdemo.datasets.schema import Dataset, Task
from mmdemo.formats.given.frozen import posts_of
from mmdemo.formats.jsonl import FORMAT
from mmdemo.formats.reading import guess
from mmdemo.formats.table import SOURCES
from mmdemo.posts.same_text import text_key
from mmdemo.types import InputError, Post, Question
from train.data.questions import questions_of
from train.data.source import DataSource
from train.score.metrics import headline

SHOWN = 5  # leaks named in a message

WANTED: dict[Task, str] = {"entities": "entities (an empty list says none)", "relations": "a pair's relation"}


def read_extra(file: Path, dataset: Dataset) -> tuple[Question, ...]:
    """What the posts of a reviewed file state for the dataset's tasks; photos named by a relative path lie
    beside it. A post may state more than is needed, and any number of relations. ``file`` may also be the
    name of a frozen export (`mmdemo.formats.given.frozen`).

    Raises:
        InputError: the file cannot be read, has a label that the dataset has not, or states nothing for its
            tasks.
    """
    suffixes = {one.suffix for one in SOURCES.values() if one.suffix}
    if not file.exists() and file.name == str(file) and file.suffix not in suffixes:
        file = posts_of(str(file))
    # A download without a suffix is an export as this program names it: JSON lines.
    form = SOURCES[guess(file)] if file.suffix in suffixes else FORMAT
    rows = [_beside(row.post, file.parent) for row in form.read(file, reviewed_as(dataset))]
    if not rows:
        raise InputError(f"{file} holds no posts")
    questions = questions_of(rows, dataset)
    if not questions:
        wanted = " or ".join(WANTED[task] for task in dataset.tasks)
        raise InputError(f"{file}: none of its {len(rows)} posts states {wanted}")
    return tuple(questions)


def _beside(post: Post, folder: Path) -> Post:
    return replace(post, image=folder / post.image) if isinstance(post.image, Path) else post


def find_leaks(extra: Sequence[Question], source: DataSource, dataset: Dataset) -> list[Question]:
    """The extra questions whose text also stands in the dataset's validation or test split."""
    held_out = {text_key(p) for split in ("valid", "test") for p in source.posts(dataset, split)}
    return [asked for asked in extra if text_key(asked.post) in held_out]


def without_leaks(
    extra: tuple[Question, ...], source: DataSource, dataset: Dataset, *, drop: bool
) -> tuple[Question, ...]:
    """The extra posts, less leaking ones where ``drop`` says so.

    Raises:
        InputError: posts leak and ``drop`` is False; the message names the first of them.
    """
    leaks = find_leaks(extra, source, dataset)
    if leaks and not drop:
        posts = [asked.post for asked in leaks[:SHOWN]]
        named = "; ".join(f"{post.id or '?'}: {' '.join(post.tokens)[:60]!r}" for post in posts)
        raise InputError(
            f"{len(leaks)} of {len(extra)} extra posts also stand in validation or test, where scores would "
            f"then be measured on training posts. Leave them out with --drop-leaks. First: {named}"
        )
    leaking = {id(asked) for asked in leaks}
    return tuple(asked for asked in extra if id(asked) not in leaking)


def compare(before: Path, after: Path) -> str:
    """The headline figure of two cells' metrics.json on the same frozen splits, in words.

    Raises:
        InputError: the two cells were not scored on the same posts.
    """
    stated = [read_metrics(folder) for folder in (before, after)]
    old, new = (metrics["splits"] for metrics in stated)
    lines = []
    for split in ("valid", "test"):
        if old[split]["posts"] != new[split]["posts"]:
            raise InputError(f"{before} and {after} were not scored on the same {split} posts")
        figures = [100 * headline(splits[split]["photo"]) for splits in (old, new)]
        lines.append(f"{split}: F1 {figures[0]:.2f} before, {figures[1]:.2f} after")
    for name, marks in zip(("before", "after"), map(marks_text, stated), strict=True):
        lines += [f"{name}: {marks}"] if marks else []
    return "\n".join(lines)

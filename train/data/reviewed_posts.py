"""Reviewed posts as more training data: read, check for leaks into what scores are measured on, compare.

A reviewer's corrections (`python -m mmdemo review export --format jsonl`) go into training only. Validation
and test stay frozen, so that figures before and after speak of the same posts.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mmdemo.cells.files import read_json
from mmdemo.datasets.bio import ENTITY_TYPES
from mmdemo.formats.jsonl import read_jsonl
from mmdemo.models.config import DATASETS
from mmdemo.types import InputError, Post
from train.data.source import DataSource
from train.score.metrics import headline

SHOWN = 5  # leaks named in a message


def read_extra(file: Path, dataset: str) -> tuple[Post, ...]:
    """Labelled posts of a JSON-lines file; photos that it names by a relative path lie beside it.

    Raises:
        InputError: the file cannot be read, a post has no answer for the dataset's task, or the wrong labels.
    """
    posts = read_jsonl(file, ENTITY_TYPES.get(dataset))
    relation = DATASETS[dataset].task == "re"
    wanted = "a marked pair and its relation" if relation else "entities (an empty list says none)"
    for number, post in enumerate(posts, 1):
        answer = (post.relation and post.pair) if relation else post.entities
        if answer is None:
            raise InputError(f"{file}: post {number} ({post.id or 'no id'}) lacks {wanted}")
    if not posts:
        raise InputError(f"{file} holds no posts")
    return tuple(
        replace(post, image=file.parent / post.image) if isinstance(post.image, Path) else post
        for post in posts
    )


def text_key(post: Post) -> str:
    """What two copies of a text share: its letters and digits, without case, width or spacing."""
    text = unicodedata.normalize("NFKC", "".join(post.tokens)).casefold()
    return "".join(c for c in text if c.isalnum()) or text


def find_leaks(extra: Sequence[Post], source: DataSource, dataset: str) -> list[Post]:
    """The extra posts whose text also stands in the dataset's validation or test split."""
    held_out = {text_key(p) for split in ("valid", "test") for p in source.posts(dataset, split)}
    return [post for post in extra if text_key(post) in held_out]


def without_leaks(
    extra: tuple[Post, ...], source: DataSource, dataset: str, *, drop: bool
) -> tuple[Post, ...]:
    """The extra posts, less leaking ones where ``drop`` says so.

    Raises:
        InputError: posts leak and ``drop`` is False; the message names the first of them.
    """
    leaks = find_leaks(extra, source, dataset)
    if leaks and not drop:
        named = "; ".join(f"{post.id or '?'}: {' '.join(post.tokens)[:60]!r}" for post in leaks[:SHOWN])
        raise InputError(
            f"{len(leaks)} of {len(extra)} extra posts also stand in validation or test, where scores would "
            f"then be measured on training posts. Leave them out with --drop-leaks. First: {named}"
        )
    leaking = {id(post) for post in leaks}
    return tuple(post for post in extra if id(post) not in leaking)


def compare(before: Path, after: Path) -> str:
    """The headline figure of two cells' metrics.json on the same frozen splits, in words.

    Raises:
        InputError: the two cells were not scored on the same posts.
    """
    old, new = (read_json(folder / "metrics.json")["splits"] for folder in (before, after))
    lines = []
    for split in ("valid", "test"):
        if old[split]["posts"] != new[split]["posts"]:
            raise InputError(f"{before} and {after} were not scored on the same {split} posts")
        figures = [100 * headline(splits[split]["photo"]) for splits in (old, new)]
        lines.append(f"{split}: F1 {figures[0]:.2f} before, {figures[1]:.2f} after")
    return "\n".join(lines)

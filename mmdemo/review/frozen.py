"""Frozen exports: what a queue had decided at one time, numbered, hashed, and never changed again.

``frozen/NAME/3/`` holds ``posts.jsonl`` with who decided what, ``photos/``, and ``frozen.json``: the number,
the hash, the labels with their guidelines, and how far reviewers agreed. Training takes the posts by name.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.review.agreement import agreements
from mmdemo.review.export import Exported, export
from mmdemo.review.store.changes import utc
from mmdemo.review.store.reviews import Store
from mmdemo.types import InputError, quoted

FOLDER = Path("frozen")
POSTS, FACTS, PHOTOS = "posts.jsonl", "frozen.json", "photos"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_BLOCK = 2**20


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A frozen export: ``sha256`` is of the posts and the photos. ``fresh``: it was made just now, as the
    last one of this name held something else."""

    name: str
    number: int
    sha256: str
    folder: Path
    posts: int
    fresh: bool = True


def freeze(store: Store, queue: str, name: str, folder: Path = FOLDER) -> Frozen:
    """Freeze what a queue has decided; where that is what the last one holds, find that one.

    Raises:
        InputError: no such queue, nothing is decided, a name that is none, or the folder cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"the name {quoted(name)} must be 1 to 60 letters, digits, dots, - and _")
    home = Path(folder) / name
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=".new-") as scratch:
            draft = Path(scratch) / "draft"
            draft.mkdir()
            done = export(
                store, queue, draft / POSTS, "jsonl", photos=draft / PHOTOS, skip=True, decisions=True
            )
            if not done.posts:
                raise InputError(f"the queue {quoted(queue)} has no decided post to freeze")
            last, digest = max(numbers(home), default=0), digest_of(draft)
            if last and _facts(home / str(last))["sha256"] == digest:
                return Frozen(
                    name=name,
                    number=last,
                    sha256=digest,
                    folder=home / str(last),
                    posts=done.posts,
                    fresh=False,
                )
            facts = {"name": name, "number": last + 1, "sha256": digest, **_state(store, queue, done)}
            (draft / FACTS).write_text(
                json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
            )
            os.rename(draft, home / str(last + 1))  # fails where somebody was faster
    except OSError as error:
        raise InputError(f"{home} cannot be written: {error.strerror or error}") from error
    finally:
        if home.is_dir() and not any(home.iterdir()):
            shutil.rmtree(home)
    return Frozen(name=name, number=last + 1, sha256=digest, folder=home / str(last + 1), posts=done.posts)


def _state(store: Store, queue: str, done: Exported) -> dict[str, Any]:
    """What the queue was at that time, beside its posts."""
    progress = store.progress(queue)
    return {
        "at": utc(time.time()),
        "queue": queue,
        "dataset": progress.queue.dataset,
        "posts": done.posts,
        "rejected": done.rejected,
        "left_out": done.left_out,
        "by_reviewer": progress.by_reviewer,
        "labels": _guidelines(progress.queue.scheme),
        "agreement": [asdict(one) for one in agreements(store.double_reviews(queue))],
    }


def _guidelines(scheme: Dataset) -> list[dict[str, str]]:
    """Each label with its meaning and guideline, as reviewers read them."""
    return [
        {"label": one.label, "kind": kind, "meaning": one.meaning, "guideline": one.guideline}
        for kind, labels in (("entity", scheme.entities), ("relation", scheme.relations))
        for one in labels
    ]


def digest_of(folder: Path) -> str:
    """The SHA-256 of a frozen export's posts and photos, with the photos' names."""
    total = hashlib.sha256()
    for path in [folder / POSTS, *sorted((folder / PHOTOS).glob("*"))]:
        total.update(f"{path.name}\0{path.stat().st_size}\0".encode(errors="surrogateescape"))
        for block in _blocks(path):
            total.update(block)
    return total.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def numbers(home: Path) -> list[int]:
    """The numbers of the frozen exports of one name."""
    return [int(one.name) for one in home.iterdir() if one.name.isdecimal() and len(one.name) < 10]


def _facts(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / FACTS).read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / FACTS} cannot be read") from error
    if not isinstance(found, dict) or not isinstance(found.get("sha256"), str):
        raise InputError(f"{folder / FACTS} does not say the hash of a frozen export")
    return found


def posts_of(name: str, folder: Path = FOLDER) -> Path:
    """The file of posts of a frozen export: ``NAME``, the last one, or ``NAME@3``.

    Raises:
        InputError: there is none, or it has been changed since.
    """
    name, _, number = name.partition("@")
    home = Path(folder) / name
    there = numbers(home) if _NAME.fullmatch(name) and home.is_dir() else []
    if not there or (number and (not number.isdecimal() or int(number) not in there)):
        raise InputError(
            f"there is no frozen export {quoted(name + (f'@{number}' if number else ''))} in {folder}"
        )
    found = home / (number or str(max(there)))
    try:
        same = digest_of(found) == _facts(found)["sha256"]
    except OSError as error:
        raise InputError(f"{found} cannot be read: {error.strerror or error}") from error
    if not same:
        raise InputError(f"{found} has been changed since it was frozen")
    return found / POSTS

"""Frozen exports: what a queue had decided at one time, numbered, hashed, and never changed again.

``frozen/NAME/3/`` holds ``posts.jsonl`` with who decided what, ``photos/``, and ``frozen.json``: the number,
the hash, the labels with their guidelines, and how far reviewers agreed. Training takes the posts by name.
"""

import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.given.frozen import FACTS, FOLDER, NAME, PHOTOS, POSTS, digest_of, facts_of, numbers
from mmdemo.review.agreement import agreements
from mmdemo.review.export import Exported, export
from mmdemo.review.store.changes import utc
from mmdemo.review.store.reviews import Store
from mmdemo.types import InputError, quoted


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
    if not NAME.fullmatch(name):
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
            if last and facts_of(home / str(last))["sha256"] == digest:
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

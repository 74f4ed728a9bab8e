"""How fast each text format is read, and how much memory that takes: 100,000 posts a format.

    python -m tests.bench.readers [POSTS] [--store]

A line a format: posts a second (by the clock, and of processor time) and the most memory of the process in MB
above its start; with ``--store`` the whole import into a new SQLite store instead. At last a preview of 1 GB.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mmdemo.datasets.discovery import default_for, reviewed_as
from mmdemo.formats.given.photos import Photos
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.table import FORMATS, SOURCES
from mmdemo.review.importing import Wish, bring, preview
from mmdemo.review.store.reviews import Store
from mmdemo.types import Ask, Entity, Post, Question, Relation

POSTS = 100_000
#: Formats of one text file; brat writes a file a post.
NAMES = [name for name, found in FORMATS.items() if found.suffix]


def rows(name: str, count: int) -> list[Question]:
    """Posts that a format can hold."""
    entity, relation = (default_for(task) for task in ("entities", "relations"))
    made = []
    for number in range(count):
        tokens = ("Ola", "Brand", "left", "Vik", "Harbour", f"№{number}", "at", "dawn", "with", "friends")
        entities = (Entity(start=0, end=2, label=entity.entity_labels[0]),)
        relations = (Relation(head=(0, 2), tail=(3, 5), label=relation.relation_labels[0]),)
        of_pairs = name == "mnre"
        post = Post(
            text=" ".join(tokens),
            tokens=tokens,
            entities=None if of_pairs else entities,
            relations=relations if of_pairs else None,
            id=str(number),
            image_id=str(number),
        )
        made.append(Question(post=post, ask=Ask(entities=not of_pairs)))
    return made


def measure(name: str, count: int, store: bool) -> None:
    """One format, in a process of its own: its peak is nobody else's."""
    scheme = reviewed_as(default_for("relations" if name == "mnre" else "entities"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"posts{SOURCES[name].suffix}"
        command = [sys.executable, "-m", "tests.bench.readers", "--write", name, str(count), str(path)]
        subprocess.run(command, check=True)
        before, started, cpu = _peak(), time.monotonic(), time.process_time()
        if store:
            opened = Store(f"sqlite:///{folder}/r.sqlite3", Path(folder) / "photos")
            found = bring(opened, "q", path, scheme, Photos(), Wish(source=name)).added
        else:
            left = LeftOut(strict=False, skip=True)
            found = sum(1 for _ in SOURCES[name].rows(path, scheme, left))
        seconds, cpu = time.monotonic() - started, time.process_time() - cpu
    assert found == count, (name, found)
    rates = f"{count / seconds:,.0f} posts a second ({count / cpu:,.0f} of processor time)"
    print(f"{name}: {rates}, {_peak() - before:,} MB more", flush=True)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def long_preview() -> None:
    """A preview of a gigabyte of JSON, in one array and one a line."""
    scheme = reviewed_as(default_for("entities"))
    for name, start, between in (("x.jsonl", b"", b"\n"), ("x.json", b"[", b",")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            line = b'{"text": "Ola Brand left Vik", "label": [[0, 9, "PER"]]}' + between
            block = line * (2**20 // len(line))
            with path.open("wb") as file:
                file.write(start)
                while file.tell() < 10**9:
                    file.write(block)
            began = time.monotonic()
            seen = preview(path, scheme, Photos(), Wish())
            took = time.monotonic() - began
            print(f"preview of {name}, 1 GB: {took:.1f} s, the first {seen.posts:,} posts")


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--write"]:
        name, count, path = arguments[1:]
        scheme = default_for("relations" if name == "mnre" else "entities")
        FORMATS[name].write(Path(path), rows(name, int(count)), scheme)
    elif arguments[:1] == ["--one"]:
        measure(arguments[1], int(arguments[2]), "--store" in arguments)
    else:
        count = next((int(one) for one in arguments if one.isdecimal()), POSTS)
        for name in NAMES:
            more = [one for one in arguments if one == "--store"]
            command = [sys.executable, "-m", "tests.bench.readers", "--one", name, str(count), *more]
            subprocess.run(command, check=True)
        long_preview()


if __name__ == "__main__":
    main(sys.argv[1:])

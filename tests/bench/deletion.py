"""Whether attributions rank what matters, on real posts: ``python -m tests.bench.deletion [--json]``.

For each ready lite cell and each of the real posts with a photo: removing the fifth of the regions (or words)
that an attribution ranks first must lower the log-odds of the answer more than removing as many random ones,
on average. Also prints how far integrated gradients are from adding up, and what one explanation takes.
For entities the relation posts' texts are read as plain tweets.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mmdemo.answer.explain import explain, prepare
from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell
from mmdemo.explain.attribution import deletion, integrated_gradients, occlusion, total
from mmdemo.explain.masking import region_gates, word_gates
from mmdemo.types import Ask, InputError, Pair, Post, Question

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("MMDEMO_DATA", ROOT.parent / "shared" / "data")) / "real_pairs"


@dataclass(frozen=True, kw_only=True)
class Check:
    """Means over posts, in log-odds: the fall without the top parts, and without as many random ones."""

    top: float
    random: float
    wins: float  # share of posts where the top parts matter more
    gap: float | None  # |sum - total| over the sum of absolute shares: median, gradients only

    @property
    def holds(self) -> bool:
        return self.top > self.random


def real_posts(most: int) -> Iterator[tuple[Post, Pair]]:
    """Posts with their original photo, and their pair, spread over the file."""
    rows = [json.loads(line) for line in (REAL / "mnre.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in rows[:: max(1, len(rows) // most)][:most]:
        tokens = tuple(row["token"])
        post = Post(text=" ".join(tokens), tokens=tokens, image=REAL / "photos" / row["img_id"])
        yield post, Pair(head=tuple(row["h"]["pos"]), tail=tuple(row["t"]["pos"]))


def question_for(cell: Cell, post: Post, pair: Pair) -> Question:
    """What the cell can be asked about a post: its entities, else the relation of its pair."""
    entities = cell.dataset.has_entities
    return Question(post=post, ask=Ask(entities=entities, relations=() if entities else (pair,)))


def check_cell(cell: Cell, posts: list[tuple[Post, Pair]]) -> dict[str, Check]:
    """Each attribution's check over the posts."""
    found: dict[str, list[tuple[float, float, float | None]]] = {}
    for post, pair in posts:
        subject = prepare(question_for(cell, post, pair), cell)
        for part, gates in (("region", region_gates), ("token", word_gates)):
            score, parts = gates(subject)
            shares = integrated_gradients(score, parts)
            gap = abs(shares.sum() - total(score, parts)) / max(float(np.abs(shares).sum()), 1e-9)
            methods: list[tuple[str, np.ndarray, float | None]] = [(f"{part} gradients", shares, gap)]
            if part == "region":
                methods.append(("region occlusion", occlusion(score, parts), None))
            for name, values, off in methods:
                removed = deletion(score, values)
                found.setdefault(name, []).append((removed.top, removed.random, off))
    return {name: _summary(rows) for name, rows in found.items()}


def _summary(rows: list[tuple[float, float, float | None]]) -> Check:
    gaps = [gap for _, _, gap in rows if gap is not None]
    return Check(
        top=statistics.mean(top for top, _, _ in rows),
        random=statistics.mean(random for _, random, _ in rows),
        wins=statistics.mean(top > random for top, random, _ in rows),
        gap=statistics.median(gaps) if gaps else None,
    )


def seconds(cell: Cell, question: Question) -> tuple[float, float]:
    """What one explanation with all quick views takes, warm: by the clock, and of one core."""
    explain(question, cell, views=["image-contribution"])
    started, worked = time.perf_counter(), time.process_time()
    explain(question, cell)
    return time.perf_counter() - started, time.process_time() - worked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=12, help="real posts a cell")
    parser.add_argument("--cells", default="", help="only cells whose name contains this")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)  # on a busy machine, waiting for a second thread costs far more than it gives
    if not (REAL / "mnre.jsonl").is_file():
        raise InputError(f"the real posts are not at {REAL}; set MMDEMO_DATA to the data folder")
    posts = list(real_posts(options.posts))
    ready = [cell for cell in catalogue.cells() if cell.problem is None and options.cells in cell.name]
    if not ready:
        raise InputError("no lite cell is ready")
    report = {}
    for cell in ready:
        checks = check_cell(cell, posts)
        took, worked = seconds(cell, question_for(cell, *posts[0]))
        report[cell.name] = {"seconds": took, "core_seconds": worked} | {
            name: vars(check) for name, check in checks.items()
        }
        if not options.json:
            print(f"{cell.name}: {took:.2f} s an explanation, {worked:.2f} s of one core")
            for name, check in checks.items():
                off = "" if check.gap is None else f", sum off by {check.gap:.1%}"
                sign = "holds" if check.holds else "FAILS"
                print(f"  {sign} {name}: {check.top:+.4f} against {check.random:+.4f}, "
                      f"{check.wins:.0%} of posts{off}")  # fmt: skip
    if options.json:
        print(json.dumps(report, indent=2))


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")

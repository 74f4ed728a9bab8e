"""The README's table of speed, in one run: ``python -m tests.bench.table [--quick] [--write]``.

Warm, two threads, on this machine; each figure also as a ratio to one prediction with a new photo by the same
cell in the same run, since machines differ. ``--quick`` takes a twentieth of the repeats, to see that it
works; ``--write`` puts the table between the README's markers.
"""

import argparse
import os
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from mmdemo.answer import pipeline
from mmdemo.answer.compare import compare
from mmdemo.answer.pipeline import Cell
from mmdemo.models.batch import collate
from mmdemo.models.photo_cache import SEEN
from mmdemo.photo.image import open_image
from mmdemo.types import Post
from tests.bench import load, peers
from tests.bench.compare import fullest_row
from tests.bench.predict import MARKED, ROOT, TWEET, milliseconds, photos, time_process
from tests.browser.live import running_app

START, END = "<!-- bench: python -m tests.bench.table --write -->", "<!-- bench end -->"
WARM_UPS = 3
BATCH = 16


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: what, its median and 95th percentile in milliseconds (None: no such figure), and more."""

    name: str
    p50: float | None = None
    p95: float | None = None
    note: str = ""


def timed(name: str, work: Callable[[int], Any], repeats: int, note: str = "") -> Row:
    """``work`` is given the number of its turn, so that each can have another photo."""
    taken = [milliseconds(lambda turn=turn: work(turn)) for turn in range(repeats + WARM_UPS)][WARM_UPS:]
    return Row(name=name, p50=statistics.median(taken), p95=float(np.quantile(taken, 0.95)), note=note)


def single(cell: Cell, files: list[Path], repeats: int) -> Iterator[Row]:
    """One prediction, and the encoders' forward pass alone."""
    text, loaded = MARKED if cell.dataset == "mnre" else TWEET, pipeline.load(cell)

    def ask(photo: Path | None) -> Any:
        return pipeline.predict(pipeline.read_post(text, cell.dataset, photo), cell)

    def ask_new(turn: int) -> Any:
        SEEN.clear()
        return ask(files[turn % len(files)])

    yield timed("prediction, new photo", ask_new, repeats)
    yield timed("prediction, the same photo again", lambda _: ask(files[0]), repeats)
    yield timed("prediction, no photo", lambda _: ask(None), repeats)
    post = pipeline.read_post(text, cell.dataset, files[0])
    batch = collate([loaded.encoder.encode(post, open_image(files[0]))])
    with torch.inference_mode():
        yield timed("the encoders' forward pass alone", lambda _: loaded.model.encode(batch), repeats)


def compared(cells: list[Cell], files: list[Path], repeats: int) -> Iterator[Row]:
    text = MARKED if cells[0].dataset == "mnre" else TWEET

    def post(turn: int) -> Post:
        return pipeline.read_post(text, cells[0].dataset, files[turn % len(files)])

    def at_once(turn: int) -> Any:
        SEEN.clear()
        return compare(post(turn), cells)

    def one_by_one(turn: int) -> Any:
        SEEN.clear()
        return [pipeline.predict(post(turn), cell) for cell in cells]

    yield timed(f"comparison of {len(cells)} fusions", at_once, repeats)
    yield timed(f"{len(cells)} separate predictions", one_by_one, repeats)


def predict_again(post: Post, cell: Cell, turn: int) -> None:
    """One more turn with the same post."""
    pipeline.predict(post, cell)


def by_length(cell: Cell, repeats: int) -> Iterator[Row]:
    words = TWEET.split() * 8
    for length in (8, 16, 32, 64, 128):
        post = pipeline.read_post(" ".join(words[:length]), "twitter2017", None)
        note = "more than 128 sub-tokens: cut" if length == 128 else ""
        yield timed(f"text of {length} words", partial(predict_again, post, cell), repeats, note)


def counted(count: int, noun: str) -> str:
    """1 post, 1,000 posts"""
    return f"{count:,} {noun}{'s' if count > 1 else ''}"


def by_posts(cell: Cell, most: int) -> Iterator[Row]:
    """Whole jobs of up to ``most`` posts without photos, in batches of like length."""
    words, rng = TWEET.split() * 2, np.random.default_rng(0)
    texts = [" ".join(words[: int(n)]) for n in rng.integers(5, 30, 10_000)]
    for count in (n for n in (1, 10, 100, 1_000, 10_000) if n <= most):
        posts = [pipeline.read_post(text, "twitter2017", None) for text in sorted(texts[:count], key=len)]
        batches = [posts[at : at + BATCH] for at in range(0, count, BATCH)]
        taken = milliseconds(lambda batches=batches: [pipeline.predict_many(b, cell) for b in batches])
        yield Row(name=counted(count, "post"), p50=taken, note=f"{1000 * count / taken:.0f} posts a second")


def ask_with_photo(predict: Callable[[str, Path], Any], files: list[Path], turn: int) -> Any:
    """Each turn with another photo."""
    return predict(TWEET, files[turn % len(files)])


def beside(files: list[Path], repeats: int) -> Iterator[Row]:
    """What others would run, and cells of the report's own size."""
    for peer in peers.PEERS:
        with peers.built(peer) as answer:
            yield timed(peer, lambda _, answer=answer: answer(TWEET), repeats, "text only")
    for name, model in peers.FULL.items():
        with peers.full_cell(model) as predict:
            yield timed(
                name, lambda turn, ask=predict: ask(TWEET, files[turn % len(files)]), repeats, "new photo"
            )


def by_clients(seconds: float) -> Iterator[Row]:
    with running_app() as url:
        for count in (1, 4, 16, 64):
            found = load.measure(url, count, seconds)
            latency, share = found["latency_s"], found["answers_a_client"]
            note = f"{found['per_second']} answers a second, {share['min']}–{share['max']} a client"
            note += f", {sum(found['errors'].values())} errors, {found['memory_mb']['after']} MB"
            p50, p95 = (1000 * latency[name] if latency[name] else None for name in ("p50", "p95"))
            yield Row(name=f"the app with {counted(count, 'client')} at once", p50=p50, p95=p95, note=note)


def measure(quick: bool) -> Iterator[Row]:
    """Every row; nine minutes at most, under one where ``quick``."""
    repeats = 3 if quick else 60
    row = fullest_row()
    cell = next(
        c for c in pipeline.cells() if (c.dataset, c.fusion) == ("twitter2017", "film") and not c.problem
    )
    with tempfile.TemporaryDirectory() as folder:
        files = photos(Path(folder))
        yield from single(cell, files, repeats)
        yield from compared(row, files, max(3, repeats // 3))
        yield from by_length(cell, repeats // 2 or 1)
        yield from by_posts(cell, 100 if quick else 10_000)
        yield Row(name="memory of this process", note=f"{psutil.Process().memory_info().rss / 1e6:.0f} MB")
        yield from beside(files, max(2, repeats // 6))
        seconds = time_process(cell, files[0])
        yield Row(name="cold start: `python -m mmdemo predict`, whole process", p50=1000 * seconds)
    yield from by_clients(4 if quick else 20)


def markdown(rows: list[Row]) -> str:
    """The table; ratios are to the first row's median."""
    one = rows[0].p50
    lines = ["| what | p50, ms | p95, ms | ratio | |", "|---|--:|--:|--:|---|"]
    for row in rows:
        p50, p95 = (f"{v:,.0f}" if v is not None else "" for v in (row.p50, row.p95))
        ratio = f"{row.p50 / one:.2f}" if row.p50 is not None and one else ""
        lines.append(f"| {row.name} | {p50} | {p95} | {ratio} | {row.note} |")
    where = f"{psutil.cpu_count()} cores, 2 threads, load average {os.getloadavg()[0]:.1f} at the end"
    return "\n".join([f"{where}, PyTorch {torch.__version__}.", "", *lines])


def write(table: str, readme: Path) -> None:
    """Put the table between the markers. Raises ValueError where they are not there."""
    text = readme.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"{readme} lacks the markers {START} and {END}")
    readme.write_text(pattern.sub(lambda _: f"{START}\n{table}\n{END}", text), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repeats: does it work?")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    torch.set_num_threads(2)
    rows = []
    for row in measure(options.quick):
        print(row, file=sys.stderr, flush=True)
        rows.append(row)
    table = markdown(rows)
    print(table)
    if options.write:
        write(table, ROOT / "README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())

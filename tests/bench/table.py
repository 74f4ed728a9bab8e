"""The table of speed of docs/speed.md, in one run: ``python -m tests.bench.table [--quick] [--write]``.

Warm, two threads, on this machine; each figure also as a ratio to one prediction with a new photo by the same
cell in the same run, since machines differ. ``--quick`` takes a twentieth of the repeats, to see that it
works; ``--write`` puts the table between the page's marks.
"""

import argparse
import os
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

from mmdemo.answer.compare import compare
from mmdemo.answer.predict import predict, predict_many
from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell
from mmdemo.datasets.discovery import default_for
from mmdemo.models.batch import collate
from mmdemo.models.encoders.table import DEFAULT_MODEL
from mmdemo.models.fusion.table import DEFAULT_FUSION
from mmdemo.models.photo_cache import SEEN
from mmdemo.photo.opening import open_image
from mmdemo.posts.question import read_post
from mmdemo.types import Question
from tests.bench import load, peers
from tests.bench.compare import fullest_row
from tests.bench.predict import ROOT, TWEET, milliseconds, photos, text_for, time_process
from tests.browser.live import running_app
from train.data.questions import pair_of
from train.publish.marked import Mark, write_marked

BENCH = Mark(name="bench", command="python -m tests.bench.table --write")
PAGE = ROOT / "docs" / "speed.md"
HEAD = ("| what | p50, ms | p95, ms | ratio | |", "|---|--:|--:|--:|---|")
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
    text, loaded = text_for(cell.dataset), catalogue.load(cell)

    def ask(photo: Path | None) -> Any:
        return predict(read_post(text, cell.dataset, photo), cell)

    def ask_new(turn: int) -> Any:
        SEEN.clear()
        return ask(files[turn % len(files)])

    yield timed("prediction, new photo", ask_new, repeats)
    yield timed("prediction, the same photo again", lambda _: ask(files[0]), repeats)
    yield timed("prediction, no photo", lambda _: ask(None), repeats)
    question = read_post(text, cell.dataset, files[0])
    batch = collate([loaded.encoder.encode(question.post, open_image(files[0]), pair_of(question))])
    with torch.inference_mode():
        yield timed("the encoders' forward pass alone", lambda _: loaded.model.encode(batch), repeats)


def compared(cells: list[Cell], files: list[Path], repeats: int) -> Iterator[Row]:
    text = text_for(cells[0].dataset)

    def question(turn: int) -> Question:
        return read_post(text, cells[0].dataset, files[turn % len(files)])

    def at_once(turn: int) -> Any:
        SEEN.clear()
        return compare(question(turn), cells)

    def one_by_one(turn: int) -> Any:
        SEEN.clear()
        return [predict(question(turn), cell) for cell in cells]

    yield timed(f"comparison of {len(cells)} fusions", at_once, repeats)
    yield timed(f"{len(cells)} separate predictions", one_by_one, repeats)


def predict_again(question: Question, cell: Cell, turn: int) -> None:
    """One more turn with the same post."""
    predict(question, cell)


def by_length(cell: Cell, repeats: int) -> Iterator[Row]:
    words = TWEET.split() * 8
    for length in (8, 16, 32, 64, 128):
        question = read_post(" ".join(words[:length]), cell.dataset)
        note = "more than 128 sub-tokens: cut" if length == 128 else ""
        yield timed(f"text of {length} words", partial(predict_again, question, cell), repeats, note)


def counted(count: int, noun: str) -> str:
    """1 post, 1,000 posts"""
    return f"{count:,} {noun}{'s' if count > 1 else ''}"


def by_posts(cell: Cell, most: int) -> Iterator[Row]:
    """Whole jobs of up to ``most`` posts without photos, in batches of like length."""
    words, rng = TWEET.split() * 2, np.random.default_rng(0)
    texts = [" ".join(words[: int(n)]) for n in rng.integers(5, 30, 10_000)]
    for count in (n for n in (1, 10, 100, 1_000, 10_000) if n <= most):
        questions = [read_post(text, cell.dataset) for text in sorted(texts[:count], key=len)]
        batches = [questions[at : at + BATCH] for at in range(0, count, BATCH)]
        taken = milliseconds(lambda batches=batches: [predict_many(b, cell) for b in batches])
        yield Row(name=counted(count, "post"), p50=taken, note=f"{1000 * count / taken:.0f} posts a second")


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
    cell = catalogue.find_cell(default_for("entities"), DEFAULT_MODEL, DEFAULT_FUSION)
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
    lines = [*HEAD]
    for row in rows:
        p50, p95 = (f"{v:,.0f}" if v is not None else "" for v in (row.p50, row.p95))
        ratio = f"{row.p50 / one:.2f}" if row.p50 is not None and one else ""
        lines.append(f"| {row.name} | {p50} | {p95} | {ratio} | {row.note} |")
    where = f"{psutil.cpu_count()} cores, 2 threads, load average {os.getloadavg()[0]:.1f} at the end"
    return "\n".join([f"{where}, PyTorch {torch.__version__}.", "", *lines])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repeats: does it work?")
    parser.add_argument("--write", action="store_true", help="put the table into docs/speed.md")
    options = parser.parse_args()
    torch.set_num_threads(2)
    rows = []
    for row in measure(options.quick):
        print(row, file=sys.stderr, flush=True)
        rows.append(row)
    table = markdown(rows)
    print(table)
    if options.write:
        write_marked([PAGE], {BENCH: table})
    return 0


if __name__ == "__main__":
    sys.exit(main())

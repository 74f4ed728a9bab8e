"""What comparing costs: ``python -m tests.bench.compare [--repeats N] [--json]``.

Times all ready fusions of one model through `mmdemo.answer.compare.compare` against one
`predict` of the same post, warm and in turn, another photo each time, and prints the
ratio of the medians. The bound is 1.5 for six fusions; sharing one encoder pass is what keeps it.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

import torch

from mmdemo.answer.compare import compare, side_by_side
from mmdemo.answer.predict import predict
from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell
from mmdemo.models.fusion.table import DEFAULT_FUSION
from mmdemo.models.photo_cache import SEEN
from mmdemo.posts.question import read_post
from mmdemo.types import Question
from tests.bench.predict import milliseconds, photos, text_for

BOUND = 1.5


def fullest_row() -> list[Cell]:
    """The ready fusions of the dataset and model that have most of them."""
    ready = [cell for cell in catalogue.cells() if cell.problem is None]
    if not ready:
        return []
    (dataset, model), _ = Counter((cell.dataset.name, cell.model) for cell in ready).most_common(1)[0]
    row = side_by_side(dataset, across="fusions", model=model, fusion=DEFAULT_FUSION)
    return [cell for cell in row if cell.problem is None]


def time_row(cells: list[Cell], files: list[Path], repeats: int) -> tuple[float, float]:
    """Medians in milliseconds: one prediction by the first cell, the comparison of all."""
    dataset = cells[0].dataset
    text = text_for(dataset)
    one, all_of_them = [], []
    for repeat in range(-3, repeats):  # three to warm up
        file = files[repeat % len(files)]

        def read(file: Path = file) -> Question:
            SEEN.clear()
            return read_post(text, dataset, file)

        single = milliseconds(lambda read=read: predict(read(), cells[0]))
        every = milliseconds(lambda read=read: compare(read(), cells))
        if repeat >= 0:
            one.append(single)
            all_of_them.append(every)
    return statistics.median(one), statistics.median(all_of_them)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=30, help="timed pairs")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    torch.set_num_threads(2)
    cells = fullest_row()
    if not cells:
        print("error: no lite checkpoint is ready", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        one, every = time_row(cells, photos(Path(folder)), options.repeats)
    found = {
        "cells": [cell.name for cell in cells],
        "one_ms": round(one, 1),
        "all_ms": round(every, 1),
        "ratio": round(every / one, 2),
        "bound": BOUND,
        "load_average": round(os.getloadavg()[0], 1),
    }
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"one prediction by {cells[0].name}: {found['one_ms']} ms")
        print(f"all {len(cells)} fusions of it: {found['all_ms']} ms (load average {found['load_average']})")
        print(f"ratio: {found['ratio']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

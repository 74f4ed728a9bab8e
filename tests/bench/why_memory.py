"""Whether memory ends: ``python -m tests.bench.why_memory [--answers 1000] [--threads 8] [--as-is]``.

Asks the Why tab for one explanation after another, each with its own text and photo, from several threads at
once, as visitors do. Prints resident megabytes as they grow, and what of the C heap is in use and what is
free but kept (glibc's mallinfo2): a leak is in use. Linux with glibc.
"""

import argparse
import ctypes
import itertools
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image

from mmdemo.ui.serve.heap import share_heaps
from mmdemo.ui.why import tab as why_tab

TEXT = "RT @NBA : Kevin Durant and Steph Curry enter Oracle Arena in Oakland before game {}"
STEPS = 10


class Heap(ctypes.Structure):
    """glibc's ``struct mallinfo2``."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def heap() -> tuple[int, int]:
    """(megabytes in use, megabytes free but kept) of the C heap, mapped blocks counted as used."""
    libc = ctypes.CDLL("libc.so.6")
    libc.mallinfo2.restype = Heap
    found = libc.mallinfo2()
    return (found.uordblks + found.hblkhd) // 2**20, found.fordblks // 2**20


def resident() -> int:
    return int(psutil.Process().memory_info().rss / 2**20)


def photo(folder: Path, number: int) -> str:
    """A new photo."""
    rng = np.random.default_rng(number)
    noise = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((1024, 768))
    path = folder / f"{number % 32}.jpg"
    noise.save(path.with_suffix(f".{number}"), "JPEG")
    path.with_suffix(f".{number}").replace(path)
    return str(path)


def explain(folder: Path, number: int) -> None:
    asked = ["lite", "twitter2017", "roberta-resnet50", "film", TEXT.format(number), photo(folder, number)]
    found = why_tab.show(*asked, None, None, 24, False)
    assert found[0] is not None, found[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--as-is", action="store_true", help="with a heap for each thread, as glibc would")
    options = parser.parse_args()
    torch.set_num_threads(2)
    if not options.as_is:
        share_heaps()
    print(f"{'answers':>8}{'seconds':>9}{'resident':>10}{'in use':>8}{'kept':>7}  MB")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(options.threads) as threads:
        numbers = itertools.count()
        for step in range(STEPS + 1):
            count = options.answers // STEPS if step else options.threads  # the first loads the model
            list(threads.map(lambda n: explain(Path(scratch), n), itertools.islice(numbers, count)))
            used, kept = heap()
            done = step * options.answers // STEPS
            print(f"{done:8}{time.monotonic() - started:9.0f}{resident():10}{used:8}{kept:7}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

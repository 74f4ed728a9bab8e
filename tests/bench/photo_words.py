"""What reading a photo's words costs: ``python -m tests.bench.photo_words --photos FOLDER [--json]``.

Reads every photo of the folders at two threads (``--threads``), one after the other, each new: milliseconds
of the text and of the names of objects apart, by the clock and of the processor (on a busy machine two
threads wait for each other, and both grow: see one thread's), then the look-up of what was kept, with and
without hashing the file. Prints in how many photos text was found, before and after the rules.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from mmdemo.photo.opening import open_image
from mmdemo.photo_words.ahead import photos_in
from mmdemo.photo_words.kept import photo_key
from mmdemo.photo_words.objects import objects_source
from mmdemo.photo_words.ocr import THREADS, ocr_source
from mmdemo.photo_words.reader import PhotoReader
from mmdemo.photo_words.source import Source
from mmdemo.types import InputError, PhotoWords

#: Look-ups of each photo, of which the median counts.
LOOKS = 20
#: The bounds of the three, in milliseconds: a photo's text, its objects, a photo that was read before.
BOUNDS = {"ocr": 1500, "objects": 30, "kept": 1}


class Timed:
    """A source that times each photo: milliseconds by the clock, and of the processor."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.clock: list[float] = []
        self.worked: list[float] = []

    def __call__(self) -> Source:
        return Source(name=self.source.name, version=self.source.version, read=self._read)

    def _read(self, photo: Image.Image) -> list[PhotoWords]:
        clock, worked = time.perf_counter(), time.process_time()
        found = self.source.read(photo)
        self.clock.append(1000 * (time.perf_counter() - clock))
        self.worked.append(1000 * (time.process_time() - worked))
        return found


def summary(taken: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(taken), 2), "max": round(max(taken), 2)}


def look_up(call: Callable[[], object]) -> float:
    """The median of several, in milliseconds."""
    taken = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def measure(files: list[Path], folder: Path, threads: int = THREADS) -> dict[str, Any]:
    """Every figure of the files, read into a folder that is empty."""
    timed = {"ocr": Timed(ocr_source(threads)), "objects": Timed(objects_source())}
    reader = PhotoReader(folder, ("ocr", "objects"), makers=timed)
    for one in timed.values():
        one.source.read(open_image(files[0]))  # loads the models
    before = after = named = 0
    dropped: Counter[str] = Counter()
    kept: dict[str, list[float]] = {"look-up": [], "hash and look-up": []}
    for file in files:
        reading = reader.read(file)
        text = [words for words in reading.words if words.source == "ocr"]
        before += bool(text) or any(line.words.source == "ocr" for line in reading.dropped)
        after += bool(text)
        named += any(words.source == "objects" for words in reading.words)
        dropped.update(f"{line.words.source}: {line.why}" for line in reading.dropped)
        key = photo_key(file)
        kept["look-up"].append(look_up(lambda key=key: reader.kept_by_key(key)))
        kept["hash and look-up"].append(look_up(lambda file=file: reader.kept(file)))
    return {
        "photos": len(files),
        "with_text": before,
        "with_text_after_the_rules": after,
        "with_objects": named,
        "dropped": dict(dropped.most_common()),
        "ms": {name: summary(one.clock) for name, one in timed.items()}
        | {name: summary(taken) for name, taken in kept.items()},
        "processor_ms": {name: summary(one.worked) for name, one in timed.items()},
        "bounds_ms": BOUNDS,
        "threads": threads,
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photos")
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    files = [file for folder in options.photos for file in photos_in(folder)]
    if not files:
        print("error: there is no photo", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = measure(files, Path(folder), options.threads)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    print(
        f"{found['photos']} photos: text in {found['with_text']}, after the rules in "
        f"{found['with_text_after_the_rules']}; objects in {found['with_objects']}"
    )
    print("left out:", ", ".join(f"{count} {why}" for why, count in found["dropped"].items()))
    for name, row in found["ms"].items():
        worked = found["processor_ms"].get(name)
        of_it = f"; of the processor {worked['median']} and {worked['max']}" if worked else ""
        print(f"{name}: median {row['median']} ms, max {row['max']} ms{of_it}")
    print(f"{options.threads} threads, load average {found['load_average']}; bounds {BOUNDS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

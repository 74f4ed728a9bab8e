"""How long a prediction takes, and where: ``python -m tests.bench.predict [--json]``.

Times `read_post` + `predict` on two threads, warm, with a photo that is new each time and
without one; the encoders' own forward passes in the same run; what opening the photo takes; resident
memory; and ``python -m mmdemo predict`` as a whole process. The issue's bounds: a median of 80 ms with a
photo, 1.5 GB, 12 s.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from PIL import Image

from mmdemo.answer.predict import predict
from mmdemo.cells import catalogue
from mmdemo.cells.locate import Cell
from mmdemo.datasets.schema import Dataset
from mmdemo.models.batch import collate
from mmdemo.models.photo_cache import SEEN
from mmdemo.photo.opening import open_image
from mmdemo.posts.question import read_post
from train.data.questions import pair_of

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("MMDEMO_DATA", ROOT.parent / "shared" / "data")) / "real_pairs"
TWEET = "RT @NBA : Kevin Durant and Steph Curry enter Oracle Arena in Oakland before game one # NBAFinals"
MARKED = TWEET.replace("Kevin Durant", "[E1] Kevin Durant [/E1]").replace("Oakland", "[E2] Oakland [/E2]")
BOUNDS = {"photo_ms": 80, "memory_mb": 1500, "process_s": 12}


def text_for(dataset: Dataset) -> str:
    """A post that the dataset's cells can be asked about."""
    return TWEET if dataset.has_entities else MARKED


def photos(folder: Path) -> list[Path]:
    """Real tweets' photos where they are at hand, else noise in their size."""
    if found := sorted((REAL / "photos").glob("*.jpg")):
        return found
    rng = np.random.default_rng(0)
    for i in range(26):
        noise = Image.fromarray(rng.integers(0, 256, (45, 60, 3), dtype=np.uint8))
        noise.resize((1200, 900)).save(folder / f"{i}.jpg", quality=85)
    return sorted(folder.glob("*.jpg"))


def milliseconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def p(values: list[float], share: float) -> float:
    return round(float(np.quantile(values, share)), 1)


def time_cell(cell: Cell, files: list[Path], repeats: int) -> dict[str, Any]:
    """One cell's times; each repeat times the whole and its parts on the same photo, in turn."""
    text = text_for(cell.dataset)
    loaded = catalogue.load(cell)
    times: dict[str, list[float]] = {"photo": [], "encoders": [], "open": [], "text": [], "text_encoder": []}

    def ask(photo: Path | None) -> None:
        SEEN.clear()
        predict(read_post(text, cell.dataset, photo), cell)

    for repeat in range(-3, repeats):  # three to warm up
        file = files[repeat % len(files)]
        question = read_post(text, cell.dataset, file)
        batch = collate([loaded.encoder.encode(question.post, open_image(file), pair_of(question))])
        with torch.inference_mode():
            taken = {
                "photo": milliseconds(lambda file=file: ask(file)),
                "encoders": milliseconds(lambda batch=batch: loaded.model.encode(batch)),
                "open": milliseconds(lambda file=file: open_image(file)),
                "text": milliseconds(lambda: ask(None)),
                "text_encoder": milliseconds(lambda batch=batch: loaded.model.encode(batch.without_images())),
            }
        if repeat >= 0:
            for name, value in taken.items():
                times[name].append(value)
    return {
        "cell": cell.name,
        **{f"{name}_p50_ms": p(values, 0.5) for name, values in times.items()},
        **{f"{name}_p95_ms": p(times[name], 0.95) for name in ("photo", "text")},
        "photo_ratio": round(p(times["photo"], 0.5) / p(times["encoders"], 0.5), 2),
        "text_ratio": round(p(times["text"], 0.5) / p(times["text_encoder"], 0.5), 2),
    }


def time_process(cell: Cell, photo: Path) -> float:
    """Seconds of the command as a person would type it: the median of three."""
    command = [sys.executable, "-m", "mmdemo", "predict", "--dataset", cell.dataset.name]
    command += ["--preset", cell.preset, "--model", cell.model, "--fusion", cell.fusion]
    command += ["--text", text_for(cell.dataset), "--image", str(photo)]
    taken = [
        milliseconds(lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True))
        for _ in range(3)
    ]
    return round(statistics.median(taken) / 1000, 2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=52, help="timed predictions for each cell")
    parser.add_argument("--cells", default="", help="only cells whose name contains this")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    torch.set_num_threads(2)
    ready = [cell for cell in catalogue.cells() if cell.problem is None and options.cells in cell.name]
    if not ready:
        print("error: no such checkpoint is ready", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        files = photos(Path(folder))
        rows = [time_cell(cell, files, options.repeats) for cell in ready]
        memory = round(psutil.Process().memory_info().rss / 1e6)
        seconds = time_process(ready[0], files[0])
    found = {
        "photos": "real tweets' photos" if files[0].is_relative_to(REAL) else "noise photos",
        "load_average": round(os.getloadavg()[0], 1),
        "cells": rows,
        "memory_mb": memory,
        "process_s": seconds,
        "bounds": BOUNDS,
    }
    print(json.dumps(found, indent=2) if options.json else table(found))
    return 0


def table(found: dict[str, Any]) -> str:
    lines = [
        f"{found['photos']}, two threads, load average {found['load_average']}; milliseconds",
        f"{'':38}{'new photo':^24}{'no photo':^24}",
        f"{'cell':38}" + f"{'p50':>6}{'p95':>6}{'enc.':>6}{'ratio':>6}" * 2 + f"{'open':>6}",
    ]
    for row in found["cells"]:
        values = [row[f"photo_{k}"] for k in ("p50_ms", "p95_ms")] + [
            row["encoders_p50_ms"],
            row["photo_ratio"],
        ]
        values += [row[f"text_{k}"] for k in ("p50_ms", "p95_ms")] + [row["text_encoder_p50_ms"]]
        values += [row["text_ratio"], row["open_p50_ms"]]
        lines.append(f"{row['cell']:38}" + "".join(f"{value:6}" for value in values))
    lines.append(f"resident memory with {len(found['cells'])} cells loaded: {found['memory_mb']} MB")
    lines.append(f"python -m mmdemo predict, whole process: {found['process_s']} s")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

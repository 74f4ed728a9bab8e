"""What makes a prediction faster on a CPU, and what it costs in answers: ``python -m tests.bench.variants``.

Every variant predicts the same posts as the plain cell (the default one for entities, two threads),
in turn, so that a busy machine slows all alike: read the ratios of medians, not the milliseconds. Each is
also asked how far its tag probabilities lie from the plain cell's, and how many posts it answers otherwise.

ONNX Runtime and OpenVINO are optional and nothing else needs them:
``pip install onnxruntime onnx onnxscript openvino``. What is not installed, or does not build here, is left
out with the reason. ``--posts`` and ``--only`` make it shorter; docs/speed.md holds a run and its reading.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from mmdemo.answer.predict import Part, answers_of, assemble, predict_many, read_parts
from mmdemo.cells import catalogue
from mmdemo.cells.calibration import Calibration
from mmdemo.cells.zoo import LoadedCell
from mmdemo.datasets.discovery import default_for
from mmdemo.formats.reading import read_split
from mmdemo.models.batch import collate
from mmdemo.models.encoders.table import DEFAULT_MODEL
from mmdemo.models.features import EncoderStates
from mmdemo.models.fusion.table import DEFAULT_FUSION
from mmdemo.photo.opening import open_image
from mmdemo.posts.question import read_post
from mmdemo.types import InputError, Prediction, Question
from tests.bench.predict import REAL, TWEET, milliseconds, photos
from tests.bench.runtimes import BUILDERS, THREADS, Variant

DATASET = default_for("entities")
WARM_UPS, BATCH = 3, 16
#: Seconds after which the threads of the variant before sleep; they spin while they wait for work.
REST = 0.03


@dataclass(frozen=True, kw_only=True)
class Row:
    """Medians in milliseconds and what changed in the answers: largest |Δp|, posts answered otherwise."""

    name: str
    photo: float
    text: float
    moved: float
    changed: int


class Cell:
    """The plain cell, whose encoders a `Variant` replaces."""

    def __init__(self) -> None:
        self.cell = catalogue.find_cell(DATASET, DEFAULT_MODEL, DEFAULT_FUSION)
        self.loaded = catalogue.load(self.cell)

    def predict(self, variant: Variant, text: str, photo: Path | None) -> tuple[Prediction, np.ndarray]:
        """`predict`, step by step, with the variant's encoders; and its (W, T) probabilities."""
        question = read_post(text, DATASET, photo)
        post = question.post
        if variant.seen:  # the predictor's own way, which remembers photos
            [part] = read_parts([question], self.loaded)
        else:
            example = self.loaded.encoder.encode(post, None if photo is None else open_image(post.image))
            part = Part(place=0, words=post.tokens, pair=None, example=example)
        return self._answer(variant, question, part)

    def _answer(self, variant: Variant, question: Question, part: Part) -> tuple[Prediction, np.ndarray]:
        batch = collate([part.example])
        with torch.inference_mode():
            regions = batch.regions_BRD
            if regions is None and batch.pixels_BCHW is not None:
                regions = variant.image(batch.pixels_BCHW)
            states = variant.text(batch.ids_BL, batch.features_BL, batch.mask_BL)
            output = self.loaded.model.fuse(EncoderStates(tokens_BLD=states, regions_BRD=regions), batch)
        [answer] = assemble([question], self.cell, answers_of([part], self.cell, self.loaded, output))
        calibration = Calibration.of(self.loaded.card.metrics, "entities")
        return answer, calibration.probabilities(output.logits[0].numpy())


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def spans(answer: Prediction) -> set[tuple[int, int, str]]:
    return {(entity.start, entity.end, entity.label) for entity in answer.entities}


def measure(cell: Cell, variants: list[Variant], posts: list[tuple[str, Path]]) -> list[Row]:
    """Each post goes through all variants, in an order that turns, with and without its photo."""
    times: dict[str, tuple[list[float], list[float]]] = {v.name: ([], []) for v in variants}
    said: dict[str, list[tuple[Prediction, np.ndarray]]] = {v.name: [] for v in variants}
    for turn, (text, photo) in enumerate([*posts[:WARM_UPS], *posts], -WARM_UPS):
        for at in range(len(variants)):
            variant = variants[(at + turn) % len(variants)]
            ask = partial(cell.predict, variant, text)
            with threads(variant.threads):
                time.sleep(REST)
                ask(None)
                seen = milliseconds(lambda ask=ask, photo=photo, v=variant: said[v.name].append(ask(photo)))
                alone = milliseconds(lambda ask=ask: ask(None))
            if turn >= 0:
                times[variant.name][0].append(seen)
                times[variant.name][1].append(alone)
    rows = []
    for variant in variants:
        pairs = list(zip(said[variant.name], said["plain"], strict=True))[WARM_UPS:]
        medians = [statistics.median(taken) for taken in times[variant.name]]
        rows.append(
            Row(
                name=variant.name,
                photo=medians[0],
                text=medians[1],
                moved=max(float(np.abs(own[1] - base[1]).max()) for own, base in pairs),
                changed=sum(spans(own[0]) != spans(base[0]) for own, base in pairs),
            )
        )
    return rows


def predict_all(batches: list[list[Question]], cell: Cell) -> None:
    for batch in batches:
        predict_many(batch, cell.cell)


def batches(cell: Cell, texts: list[str], rounds: int = 3) -> dict[str, float]:
    """Milliseconds a post without photos: one at a time, in batches as they come, and of like length."""
    posts = [read_post(text, DATASET) for text in texts]
    alike = sorted(posts, key=lambda question: len(question.post.tokens))
    ways = {
        "one at a time": [[post] for post in posts],
        f"batches of {BATCH}, as they come": [posts[i : i + BATCH] for i in range(0, len(posts), BATCH)],
        f"batches of {BATCH}, sorted by length": [alike[i : i + BATCH] for i in range(0, len(alike), BATCH)],
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds + 1):
        for way, cut in ways.items():
            taken[way].append(milliseconds(partial(predict_all, cut, cell)) / len(posts))
    return {way: statistics.median(found[1:]) for way, found in taken.items()}


def posts_at_hand(count: int, folder: Path) -> tuple[list[tuple[str, Path]], str]:
    """Texts with photos, each photo new to its variant, and where they are from."""
    files = photos(folder)
    try:
        split = read_split(REAL.parent, DATASET, "test")
        texts = [" ".join(row.post.tokens) for row in split[:: max(1, len(split) // count)]][:count]
        source = f"posts of the {DATASET.title} test split"
    except (InputError, OSError):
        words = TWEET.split() * 2
        texts = [" ".join(words[i % 9 : i % 9 + 5 + i % 23]) for i in range(count)]
        source = "made-up tweets"
    return [(text, files[i % len(files)]) for i, text in enumerate(texts)], source


def built(names: list[str], loaded: LoadedCell) -> tuple[list[Variant], dict[str, str]]:
    """The variants that can be had, and why others cannot."""
    variants, missing = [], {}
    for name in names:
        try:
            variants.append(BUILDERS[name](loaded))
        except ImportError as error:
            missing[name] = f"{error.name or error} is not installed"
        except Exception as error:  # exporters and compilers raise what they like
            missing[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
    return variants, missing


def markdown(rows: list[Row], batch: dict[str, float], missing: dict[str, str], about: str) -> str:
    base, one = rows[0], next(iter(batch.values()))
    lines = [
        about,
        "",
        "| variant | with a photo | text only | max \\|Δp\\| | answers changed |",
        "|---|--:|--:|--:|--:|",
    ]
    for row in rows:
        cells = [f"{base.photo / row.photo:.2f}×", f"{base.text / row.text:.2f}×", f"{row.moved:.1e}"]
        lines.append(f"| {row.name} | {' | '.join(cells)} | {row.changed} |")
    lines += [f"| {name} | left out: {why} | | | |" for name, why in missing.items()]
    lines += ["", "| texts, no photos | posts a second against one at a time |", "|---|--:|"]
    lines += [f"| {way} | {one / taken:.2f}× |" for way, taken in batch.items()]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=50, help="posts that every variant predicts")
    parser.add_argument("--only", nargs="+", choices=BUILDERS, default=list(BUILDERS), help="these alone")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    cell = Cell()
    variants, missing = built(list(dict.fromkeys(["plain", *options.only])), cell.loaded)
    with tempfile.TemporaryDirectory() as folder:
        posts, source = posts_at_hand(options.posts, Path(folder))
        for photo in {photo for _, photo in posts}:
            read_parts([read_post(TWEET, DATASET, photo)], cell.loaded)
        rows = measure(cell, variants, posts)
    batch = batches(cell, [text for text, _ in posts])
    about = (
        f"{len(posts)} {source}; {_processor()}, {os.cpu_count()} cores, "
        f"load average {os.getloadavg()[0]:.1f}, "
        f"PyTorch {torch.__version__}. The plain cell: {rows[0].photo:.0f} ms with a photo, "
        f"{rows[0].text:.0f} ms without. Higher is faster."
    )
    print(markdown(rows, batch, missing, about))
    return 0


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())

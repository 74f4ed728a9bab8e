"""Text in a photo, by rapidocr: PP-OCR's detector and recogniser as ONNX files inside its wheel.

rapidocr is given the files opened, and so never looks whether to download any. Two threads; one photo at a
time, because a reader keeps the state of the photo at hand.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image

from mmdemo.photo_words.source import Source, SourceError
from mmdemo.types import PhotoWords

#: Pixels that the detector looks at: small type is found in a photo of 800 x 600 once it is enlarged to that,
#: and a page-long strip costs no more than any other photo.
MOST_PIXELS = 800_000
#: The shorter side that a small photo is enlarged to, as far as `MOST_PIXELS` allows.
SHORT_SIDE = 736
#: Lines that are read, the largest first: a page of small print has hundreds, at 30 ms each.
MOST_LINES = 32
#: Characters that are kept of a line.
MOST_CHARACTERS = 400
#: What is less certain than this is not even shown among what was left out.
LEAST_SCORE = 0.3

THREADS = 2

Quad = np.ndarray  # (4, 2) corners in pixels, clockwise from the top left


@dataclass(frozen=True, kw_only=True)
class Models:
    """The three files: where lines are, whether a line stands on its head, what it says."""

    detect: Path
    turn: Path
    recognise: Path


def shipped_models() -> Models:
    """The files in rapidocr's wheel.

    Raises:
        SourceError: rapidocr is not installed, or came without one.
    """
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise SourceError("rapidocr is not installed: pip install -r requirements.txt")
    folder = Path(spec.origin).parent / "models"
    found = {part: sorted(folder.glob(f"*_{part}_*.onnx")) for part in ("det", "cls", "rec")}
    if lacking := [part for part, files in found.items() if not files]:
        raise SourceError(f"rapidocr came without its {lacking[0]} model in {folder}")
    return Models(detect=found["det"][0], turn=found["cls"][0], recognise=found["rec"][0])


def ocr_source(threads: int = THREADS) -> Source:
    """The source "ocr"; its models are loaded by the first photo (half a second).

    Raises:
        SourceError: as `shipped_models`.
    """
    models = shipped_models()
    name = f"rapidocr {version('rapidocr')} {models.recognise.stem}"
    return Source(
        name="ocr",
        version=f"{name} {MOST_PIXELS} {MOST_LINES}",
        read=lambda photo: read_lines(photo, name, threads),
    )


_one_at_a_time = Lock()


def read_lines(photo: Image.Image, by: str, threads: int = THREADS) -> list[PhotoWords]:
    """Lines of text in reading order, each with its confidence and box; none is normal.

    Raises:
        SourceError: rapidocr failed on this photo.
    """
    enlarged = photo.resize(reading_size(photo.size), Image.Resampling.BICUBIC)
    pixels = np.ascontiguousarray(np.asarray(enlarged.convert("RGB"))[:, :, ::-1])  # BGR, as OpenCV has it
    try:
        with _one_at_a_time:
            found = _reader(threads)(pixels)
    except Exception as error:  # OpenCV, onnxruntime and rapidocr each raise their own
        raise SourceError(f"the text could not be read ({type(error).__name__})") from error
    if getattr(found, "txts", None) is None or found.boxes is None or found.scores is None:
        return []
    lines = [
        PhotoWords(
            source="ocr",
            text=text[:MOST_CHARACTERS],
            score=round(float(np.clip(score, 0, 1)), 3),
            box=_box(np.asarray(quad), enlarged.size),
            by=by,
        )
        for text, score, quad in zip(found.txts, found.scores, found.boxes, strict=True)
    ]
    return reading_order(lines)


def reading_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size at which a photo is read: its shorter side `SHORT_SIDE` long, at most `MOST_PIXELS` in all."""
    width, height = size
    scale = max(1.0, SHORT_SIDE / min(size))
    scale = min(scale, (MOST_PIXELS / (width * height)) ** 0.5)
    return max(1, round(width * scale)), max(1, round(height * scale))


def reading_order(lines: Sequence[PhotoWords]) -> list[PhotoWords]:
    """Top to bottom, and left to right within a row: lines whose middle lies beside the row's first line."""
    rows: list[list[PhotoWords]] = []
    for line in sorted(lines, key=lambda line: _middle(line)):
        if rows and _beside(rows[-1][0], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.box[0] if line.box else 0.0)]


def _middle(line: PhotoWords) -> float:
    return (line.box[1] + line.box[3]) / 2 if line.box else 0.0


def _beside(first: PhotoWords, line: PhotoWords) -> bool:
    """Whether each one's middle lies between the other's top and bottom."""
    if first.box is None or line.box is None:
        return False
    return first.box[1] <= _middle(line) <= first.box[3] and line.box[1] <= _middle(first) <= line.box[3]


def _box(quad: Quad, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The upright box around a quadrilateral, in fractions of the photo."""
    parts = np.clip(quad / np.asarray(size), 0, 1)
    (left, top), (right, bottom) = parts.min(0).tolist(), parts.max(0).tolist()
    return round(left, 4), round(top, 4), round(right, 4), round(bottom, 4)


@lru_cache(maxsize=1)
def _reader(threads: int) -> Any:
    """rapidocr with the wheel's own files; says nothing, and reads the largest lines alone."""
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    from omegaconf import flag_override  # here: half a second that only a photo needs
    from rapidocr import RapidOCR

    class Largest(RapidOCR):
        """Stops at `MOST_LINES`: rapidocr would read up to 1,000."""

        def detect_and_crop(self, img: np.ndarray, op_record: dict[str, Any]) -> tuple[list[np.ndarray], Any]:
            crops, found = super().detect_and_crop(img, op_record)
            return _largest(crops, found)

    reader = Largest(
        params={
            "Global.log_level": "critical",
            "Global.text_score": LEAST_SCORE,
            "Global.max_side_len": 10_000,  # sizes are ours: see `reading_size`
            "Det.limit_type": "max",
            "Det.limit_side_len": 10_000,
        }
    )
    models = shipped_models()
    for part, file in (("Det", models.detect), ("Cls", models.turn), ("Rec", models.recognise)):
        with flag_override(reader.cfg[part], "allow_objects", True):
            reader.cfg[part].session = _session(file, threads)
    return reader


def _session(file: Path, threads: int) -> Any:
    """An ONNX file, opened. Threads that wait sleep: spinning, as they would, costs what else runs here."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # else it keeps as much as the largest photo took
    options.log_severity_level = 4
    return InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def _largest(crops: list[np.ndarray], found: Any) -> tuple[list[np.ndarray], Any]:
    """The `MOST_LINES` highest lines of all that were detected, in their order."""
    if len(crops) <= MOST_LINES:
        return crops, found
    heights = [min(crop.shape[:2]) for crop in crops]
    chosen = sorted(sorted(range(len(crops)), key=lambda i: -heights[i])[:MOST_LINES])
    found.boxes = found.boxes[chosen]
    found.scores = [found.scores[i] for i in chosen]
    return [crops[i] for i in chosen], found

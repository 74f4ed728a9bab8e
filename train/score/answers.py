"""A cell's probabilities for a split, kept on disk: calibration, slices and intervals need no model again."""

import zipfile
import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from mmdemo.cells.files import read_json
from mmdemo.types import InputError, Post
from train.data.source import DataSource
from train.fit.state import replace_file


def save_answers(file: Path, answers: dict[str, list[np.ndarray]]) -> None:
    """Write each condition's rows, (words, tags) or (classes,), as one flat float32 array and its lengths."""
    arrays: dict[str, np.ndarray] = {}
    for condition, rows in answers.items():
        arrays[condition] = np.concatenate([np.atleast_2d(row) for row in rows]).astype(np.float32)
        arrays[f"{condition}_lengths"] = np.array([len(row) if row.ndim == 2 else 0 for row in rows])
    replace_file(file, partial(_save, arrays))


def _save(arrays: dict[str, np.ndarray], file: Path) -> None:
    with file.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def load_answers(file: Path) -> dict[str, list[np.ndarray]]:
    """What `save_answers` wrote, in float64; a probability that was rounded to zero is the least of its kind.

    Files of earlier versions are float16, whose ties can give another answer than the model's.

    Raises:
        InputError: the file is missing, empty or cut off.
    """
    try:
        return _load_answers(file)
    except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"the kept answers {file} are missing or damaged; train the cell again, which writes them again"
        ) from error


def _load_answers(file: Path) -> dict[str, list[np.ndarray]]:
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        found = {}
        for condition in (name for name in stored if not name.endswith("_lengths")):
            rows, lengths = stored[condition], stored[f"{condition}_lengths"]
            least = float(np.finfo(rows.dtype).smallest_subnormal)
            rows = np.maximum(rows.astype(np.float64), least)  # which keeps the NaN of words not seen
            ends = np.cumsum(np.maximum(lengths, 1))
            parts = np.split(rows, ends[:-1])
            found[condition] = [p if n else p[0] for p, n in zip(parts, lengths, strict=True)]
    return found


def answered_posts(
    folder: Path, answers: Path, source: DataSource, split: str
) -> tuple[list[Post], dict[str, list[np.ndarray]]]:
    """A split's posts, and what the cell in ``folder`` answered to each of them by condition.

    The cell's own split scheme and limit count, not those of ``source``.

    Raises:
        InputError: the metrics or the answers cannot be read, or the answers are to other posts.
    """
    stated = read_json(folder / "metrics.json")
    if (folder / "config.json").is_file():
        stated |= read_json(folder / "config.json").get("training", {})
    own = replace(source, scheme=stated.get("split_scheme", "official"))
    posts = own.posts(stated["cell"].split("/")[1], split)[: stated.get("limit")]
    found = load_answers(answers / f"{split}.npz")
    for rows in found.values():
        fits = len(rows) == len(posts) and all(
            row.ndim == 1 or len(row) == len(post.tokens) for row, post in zip(rows, posts, strict=True)
        )
        if not fits:
            raise InputError(
                f"{answers / split}.npz answers other posts than the {len(posts)} of {split} in "
                f"{source.folder}; give the data that the cell was trained from, or train it again"
            )
    return posts, found

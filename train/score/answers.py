"""A cell's probabilities for a split, kept on disk: calibration, slices and intervals need no model again."""

import zipfile
import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from mmdemo.cells.card import load_card
from mmdemo.datasets.schema import Dataset
from mmdemo.types import InputError, Question
from train.data.questions import pair_of
from train.data.source import DataSource
from train.fit.state import replace_file

#: What the name of a condition's rows about pairs ends with, in a file that has rows about entities too.
PAIRS = "@pairs"


def save_answers(file: Path, answers: dict[str, list[np.ndarray]]) -> None:
    """Write each condition's rows, (words, tags) or (classes,), as one flat float32 array and its lengths.

    Rows about pairs stand apart where there are both: they have other columns.
    """
    arrays: dict[str, np.ndarray] = {}
    for condition, rows in answers.items():
        kinds = [[row for row in rows if row.ndim == 2], [row for row in rows if row.ndim == 1]]
        names = [condition, f"{condition}{PAIRS}"] if all(kinds) else [condition]
        for name, kind in zip(names, [kind for kind in kinds if kind], strict=True):
            arrays[name] = np.concatenate([np.atleast_2d(row) for row in kind]).astype(np.float32)
            arrays[f"{name}_lengths"] = np.array([len(row) if row.ndim == 2 else 0 for row in kind])
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
        found: dict[str, list[np.ndarray]] = {}
        for condition in sorted(name for name in stored if not name.endswith("_lengths")):
            rows, lengths = stored[condition], stored[f"{condition}_lengths"]
            least = float(np.finfo(rows.dtype).smallest_subnormal)
            rows = np.maximum(rows.astype(np.float64), least)  # which keeps the NaN of words not seen
            ends = np.cumsum(np.maximum(lengths, 1))
            parts = np.split(rows, ends[:-1])
            kept = [p if n else p[0] for p, n in zip(parts, lengths, strict=True)]
            found.setdefault(condition.removesuffix(PAIRS), []).extend(kept)
    return found


def answered_questions(
    folder: Path, answers: Path, source: DataSource, split: str
) -> tuple[Dataset, list[Question], dict[str, list[np.ndarray]]]:
    """A cell's dataset, a split's questions, and what the cell in ``folder`` answered to each by condition.

    The cell's own split scheme and limit count, not those of ``source``.

    Raises:
        InputError: the metrics or the answers cannot be read, or the answers are to other questions.
    """
    card = load_card(folder)
    stated = card.metrics | card.training
    own = replace(source, scheme=stated.get("split_scheme", "official"))
    questions = own.questions(card.config.dataset, split, stated.get("limit"))
    found = load_answers(answers / f"{split}.npz")
    for rows in found.values():
        fits = len(rows) == len(questions) and all(
            row.ndim == 1 if pair_of(asked) else row.ndim == 2 and len(row) == len(asked.post.tokens)
            for row, asked in zip(rows, questions, strict=True)
        )
        if not fits:
            raise InputError(
                f"{answers / split}.npz answers other posts than those of {split} in {source.folder}; give "
                "the data that the cell was trained from, or train it again"
            )
    return card.config.dataset, questions, found

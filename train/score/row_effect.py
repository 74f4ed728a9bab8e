"""What the fusions of a row bring on test beside text alone, and how often any two of them differ.

No model runs here, as in `train.score.photo_effect`: the answers are those that training kept. All fusions of
a row see the same posts, so their differences are paired (Berg-Kirkpatrick et al. 2012); of a row's several
comparisons the p-values are Holm's (1979).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from mmdemo.cells.files import read_json, write_json
from train.data.questions import gold_of
from train.data.source import DataSource
from train.score.answers import answered_questions
from train.score.photo_effect import Counts, counts_of, difference, resampled, said_of

#: What the others of a row are held against.
ALONE = "text-only"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a cell says of each test question with its photo: F1's counts, and the answers themselves."""

    folder: Path
    counts: Counts
    said: Sequence[object]


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """p-values corrected for their number by Holm's step-down method; names as they came."""
    found: dict[str, float] = {}
    least = 0.0
    for place, name in enumerate(sorted(values, key=lambda name: values[name])):
        least = max(least, min(1.0, (len(values) - place) * values[name]))
        found[name] = least
    return {name: found[name] for name in values}


def compare_row(cells: Mapping[str, Told]) -> dict[str, dict[str, Any]]:
    """Fusion -> its difference from `ALONE` (none where the row has no such cell), and from each other.

    A difference from text alone has ``p`` and ``p_holm``, two-sided; ``differs`` gives for each other
    fusion the share of questions that both answer differently.
    """
    alone = cells.get(ALONE)
    against: dict[str, dict[str, float]] = {}
    if alone is not None:
        for fusion, told in cells.items():
            if fusion != ALONE:
                moved = resampled(told.counts, alone.counts)
                p = min(1.0, 2 * max(min((moved <= 0).mean(), (moved >= 0).mean()), 1 / len(moved)))
                against[fusion] = difference(told.counts, alone.counts) | {"p": float(p)}
    corrected = holm({fusion: found["p"] for fusion, found in against.items()})
    stated: dict[str, dict[str, Any]] = {}
    for fusion, told in cells.items():
        differs = {
            other: float(np.mean([a != b for a, b in zip(told.said, theirs.said, strict=True)]))
            for other, theirs in cells.items()
            if other != fusion
        }
        stated[fusion] = {"differs": differs}
        if fusion in against:
            stated[fusion]["against_text_only"] = against[fusion] | {"p_holm": corrected[fusion]}
    return stated


def measure_rows(root: Path, work: Path, source: DataSource, preset: str = "lite") -> list[str]:
    """Put "row_effect" into the metrics.json of each cell whose answers are in ``work``; which cells.

    Raises:
        InputError: a cell's metrics or its saved answers cannot be read, or are to other posts.
    """
    rows: dict[Path, dict[str, Told]] = defaultdict(dict)
    for file in tqdm(sorted(root.glob(f"{preset}/*/*/*/metrics.json")), "rows", disable=None):
        answers = work / "answers" / read_json(file)["cell"]
        if (answers / "test.npz").is_file():
            rows[file.parents[1]][file.parent.name] = _told(file.parent, answers, source)
    measured = []
    for cells in rows.values():
        for fusion, found in compare_row(cells).items():
            stated = cells[fusion].folder / "metrics.json"
            write_json(stated, read_json(stated) | {"row_effect": found})
            measured.append(str(cells[fusion].folder.relative_to(root)))
    return measured


def _told(folder: Path, answers: Path, source: DataSource) -> Told:
    dataset, questions, rows = answered_questions(folder, answers, source, "test")
    gold = [gold_of(asked, dataset) for asked in questions]
    own = rows["photo"]
    return Told(folder=folder, counts=counts_of(dataset, gold, own), said=[said_of(dataset, r) for r in own])

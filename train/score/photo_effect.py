"""What the posts' photos change on test, with how sure that is: paired bootstrap over posts, and slices.

No model runs here: `train.cells.run` keeps every cell's probabilities (`train.score.answers`). Posts are
drawn with replacement and keep both answers, with the photo and without
(Berg-Kirkpatrick et al. 2012), so that the interval is of the difference and not of two scores.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from mmdemo.cells.files import read_json, write_json
from mmdemo.datasets.bio import spans_of
from mmdemo.datasets.schema import Dataset
from mmdemo.models.decode import best_tags
from train.data.questions import Gold, gold_of
from train.data.source import DataSource
from train.score.answers import answered_questions
from train.score.slices import RELATED, known_names, slices_of

RESAMPLES = 1000
LEVEL = 95  # per cent of the resamples inside the interval
SEED = 1337

#: Counts of each post, (posts, 3): right answers, answers, right answers that there are.
Counts = np.ndarray


def counts_of(dataset: Dataset, gold: Sequence[Gold], rows: Sequence[np.ndarray]) -> Counts:
    """Entities (span and type) of each question, or its relation where it is not ``none``."""
    counts = []
    for answer, row in zip(gold, rows, strict=True):
        found: set[object]
        wanted: set[object]
        if isinstance(answer, str):
            said = dataset.relation_labels[int(row.argmax())]
            found, wanted = (
                {x for x in (said,) if x != dataset.none},
                {x for x in (answer,) if x != dataset.none},
            )
        else:
            found, wanted = set(spans_of(best_tags(row, dataset.tags))), set(spans_of(answer))
        counts.append((len(found & wanted), len(found), len(wanted)))
    return np.array(counts)


def f1_of(counts: np.ndarray) -> np.ndarray:
    """Micro-F1 of summed counts, (…, 3) -> (…); 0 where there is nothing to find."""
    right, found, wanted = np.moveaxis(counts.astype(float), -1, 0)
    return np.divide(2 * right, found + wanted, out=np.zeros_like(right), where=found + wanted > 0)


def resampled(ours: Counts, theirs: Counts, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """The difference of F1 in each resample of the posts, (resamples,)."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(
        len(ours), np.full(len(ours), 1 / len(ours)), size=resamples
    )  # how often each post
    return f1_of(drawn @ ours) - f1_of(drawn @ theirs)


def difference(
    ours: Counts, theirs: Counts, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, float]:
    """F1 of ``ours``, of ``theirs``, their difference and its interval, all in fractions."""
    moved = resampled(ours, theirs, resamples, seed)
    low, high = np.percentile(moved, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    f1, other = float(f1_of(ours.sum(axis=0))), float(f1_of(theirs.sum(axis=0)))
    return {"f1": f1, "other": other, "change": f1 - other, "low": float(low), "high": float(high)}


def moved_posts(ours: Counts, theirs: Counts, changed: np.ndarray) -> dict[str, int]:
    """Of the questions whose answers ``changed``, how many are now right that were wrong, and the reverse.

    An answer is right where it is all that there is to find and nothing else.
    """
    right, was = (c[:, 0] == c[:, 1:].max(axis=1) for c in (ours, theirs))
    return {
        "changed": int(changed.sum()),
        "to_right": int((changed & right & ~was).sum()),
        "to_wrong": int((changed & ~right & was).sum()),
    }


def said_of(dataset: Dataset, row: np.ndarray) -> object:
    """An answer that can be compared: the relation's label, or all entities (start, end, type)."""
    if row.ndim == 1:
        return dataset.relation_labels[int(row.argmax())]
    return frozenset(spans_of(best_tags(row, dataset.tags)))


def measure_cell(folder: Path, answers: Path, source: DataSource) -> dict[str, Any]:
    """Measure and store what the photo changes; gives what metrics.json now says under "photo_effect".

    Raises:
        InputError: the cell's metrics or its saved answers cannot be read, or are to other posts.
    """
    metrics = read_json(folder / "metrics.json")
    dataset, questions, rows = answered_questions(folder, answers, source, "test")
    posts = [asked.post for asked in questions]
    gold = [gold_of(asked, dataset) for asked in questions]
    counts = {condition: counts_of(dataset, gold, found) for condition, found in rows.items()}
    said = {condition: [said_of(dataset, row) for row in found] for condition, found in rows.items()}
    has_photo = np.array([post.image is not None for post in posts])
    known, related = known_names(source.posts(dataset, "train")), source.scores(dataset, posts, RELATED)
    groups = slices_of(posts, has_photo, known, related)
    stated = {
        "split": "test",
        "resamples": RESAMPLES,
        "level": LEVEL,
        "against": {
            c: difference(counts["photo"], counts[c])
            | moved_posts(counts["photo"], counts[c], _differ(said["photo"], said[c]))
            for c in counts
            if c != "photo"
        },
        "slices": [
            {"name": name, "posts": int(mask.sum())}
            | difference(counts["photo"][mask], counts["none"][mask])
            | {c: difference(counts["photo"][mask], counts[c][mask]) for c in ("shuffled",) if c in counts}
            for name, mask in groups.items()
        ],
    }
    write_json(folder / "metrics.json", metrics | {"photo_effect": stated})
    return stated


def _differ(ours: Sequence[object], theirs: Sequence[object]) -> np.ndarray:
    return np.array([one != other for one, other in zip(ours, theirs, strict=True)])


def measure_all(
    root: Path, work: Path, source: DataSource, preset: str = "lite"
) -> dict[str, dict[str, Any]]:
    """Measure every cell of ``root`` whose answers are in ``work``; cell -> what is stated."""
    found = {}
    for file in tqdm(sorted(root.glob(f"{preset}/*/*/*/metrics.json")), "photo effects", disable=None):
        name = read_json(file)["cell"]
        answers = work / "answers" / name
        if (answers / "test.npz").is_file():
            found[name] = measure_cell(file.parent, answers, source)
    return found

"""Fit each cell's calibration on validation, and measure it on test, from its saved answers alone.

No model runs here: `train.cells.run` keeps every cell's probabilities (`train.score.answers`).
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from tqdm.auto import tqdm

from mmdemo.cells.calibration import EDGE, LONGEST, Calibration, EntityCalibration
from mmdemo.cells.files import read_json, write_json
from mmdemo.datasets.bio import bio_tags, output_labels, spans_of
from mmdemo.models.config import DATASETS
from mmdemo.models.decode import decode_entities
from mmdemo.types import Entity
from train.data.source import DataSource
from train.fit.stages import gold_of_dataset
from train.score.answers import answered_posts

BINS = 15
FEWEST = 20  # entities that a map is fitted to
PENALTY = 1e-3  # on the weights of length and labels

Rows = Sequence[np.ndarray]
#: Confidence of each answer, and whether it is right.
Judged = tuple[np.ndarray, np.ndarray]


def calibrate_cell(folder: Path, answers: Path, source: DataSource) -> dict[str, Any]:
    """Fit, measure and store one cell's calibration; gives what metrics.json now says under "calibration".

    Raises:
        InputError: the cell's metrics or its saved answers cannot be read, or are to other posts.
    """
    metrics = read_json(folder / "metrics.json")
    dataset = metrics["cell"].split("/")[1]
    gold, rows = {}, {}
    for split in ("valid", "test"):
        posts, found = answered_posts(folder, answers, source, split)
        gold[split], rows[split] = gold_of_dataset(dataset, posts), found["photo"]
    fitted = fit_calibration(dataset, gold["valid"], rows["valid"])
    entity = asdict(fitted.entity) if fitted.entity else None
    stated: dict[str, Any] = {"temperature": fitted.temperature, "entity": entity, "fitted_on": "valid"}
    for name, calibration in (("before", Calibration()), ("after", fitted)):
        stated[name] = measures(*judge(dataset, gold["test"], rows["test"], calibration))
    write_json(folder / "metrics.json", metrics | {"calibration": stated})
    return stated


def fit_calibration(dataset: str, gold: Sequence[Any], rows: Rows) -> Calibration:
    """The temperature of least log loss, then for entities the map of least log loss."""
    temperature = Calibration(temperature=fit_temperature(*_targets(dataset, gold, rows)))
    if DATASETS[dataset].task == "re":
        return temperature
    entities, right = judge_entities(dataset, gold, rows, temperature)
    return replace(temperature, entity=fit_beta(entities, right))


def _targets(dataset: str, gold: Sequence[Any], rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """All rows that the encoder saw as one array of log probabilities, and each one's right class."""
    index = {label: i for i, label in enumerate(output_labels(dataset))}
    if DATASETS[dataset].task == "re":
        log_NC, right = np.stack(list(rows)), np.array([index[label] for label in gold])
    else:
        log_NC = np.concatenate(list(rows))
        right = np.array([index[tag] for tags in gold for tag in tags])
        seen = ~np.isnan(log_NC).any(axis=1)
        log_NC, right = log_NC[seen], right[seen]
    return np.log(log_NC), right


def fit_temperature(log_NC: np.ndarray, right_N: np.ndarray) -> float:
    """The temperature in [0.1, 10] of least mean log loss; log probabilities serve as logits."""

    def loss(log_temperature: float) -> float:
        scaled = log_NC / np.exp(log_temperature)
        top = scaled.max(axis=1)
        total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float((total - scaled[np.arange(len(scaled)), right_N]).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.1), np.log(10)), method="bounded")
    return float(np.exp(found.x))


def fit_beta(entities: Sequence[Entity], right: np.ndarray) -> EntityCalibration | None:
    """The map of least log loss, a and b not negative; None where too few are right or wrong to tell.

    Label and length are in it because they lowered the cross-fitted log loss on validation (RoBERTa row,
    FiLM): Twitter2015 .502 to .475, Twitter2017 .283 to .279. Their weights are held small.
    """
    if len(entities) < FEWEST or right.all() or not right.any():
        return None
    raw = np.clip([e.score or 0.0 for e in entities], EDGE, 1 - EDGE)
    words = np.minimum([e.end - e.start for e in entities], LONGEST) - 1
    labels = sorted({e.label for e in entities})
    is_label = [np.array([e.label == label for e in entities]) for label in labels]
    features = np.stack([np.log(raw), -np.log1p(-raw), np.ones(len(raw)), words, *is_label], axis=1)
    sign = np.where(right, 1.0, -1.0)

    def loss(theta: np.ndarray) -> float:
        return float(np.logaddexp(0, -sign * (features @ theta)).mean() + PENALTY * (theta[3:] ** 2).sum())

    start = np.array([1.0, 1.0, *[0.0] * (features.shape[1] - 2)])
    bounds = [(0, None), (0, None), *[(None, None)] * (features.shape[1] - 2)]
    a, b, c, length, *offsets = (float(v) for v in minimize(loss, start, bounds=bounds, method="L-BFGS-B").x)
    return EntityCalibration(a=a, b=b, c=c, length=length, labels=dict(zip(labels, offsets, strict=True)))


def judge(dataset: str, gold: Sequence[Any], rows: Rows, calibration: Calibration) -> Judged:
    """Confidence of every predicted entity, or of every post's first relation, and whether it is right."""
    if DATASETS[dataset].task == "re":
        labels = output_labels(dataset)
        tempered = calibration.probabilities(np.log(np.stack(list(rows))))
        right = [labels[i] == label for i, label in zip(tempered.argmax(axis=1), gold, strict=True)]
        return tempered.max(axis=1), np.array(right)
    entities, correct = judge_entities(dataset, gold, rows, calibration)
    return np.array([e.score for e in entities], dtype=float), correct


def judge_entities(
    dataset: str, gold: Sequence[Any], rows: Rows, calibration: Calibration
) -> tuple[list[Entity], np.ndarray]:
    """Every predicted entity with its calibrated score, and whether span and type are exactly right."""
    found: list[Entity] = []
    right: list[bool] = []
    tags = bio_tags(dataset)
    for own_gold, row in zip(gold, rows, strict=True):
        wanted = set(spans_of(own_gold))
        tempered = calibration.probabilities(np.log(row))
        entities = calibration.entities(decode_entities(tempered, [""] * len(row), tags))
        found += entities
        right += [(e.start, e.end, e.label) in wanted for e in entities]
    return found, np.array(right, dtype=bool)


def measures(scores: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """ECE over `BINS` equal bins (Naeini et al. 2015), Brier score, and the bins of a reliability curve."""
    if not len(scores):
        return {"ece": 0.0, "brier": 0.0, "bins": []}  # no answer was given: none was too sure
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    bins, ece = [], 0.0
    for number in range(BINS):
        inside = place == number
        if inside.any():
            confidence, accuracy = float(scores[inside].mean()), float(right[inside].mean())
            ece += inside.mean() * abs(confidence - accuracy)
            bins.append(
                {
                    "confidence": round(confidence, 4),
                    "accuracy": round(accuracy, 4),
                    "count": int(inside.sum()),
                }
            )
    return {"ece": float(ece), "brier": float(((scores - right) ** 2).mean()), "bins": bins}


def calibrate_all(
    root: Path, work: Path, source: DataSource, preset: str = "lite"
) -> dict[str, tuple[float, float]]:
    """Calibrate every cell of ``root`` whose answers are in ``work``; cell -> test ECE before and after."""
    found = {}
    files = sorted(root.glob(f"{preset}/*/*/*/metrics.json"))
    for file in tqdm(files, "calibrating", disable=None):
        name = read_json(file)["cell"]
        answers = work / "answers" / name
        if (answers / "test.npz").is_file():
            stated = calibrate_cell(file.parent, answers, source)
            found[name] = (stated["before"]["ece"], stated["after"]["ece"])
    return found

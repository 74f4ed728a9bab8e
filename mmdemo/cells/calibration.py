"""Confidences that mean what they say: how a checkpoint's raw scores become probabilities of being right.

A *temperature* divides the logits (Guo et al. 2017); it cannot change which answer is best. An entity's
score, a product of its words' probabilities, is mapped once more by a *beta calibration* (Kull et al. 2017)
that also knows its label and length. Both are fitted on validation (`train.score.calibrate`) and stored in
metrics.json. So is how likely a relation is together with its two entities (`train.score.triples`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mmdemo.datasets.schema import TASKS, Task
from mmdemo.models.decode import softmax
from mmdemo.types import Entity

EDGE = 1e-6  # scores nearer to 0 or 1 than this have no useful logarithm
LONGEST = 5  # longer spans count as this long


@dataclass(frozen=True, kw_only=True)
class EntityCalibration:
    """p = σ(a ln s - b ln(1 - s) + c + length·(words - 1) + labels[label]) for a raw score s.

    With a, b ≥ 0 the order of scores within a label and length stays.
    """

    a: float
    b: float
    c: float
    length: float = 0.0
    labels: Mapping[str, float] = field(default_factory=dict)

    def score(self, entity: Entity) -> float:
        """The calibrated score of an entity that has a raw one."""
        raw = min(max(entity.score or 0.0, EDGE), 1 - EDGE)
        words = min(entity.end - entity.start, LONGEST)
        logit = self.a * math.log(raw) - self.b * math.log1p(-raw) + self.c
        logit += self.length * (words - 1) + self.labels.get(entity.label, 0.0)
        return _sigmoid(logit)


@dataclass(frozen=True, kw_only=True)
class TripleCalibration:
    """p = σ(a·logit(r) + b ln(h t) + c), at most r, for the calibrated scores of a relation and of its ends.

    r is the relation's, h and t are the ends'. With a, b ≥ 0 surer parts never make a less sure whole.
    """

    a: float
    b: float
    c: float

    @classmethod
    def of(cls, metrics: Mapping[str, Any], entities: str) -> "TripleCalibration | None":
        """What a relation cell's metrics.json states; None where nothing, or of another dataset's entities.

        Args:
            entities: the dataset whose entities are joined.
        """
        stated = metrics.get("triples")
        if not isinstance(stated, Mapping) or stated.get("entities") != entities:
            return None
        numbers = [stated.get(name) for name in ("a", "b", "c")]
        if not all(map(_is_number, numbers)):
            return None
        a, b, c = (float(value) for value in numbers if value is not None)
        return cls(a=max(a, 0.0), b=max(b, 0.0), c=c)

    def score(self, relation: float, entities: float) -> float:
        """The probability of the whole. ``entities`` is the product of the two ends' scores."""
        sure = min(max(relation, EDGE), 1 - EDGE)
        logit = (
            self.a * (math.log(sure) - math.log1p(-sure)) + self.b * math.log(max(entities, EDGE)) + self.c
        )
        return min(relation, _sigmoid(logit))


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A checkpoint's whole calibration; by default the identity."""

    temperature: float = 1.0
    entity: EntityCalibration | None = None

    @classmethod
    def of(cls, metrics: Mapping[str, Any], task: Task) -> "Calibration":
        """What a metrics.json states for a task; the identity where it states nothing that can be used.

        A cell of both tasks states one a task, ``{"entities": {…}, "relations": {…}}``; a cell of one task
        states its own as it is.
        """
        stated = metrics.get("calibration")
        if isinstance(stated, Mapping) and set(TASKS) & stated.keys():
            stated = stated.get(task)
        temperature: Any = stated.get("temperature") if isinstance(stated, Mapping) else None
        if not isinstance(stated, Mapping) or not _is_number(temperature) or not 0.01 <= temperature <= 100:
            return cls()
        return cls(temperature=float(temperature), entity=_entity(stated.get("entity")))

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities over the last axis."""
        return softmax(logits, self.temperature)

    def entities(self, entities: tuple[Entity, ...]) -> tuple[Entity, ...]:
        """The same entities with calibrated scores."""
        if self.entity is None:
            return entities
        return tuple(e if e.score is None else replace(e, score=self.entity.score(e)) for e in entities)


def _entity(stated: object) -> EntityCalibration | None:
    if not isinstance(stated, Mapping):
        return None
    numbers = [stated.get(name) for name in ("a", "b", "c", "length")]
    labels = stated.get("labels", {})
    if not all(map(_is_number, numbers)) or not isinstance(labels, Mapping):
        return None
    a, b, c, length = (float(value) for value in numbers if value is not None)
    offsets = {str(label): float(value) for label, value in labels.items() if _is_number(value)}
    return EntityCalibration(a=max(a, 0.0), b=max(b, 0.0), c=c, length=length, labels=offsets)


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False

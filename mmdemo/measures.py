"""Which measures count: their place in metrics.json, their names, and the one by which a task is judged.

A closed set in one literal table. `train.score.metrics` computes the figures; pages, cards, tables and the
terminal read from here what to show of them, and how to call it. All figures are fractions, shown in percent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

Place = Literal["page", "table", "terminal"]
Headline = Literal["field", "report"]
Task = Literal["entities", "relations"]

#: No figure of a card is as large.
MOST = 1e9


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of a set of answers.

    ``path`` leads to it in the scores of one split and photo condition. ``headline``: what the field compares
    ("field"; a task's choices are made by it), or what the study's report compares ("report"). The names are
    of one measure, for places of different width: ``title`` on the page, ``column`` over a table of cells,
    ``card`` in a model card, ``terminal`` in ``train evaluate``, where ``{classes}`` is their number.
    """

    key: str
    task: Task
    path: tuple[str, ...]
    headline: Headline | None = None
    title: str
    column: str
    card: str
    terminal: str

    @property
    def heading(self) -> str:
        """The short name at the start of a sentence."""
        return self.column[0].upper() + self.column[1:]


MEASURES: tuple[Measure, ...] = (
    Measure(
        key="entity_f1",
        task="entities",
        path=("entity", "f1"),
        headline="field",
        title="Entity F1 (span and type)",
        column="entity F1",
        card="entity F1",
        terminal="entity F1 (field)",
    ),
    Measure(
        key="strict_f1",
        task="entities",
        path=("entity_strict", "f1"),
        title="Entity F1, strict",
        column="strict",
        card="entity F1, strict",
        terminal="entity F1, strict",
    ),
    Measure(
        key="token_accuracy",
        task="entities",
        path=("token", "accuracy"),
        headline="report",
        title="Token accuracy",
        column="token accuracy",
        card="token accuracy",
        terminal="token accuracy (report)",
    ),
    Measure(
        key="token_f1",
        task="entities",
        path=("token", "f1"),
        title="Token F1 (weighted, O counted)",
        column="token F1",
        card="token F1, weighted, with O",
        terminal="token weighted F1 (report)",
    ),
    Measure(
        key="micro_f1",
        task="relations",
        path=("micro_without_none", "f1"),
        headline="field",
        title="Micro-F1 without None",
        column="micro-F1 without None",
        card="micro-F1 without None",
        terminal="micro-F1 without None (field)",
    ),
    Measure(
        key="macro_f1",
        task="relations",
        path=("macro", "f1"),
        title="Macro F1",
        column="macro F1",
        card="macro F1",
        terminal="macro F1, all {classes} classes",
    ),
    Measure(
        key="accuracy",
        task="relations",
        path=("accuracy",),
        headline="report",
        title="Accuracy",
        column="accuracy",
        card="accuracy",
        terminal="accuracy (report)",
    ),
    Measure(
        key="weighted_f1",
        task="relations",
        path=("weighted", "f1"),
        title="Weighted F1",
        column="weighted F1",
        card="weighted F1",
        terminal="weighted F1 (report)",
    ),
    Measure(
        key="macro_present_f1",
        task="relations",
        path=("macro_present", "f1"),
        title="Macro F1, classes present",
        column="macro F1, present",
        card="macro F1, classes present",
        terminal="macro F1, classes present",
    ),
)

#: What each place shows of a task, in its order; the headline stands first.
SHOWN: dict[Place, dict[str, tuple[str, ...]]] = {
    "page": {
        "entities": ("entity_f1", "strict_f1", "token_f1", "token_accuracy"),
        "relations": ("micro_f1", "macro_f1", "weighted_f1", "accuracy"),
    },
    "table": {
        "entities": ("entity_f1", "strict_f1", "token_accuracy", "token_f1"),
        "relations": ("micro_f1", "macro_f1", "accuracy", "weighted_f1"),
    },
    "terminal": {
        "entities": ("entity_f1", "strict_f1", "token_accuracy", "token_f1"),
        "relations": ("micro_f1", "accuracy", "weighted_f1", "macro_f1", "macro_present_f1"),
    },
}


def shown(place: Place, *tasks: str) -> tuple[Measure, ...]:
    """The measures of tasks that a place shows, in its order. Raises KeyError for an unknown task."""
    by_key = {measure.key: measure for measure in MEASURES}
    return tuple(by_key[key] for task in tasks for key in SHOWN[place][task])


def headline_of(task: str, kind: Headline = "field") -> Measure:
    """The measure by which a task is judged: the field's, or the report's."""
    return next(m for m in MEASURES if m.task == task and m.headline == kind)


def tasks_of(scores: Mapping[str, Any]) -> tuple[Task, ...]:
    """Whose figures these are: the tasks whose headlines stand in them."""
    return tuple(m.task for m in MEASURES if m.headline == "field" and m.path[0] in scores)


def judged(scores: Mapping[str, Any]) -> float | None:
    """The figure by which answers are judged: the field's of their task; of both tasks, the mean."""
    found = [figure(scores, headline_of(task).path) for task in tasks_of(scores)]
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known else None


def figure(held: object, path: tuple[str, ...]) -> float | None:
    """The number at the end of ``path`` in a JSON value, or None where there is none."""
    value = reduce(lambda inner, key: inner.get(key) if isinstance(inner, Mapping) else None, path, held)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MOST else None  # a file may state 10**400, or NaN

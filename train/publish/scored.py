"""A cell whose figures a table shows."""

from dataclasses import dataclass
from typing import Any

from mmdemo.cells.conditions import Conditions
from mmdemo.cells.name import CellName
from mmdemo.measures import Measure, Task, figure, tasks_of
from mmdemo.types import InputError


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A cell and what its metrics.json holds."""

    name: str
    metrics: dict[str, Any]

    @property
    def preset(self) -> str:
        return CellName.parse(self.name).preset

    @property
    def title(self) -> str:
        """The zoo that it is of: its dataset, and the preset where that is not the usual one."""
        return self.dataset if self.preset == "lite" else f"{self.dataset} ({self.preset})"

    @property
    def dataset(self) -> str:
        return CellName.parse(self.name).dataset

    @property
    def model(self) -> str:
        return CellName.parse(self.name).model

    @property
    def fusion(self) -> str:
        return CellName.parse(self.name).fusion

    @property
    def task(self) -> Task:
        """What it is judged by: of a cell with both tasks, its entities."""
        return tasks_of(self.metrics["splits"]["test"]["photo"])[0]

    def figure(self, split: str, condition: str, measure: Measure) -> float:
        """A fraction. Raises InputError where metrics.json lacks it."""
        path = ("splits", split, condition, *measure.path)
        value = figure(self.metrics, path)
        if value is None:
            raise InputError(f"{self.name}: metrics.json lacks {'/'.join(path)}")
        return value

    def count(self, *path: str) -> str:
        """A whole number of metrics.json, or a dash where it is not stated."""
        value = figure(self.metrics, path)
        return "-" if value is None else f"{value:,.0f}"

    @property
    def marks(self) -> tuple[str, ...]:
        """What must stand beside its figures."""
        return Conditions.of(self.metrics).marks

    @property
    def commit(self) -> str:
        return (Conditions.of(self.metrics).commit or "-")[:7]

    @property
    def limited(self) -> bool:
        return bool(Conditions.of(self.metrics).limit)

    @property
    def seed(self) -> str:
        return str(self.metrics.get("seed", "-"))

"""What differs between two cells: configuration, dataset, conditions, settings, figures, files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mmdemo.cells.card import Card, load_card
from mmdemo.cells.conditions import Conditions
from mmdemo.cells.name import CellName
from mmdemo.datasets.records import record_of
from mmdemo.measures import figure, shown
from mmdemo.types import InputError, quoted
from train.score.evaluate import CONDITIONS

#: Figures beside those of a split, by their place in metrics.json.
OTHERS = (
    ("calibration", "temperature"),
    ("calibration", "before", "ece"),
    ("calibration", "after", "ece"),
    ("photo_effect", "against", "none", "change"),
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value of which two cells have different ones; None where a cell does not state it.

    ``part``: "config", "dataset", "conditions", "training", "recipe", "metrics" or "files".
    """

    part: str
    name: str
    a: Any
    b: Any


def find_card(place: str, root: Path) -> Card:
    """The card of a cell: its folder, or its name (preset/dataset/model/fusion) below ``root``.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    if Path(place).is_dir():
        return load_card(Path(place))
    try:
        folder = root / CellName.parse(place).path
    except InputError:
        folder = Path(place)
    if not folder.is_dir():
        raise InputError(
            f"there is no cell {quoted(place)}: give its folder, or its name, preset/dataset/model/fusion, "
            f"in {root}"
        )
    return load_card(folder)


def differences(a: Card, b: Card) -> list[Difference]:
    """All that differs, part by part, each in the order of the first cell."""
    one, two = values_of(a), values_of(b)
    return [
        Difference(part=part, name=name, a=one[part].get(name), b=two[part].get(name))
        for part in one
        for name in dict.fromkeys((*one[part], *two[part]))
        if one[part].get(name) != two[part].get(name)
    ]


def values_of(card: Card) -> dict[str, dict[str, Any]]:
    """A cell's values by part and dotted name."""
    shape = {part.name: getattr(card.config, part.name) for part in fields(card.config)}
    training = {key: value for key, value in card.training.items() if key not in ("recipes", "conditions")}
    conditions = Conditions.of(card.metrics).json()
    if "limit" in conditions:  # which is no number where all posts were read
        conditions["limit"] = conditions["limit"] or "none"
    return {
        "config": {**shape, "dataset": card.config.dataset.name},
        "dataset": dict(_flat(record_of(card.config.dataset))),
        "conditions": dict(_flat(conditions)),
        "training": {key: value for key, value in _flat(training) if key not in conditions},
        "recipe": dict(_flat(card.training.get("recipes", {}))),
        "metrics": dict(_figures(card)),
        "files": dict(card.files),
    }


def _figures(card: Card) -> Iterator[tuple[str, float]]:
    """The figures that tables show, by split and photo condition, and what calibration and photos did."""
    for split in ("valid", "test"):
        for condition in CONDITIONS:
            for measure in shown("table", *card.config.dataset.tasks):
                value = figure(card.metrics, ("splits", split, condition, *measure.path))
                if value is not None:
                    yield f"{split}.{condition}.{measure.key}", value
    tasks = card.config.dataset.tasks
    of_tasks = [("calibration", task, *path[1:]) for path in OTHERS[:3] for task in tasks]
    for path in (*OTHERS, *of_tasks):
        value = figure(card.metrics, path)
        if value is not None:
            yield ".".join(path), value


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Values by dotted names; rows of labels by their labels, other lists whole."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif _is_labelled(value):
        for row in value:
            rest = {key: inner for key, inner in row.items() if key != "label"}
            yield from _flat(rest or True, f"{name}.{row['label']}")
    else:
        yield name, value


def _is_labelled(value: Any) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0
    return is_list and all(isinstance(row, Mapping) and "label" in row for row in value)

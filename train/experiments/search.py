"""What a tuning study may try: values and ranges as a person writes them, and what they mean for a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from optuna import Trial

from mmdemo.types import InputError
from train.fit.recipe import Recipe

#: The report's grid (SPEC §5). Its lr can only mean the fusion and head: 0.002 on the encoder diverges.
REPORT_GRID = (
    "epochs=3,5,7,10",
    "batch_size=8,10,12,16",
    "lr=0.0005,0.0010,0.0011,0.0020",
    "image_size=224,256",
)

#: For random search and TPE: ranges around the recipe of a lite cell.
RANGES = (
    "epochs=2:8",
    "batch_size=8,16,32",
    "lr=1e-5:1e-2:log",
    "dropout=0:0.4",
    "image_dropout=0:0.5",
    "weight_decay=1e-4:0.1:log",
)

#: Beside a recipe's fields: ``lr`` sets the fusion's rate and moves the head's along (`_shared_rates`),
#: ``image_size`` the photo's side.
SHARED_RATE, IMAGE_SIZE = "lr", "image_size"
TYPES: dict[str, type] = {
    **{name: type(value) for name, value in vars(Recipe()).items()},
    SHARED_RATE: float,
    IMAGE_SIZE: int,
}


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One setting's possible values: a list, or from ``low`` to ``high`` (whole numbers where it is one)."""

    name: str
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False

    def suggest(self, trial: Trial) -> Any:
        """The value that the study's sampler picks."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        if TYPES[self.name] is int:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def holds(self, value: Any) -> bool:
        """Whether a value is among those that can be picked."""
        return value in self.choices if self.choices else self.low <= value <= self.high


def read_search(texts: Sequence[str], stage: str) -> tuple[Dimension, ...]:
    """``["epochs=3,5", "cell.lr=1e-5:1e-2:log"]`` -> dimensions; a stage in front must be the tuned one.

    Raises:
        InputError: no such setting, a value of the wrong type, an empty range, or one name twice.
    """
    found: dict[str, Dimension] = {}
    for text in texts:
        name, _, values = text.partition("=")
        where, _, name = name.rpartition(".")
        if name not in TYPES or where not in ("", stage):
            known = ", ".join(TYPES)
            raise InputError(f"--search {text}: no such setting of stage {stage}; settings are {known}")
        if name in found:
            raise InputError(f"--search {text}: {name} is searched twice")
        found[name] = _dimension(text, name, values)
    return tuple(found.values())


def _dimension(text: str, name: str, values: str) -> Dimension:
    kind = TYPES[name]
    try:
        if ":" not in values:
            return Dimension(name=name, choices=tuple(kind(value) for value in values.split(",")))
        low, high, *scale = values.split(":")
        dimension = Dimension(name=name, low=kind(low), high=kind(high), log=scale == ["log"])
    except ValueError as error:
        raise InputError(f"--search {text}: {name} takes values of type {kind.__name__}") from error
    empty = dimension.low >= dimension.high or (dimension.log and dimension.low <= 0)
    if empty or scale not in ([], ["log"]):
        raise InputError(f"--search {text}: write low:high or low:high:log, the lower number first")
    return dimension


def apply(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe with a trial's values. Raises InputError for one that no recipe can have."""
    changes = {name: value for name, value in values.items() if name not in (SHARED_RATE, IMAGE_SIZE)}
    if SHARED_RATE in values:
        changes = _shared_rates(recipe, values[SHARED_RATE]) | changes
    return replace(recipe, **changes)


def _shared_rates(recipe: Recipe, rate: float) -> dict[str, float]:
    """The fusion's and the head's rates in the recipe's ratio, so that its own ``lr`` gives the recipe.

    ``rate`` is the fusion's, or the head's where the recipe freezes the fusion.
    """
    own, leading = {"fusion_lr": recipe.fusion_lr, "head_lr": recipe.head_lr}, _leading_rate(recipe)
    # No product for the leading one: rounding would change it.
    return {name: rate if value == leading else value * (rate / leading) for name, value in own.items()}


def _leading_rate(recipe: Recipe) -> float:
    return recipe.fusion_lr or recipe.head_lr


def as_changes(stage: str, values: Mapping[str, Any], recipe: Recipe) -> str:
    """A trial's values, tried on ``recipe``, as options of ``train run``."""
    given = {**values}
    if SHARED_RATE in given:
        given = _shared_rates(recipe, given.pop(SHARED_RATE)) | given
    given.pop(IMAGE_SIZE, None)  # a preset's property, not a recipe's
    return " ".join(f"--set {stage}.{name}={value:.6g}" for name, value in given.items())


def values_of(recipe: Recipe, space: Sequence[Dimension], image_size: int) -> dict[str, Any] | None:
    """The recipe's own values in the searched dimensions, None where one of them cannot be picked."""
    own = {**vars(recipe), SHARED_RATE: _leading_rate(recipe), IMAGE_SIZE: image_size}
    found = {dimension.name: own[dimension.name] for dimension in space}
    return found if all(dimension.holds(found[dimension.name]) for dimension in space) else None


def grid_size(space: Sequence[Dimension]) -> int:
    """How many points a grid over lists has."""
    return prod(max(1, len(dimension.choices)) for dimension in space)

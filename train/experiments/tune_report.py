"""A study as a table (CSV), a picture (PNG) and a page (HTML): every trial, also what brought nothing."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from optuna.trial import FrozenTrial, TrialState

from mmdemo.types import InputError
from train.analyse.page import image_uri, write_page
from train.experiments.search import Dimension, as_changes
from train.experiments.tune import Search

NAMES = {TrialState.COMPLETE: "whole", TrialState.PRUNED: "stopped early"}


def write_report(study: optuna.Study, search: Search, folder: Path, command: str) -> str:
    """Write trials.csv, trials.png and tuning.html into ``folder``; return the best trials in words.

    Raises:
        InputError: no trial is done yet, or ``folder`` cannot be written.
    """
    trials = [trial for trial in study.trials if trial.state in NAMES]
    if not any(trial.state is TrialState.COMPLETE for trial in trials):
        raise InputError(f"the study {search.name} has no whole trial yet")
    rows = sorted((_row(trial, search) for trial in trials), key=lambda row: -row["F1"])
    canvas = draw(trials, search.space)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "trials.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        canvas.savefig(folder / "trials.png", dpi=150)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from error
    facts = {"study": search.name, "sampler": search.sampler, **search.facts}
    best = as_changes(search.stage, study.best_trial.params, search.settings.recipe(search.stage))
    page = write_page(
        folder / "tuning.html",
        "tune.html",
        facts=facts,
        rows=rows,
        best=best,
        plot=image_uri(canvas, "svg"),
        command=command,
    )
    return "\n".join([_table(rows[:10]), "", f"best on validation: {best}", f"all trials: {page}"])


def _row(trial: FrozenTrial, search: Search) -> dict[str, Any]:
    """One trial's line: its best epoch's figure, also where it was stopped early or diverged."""
    seconds = trial.duration.total_seconds() if trial.duration else 0.0
    state = "diverged" if "diverged" in trial.user_attrs else NAMES[trial.state]
    value = max(trial.intermediate_values.values(), default=trial.value or 0.0)
    settings = {dimension.name: trial.params.get(dimension.name, "") for dimension in search.space}
    return {
        "trial": trial.number,
        "F1": round(value, 4),
        **settings,
        "state": state,
        "epochs run": len(trial.intermediate_values),
        "seconds": round(seconds),
    }


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [[str(name) for name in rows[0]], *([_short(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def draw(trials: list[FrozenTrial], space: tuple[Dimension, ...]) -> Canvas:
    """The best F1 as trials went on, and each setting's value against F1."""
    columns = min(3, 1 + len(space))
    lines = -(-(1 + len(space)) // columns)
    canvas = Canvas(figsize=(3.6 * columns, 2.9 * lines), layout="constrained")
    axes: list[Axes] = list(canvas.subplots(lines, columns, squeeze=False).flat)
    values = [max(t.intermediate_values.values(), default=t.value or 0.0) for t in trials]
    numbers = [trial.number for trial in trials]
    axes[0].plot(numbers, np.maximum.accumulate(values), color="#B84A00", label="best so far")
    axes[0].scatter(numbers, values, s=18, color="#0072B2", label="a trial")
    axes[0].set(xlabel="trial", ylabel="validation F1")
    axes[0].legend(frameon=False)
    for axis, dimension in zip(axes[1:], space, strict=False):
        _against(axis, dimension, trials, values)
    for axis in axes[1 + len(space) :]:
        axis.set_axis_off()
    return canvas


def _against(axis: Axes, dimension: Dimension, trials: list[FrozenTrial], values: list[float]) -> None:
    picked = [(t.params[dimension.name], v) for t, v in zip(trials, values, strict=True) if t.params]
    places = {choice: i for i, choice in enumerate(dimension.choices)}
    axis.scatter(
        [places.get(p, p) for p, _ in picked], [v for _, v in picked], s=18, color="#0072B2", alpha=0.7
    )
    if places:
        axis.set_xticks(list(places.values()), [_short(choice) for choice in places])
    elif dimension.log:
        axis.set_xscale("log")
    axis.set(xlabel=dimension.name)

"""Rows of several datasets on one trunk: a batch is about one dataset, and the encoders learn from all.

Small datasets of one kind of text teach each other what the text encoder must know (Caruana, "Multitask
Learning", 1997); each keeps projections, fusions and heads of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from mmdemo.models.batch import Batch
from mmdemo.models.model import ModelOutput
from train.fit.loop import Task
from train.fit.recipe import Recipe
from train.fit.rows.loss import row_loss
from train.fit.rows.model import RowModel
from train.fit.rows.stage import RowData, row_headline, train_to_best
from train.fit.streams import ORDER, stream
from train.score.metrics import Scores


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A batch, and which dataset's row it is for."""

    row: str
    batch: Batch

    def to(self, device: torch.device) -> "Asked":
        """The same on a device."""
        return Asked(row=self.row, batch=self.batch.to(device))


class JointRows(RowModel):
    """A batch of a dataset -> the scores of that dataset's cells, by fusion.

    ``rows`` share their encoders (`train.fit.rows.stage.fresh_row` with ``encoders_of``). As a row it holds
    all of their cells, ``dataset/fusion``.
    """

    def __init__(self, rows: Mapping[str, RowModel]) -> None:
        cells = {f"{name}/{fusion}": c for name, row in rows.items() for fusion, c in row.by_fusion().items()}
        super().__init__(cells)
        self.rows = dict(rows)  # no modules of this one: their cells are

    def forward(self, asked: Asked) -> dict[str, ModelOutput]:  # type: ignore[override]
        return self.rows[asked.row](asked.batch)


def joint_loss(rows: JointRows, found: Mapping[str, ModelOutput], asked: Asked, recipe: Recipe) -> Tensor:
    """The loss of the row that a batch is for."""
    return row_loss(rows.rows[asked.row], found, asked.batch, recipe)


def train_jointly(
    data: Mapping[str, RowData], rows: JointRows, recipe: Recipe, folder: Path, accelerator: Accelerator
) -> None:
    """Train all rows at once; the best epoch's weights, by the mean over the rows, stay in ``folder``.

    ``recipe`` is what the encoders are trained by; what is hidden of posts is each row's own.
    """
    task = Task(
        name="+".join(data),
        batches=lambda epoch: mixed_batches(data, recipe.seed, epoch),  # type: ignore[arg-type, return-value]
        steps=sum(row.steps for row in data.values()),
        validate=lambda model: validate_jointly(data, model),
        loss=joint_loss,  # type: ignore[arg-type]
        headline=row_headline,
    )
    train_to_best(rows, task, recipe, folder, accelerator)


def validate_jointly(data: Mapping[str, RowData], rows: JointRows) -> Scores:
    """Each row's scores on its validation posts, and the mean of their means."""
    found = {name: row.validate(rows.rows[name]) for name, row in data.items()}
    return {"mean": fmean(row_headline(scores) for scores in found.values()), "rows": found}


def mixed_batches(data: Mapping[str, RowData], seed: int, epoch: int) -> Iterator[Asked]:
    """An epoch's batches of all datasets, in one order that the seed draws."""
    left = {name: row.batches(epoch) for name, row in data.items()}
    turns = np.repeat(list(data), [row.steps for row in data.values()])
    for name in stream(seed, ORDER, "datasets", epoch).permutation(turns):
        if (batch := next(left[name], None)) is not None:
            yield Asked(row=str(name), batch=batch)

"""The loss of a row's cells: each answers by itself, and the one that reads less learns from the others."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax, softmax

from mmdemo.models.batch import IGNORED, Batch
from mmdemo.models.model import ModelOutput, MultimodalModel
from train.fit.recipe import Recipe
from train.fit.rows.model import RowModel, beside_text, rows_of


def row_loss(row: RowModel, found: Mapping[str, ModelOutput], batch: Batch, recipe: Recipe) -> Tensor:
    """The mean of the cells' losses, with a teacher's, and what `Recipe.align` and `Recipe.r_drop` add to it.

    With R-Drop the batch holds each post twice, one half behind the other (`twice`).
    """
    cells = row.by_fusion()
    losses = [
        cells[name].head_for(batch).loss(output.logits, batch, recipe.label_smoothing)
        for name, output in found.items()
    ]
    loss = torch.stack(losses).mean()
    if batch.taught is not None:
        loss = (1 - recipe.distill) * loss + recipe.distill * teaching(cells, found, batch)
    if recipe.align:
        loss = loss + recipe.align * alignment(cells, found, batch)
    if recipe.r_drop:
        loss = loss + recipe.r_drop * disagreement(found, batch)
    return loss


def teaching(cells: Mapping[str, MultimodalModel], found: Mapping[str, ModelOutput], batch: Batch) -> Tensor:
    """KL(teacher || cell), the mean over what the teacher answered and the cells that read the text."""
    assert batch.taught is not None
    answered = counted_answers(batch) & ~batch.taught.isnan().any(-1)
    readers = [found[name].logits for name, cell in cells.items() if cell.fusion.reads != "photo"]
    if not readers or not answered.any():
        return next(iter(found.values())).logits.new_zeros(())
    return torch.stack([_divergence(batch.taught, logits, answered) for logits in readers]).mean()


def alignment(cells: Mapping[str, MultimodalModel], found: Mapping[str, ModelOutput], batch: Batch) -> Tensor:
    """Cross-view alignment (ITA, Wang et al. 2022): KL(fused || text), the mean over words or pairs.

    Only the text's side learns: the fused one is better informed. The fused side is the mean of the
    fusions' distributions, which gives the gradient of the mean of their divergences. Posts with nothing
    beside their text have nothing to align. 0 where a row has not both sides.
    """
    fused = [found[name].logits for name, cell in cells.items() if cell.fusion.reads == "both"]
    texts = [found[name].logits for name, cell in cells.items() if cell.fusion.reads == "text"]
    counted = counted_answers(batch)
    informed_B = beside_text(batch).view(-1, *[1] * (counted.ndim - 1))
    counted = counted & informed_B
    if not fused or not texts or not counted.any():
        return next(iter(found.values())).logits.new_zeros(())
    target = torch.stack([softmax(logits.detach().float(), -1) for logits in fused]).mean(0)
    return torch.stack([_divergence(target, text, counted) for text in texts]).mean()


def disagreement(found: Mapping[str, ModelOutput], batch: Batch) -> Tensor:
    """R-Drop (Liang et al. 2021): half of KL(a || b) + KL(b || a) of the two halves of a batch of `twice`."""
    half = len(batch.ids_BL) // 2
    counted = counted_answers(batch)[:half]
    values = []
    for output in found.values():
        one, two = output.logits[:half], output.logits[half:]
        there = _divergence(softmax(one.float(), -1), two, counted)
        values.append((there + _divergence(softmax(two.float(), -1), one, counted)) / 2)
    return torch.stack(values).mean()


def _divergence(target: Tensor, logits: Tensor, counted: Tensor) -> Tensor:
    """KL(target || softmax(logits)), the mean over the answers that count."""
    return kl_div(log_softmax(logits.float(), -1)[counted], target[counted], reduction="batchmean")


def counted_answers(batch: Batch) -> Tensor:
    """Which answers have a target: (B, W) words, or all (B,) pairs."""
    assert batch.targets is not None
    return batch.targets != IGNORED


def twice(batch: Batch) -> Batch:
    """Each post two times, the second half behind the first: dropout makes them differ."""
    index = torch.arange(len(batch.ids_BL))
    return rows_of(batch, torch.cat([index, index]))

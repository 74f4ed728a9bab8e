"""What training posts put into a text encoder's matrices: by it their weights are rounded to be stored."""

from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from train.fit.rows.model import RowModel

#: Batches that are read for it: 768 posts of 16, some 50,000 sub-tokens, many times a matrix's width.
BATCHES = 48


def input_moments(row: RowModel, batches: Iterable[Any]) -> dict[str, Tensor]:
    """X'X of the inputs X (sub-tokens, K) of each linear layer of a row's text encoder, (K, K), by weight.

    Names are those of parameters in a model. Of ``batches`` the first `BATCHES` are read, without dropout.
    """
    found: dict[str, Tensor] = {}
    device = next(row.parameters()).device
    linear = [(name, part) for name, part in row.text_encoder.named_modules() if isinstance(part, nn.Linear)]
    hooks = [
        part.register_forward_pre_hook(partial(_add, found, f"text_encoder.{name}.weight"))
        for name, part in linear
    ]
    row.eval()
    try:
        with torch.inference_mode():
            for batch in islice(batches, BATCHES):
                row(batch.to(device))
    finally:
        for hook in hooks:
            hook.remove()
    return {name: value.cpu().clone() for name, value in found.items()}


def _add(found: dict[str, Tensor], name: str, _: nn.Module, given: tuple[Tensor, ...]) -> None:
    inputs_NK = given[0].flatten(0, -2).float()
    if name not in found:
        found[name] = inputs_NK.new_zeros(inputs_NK.shape[1], inputs_NK.shape[1])
    found[name].addmm_(inputs_NK.T, inputs_NK)

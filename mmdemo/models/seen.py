"""One pass of a model over a batch, kept whole: what answers, comparisons and explanations all start from."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mmdemo.models.batch import Batch
from mmdemo.models.model import ModelOutput, MultimodalModel


@dataclass(frozen=True, kw_only=True)
class States:
    """What a trunk made of a batch: the text's states, and the photos' regions (None: no photo)."""

    batch: Batch
    states_BLD: Tensor
    regions_BRD: Tensor | None


@dataclass(frozen=True, kw_only=True)
class Seen(States):
    """The states with what a cell's fusion and head made of them."""

    output: ModelOutput


def encoded(model: MultimodalModel, batch: Batch) -> States:
    """The encoders' pass, without gradients. Explanations may take gradients from its states on."""
    with torch.no_grad():  # not inference_mode, whose tensors no gradient may pass through
        states_BLD, regions_BRD = model.encode(batch)
    return States(batch=batch, states_BLD=states_BLD, regions_BRD=regions_BRD)


def fused(model: MultimodalModel, states: States) -> Seen:
    """The fusion's and the head's pass over states of the model's own trunk, without gradients."""
    with torch.inference_mode():
        output = model.fuse(states.states_BLD, states.regions_BRD, states.batch)
    return Seen(
        batch=states.batch, states_BLD=states.states_BLD, regions_BRD=states.regions_BRD, output=output
    )

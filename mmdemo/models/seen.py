"""One pass of a model over a batch, kept whole: what answers, comparisons and explanations all start from."""

from dataclasses import dataclass

import torch

from mmdemo.models.batch import Batch
from mmdemo.models.features import EncoderStates
from mmdemo.models.model import ModelOutput, MultimodalModel


@dataclass(frozen=True, kw_only=True)
class States:
    """What a trunk made of a batch: the states of the texts, the photos' regions, and of their words."""

    batch: Batch
    states: EncoderStates


@dataclass(frozen=True, kw_only=True)
class Seen(States):
    """The states with what a cell's fusion and head made of them."""

    output: ModelOutput


def encoded(model: MultimodalModel, batch: Batch, *, to_explain: bool = False) -> States:
    """The encoders' pass, without gradients. Explanations take gradients from its states on (``to_explain``).

    Else it runs in inference mode, which takes torch a third fewer steps between Python and the arithmetic;
    no gradient may pass through its tensors.
    """
    with torch.no_grad() if to_explain else torch.inference_mode():
        return States(batch=batch, states=model.encode(batch))


def fused(model: MultimodalModel, states: States) -> Seen:
    """The fusion's and the head's pass over states of the model's own trunk, without gradients."""
    with torch.inference_mode():
        output = model.fuse(states.states, states.batch)
    return Seen(batch=states.batch, states=states.states, output=output)

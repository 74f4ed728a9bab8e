"""Parts of a post behind gates: 1 lets a part through as it is, 0 replaces it by its blank reference.

A gate function takes gates (N, K), one row an imagined post, and gives the target's log-odds (N,) for each.
Attribution, occlusion and deletion checks are all questions to such a function (`attribution`), so that they
mean the same for a region of the photo and for a word, in every fusion and model.
"""

import copy
from collections.abc import Callable
from dataclasses import fields, replace

import torch
from torch import Tensor

from mmdemo.explain.explained_post import Subject
from mmdemo.models.batch import Batch
from mmdemo.models.features import TextEncoder
from mmdemo.models.model import MultimodalModel

Gates = Callable[[Tensor], Tensor]

#: Imagined posts that go through the model together.
CHUNK = 16


def region_gates(subject: Subject) -> tuple[Gates, int]:
    """Gates on the photo's regions, and how many there are; the subject must have a photo.

    The reference of a region is what the image encoder gives at its place for a blank grey photo. Zeros would
    not do: a LayerNorm follows, along whose input the gradient is 0, so gradient x activation says nothing.
    """
    model, batch = subject.model, subject.batch
    pixels = batch.pixels_BCHW
    assert pixels is not None
    with torch.no_grad():
        own_RD, blank_RD = model.image_encoder(torch.cat([pixels, torch.zeros_like(pixels)]))
        states = None if subject.joint else model.encode(batch)[0]
    still = replace(batch, pixels_BCHW=None, states_BLD=states)

    def score(gates_NR: Tensor) -> Tensor:
        regions_NRD = blank_RD + gates_NR[..., None] * (own_RD - blank_RD)
        return _score(subject, model, replace(repeated(still, len(gates_NR)), regions_BRD=regions_NRD))

    return in_chunks(score, own_RD.device), len(own_RD)


def word_gates(subject: Subject) -> tuple[Gates, int]:
    """Gates on the words that the model reads (`Subject.words`), and how many there are.

    The reference of a word is [MASK] without letter case, at each of its sub-tokens; marks stay.
    """
    model, batch, words = subject.model, subject.batch, subject.words
    encoder = model.text_encoder
    assert isinstance(encoder, TextEncoder)
    gate_of_L = torch.full_like(batch.ids_BL[0], len(words))  # the last gate is always open
    for number, row in enumerate(words):
        gate_of_L[row.start : row.end] = number
    masked_1L = (gate_of_L < len(words))[None]
    with torch.no_grad():
        regions = None if batch.pixels_BCHW is None else model.image_encoder(batch.pixels_BCHW)
        blank_1LD = encoder.embed(
            batch.ids_BL.masked_fill(masked_1L, subject.encoder.reader.mask),
            batch.features_BL.masked_fill(masked_1L, 0),
        )
    still = replace(batch, pixels_BCHW=None, regions_BRD=regions)

    def score(gates_NW: Tensor) -> Tensor:
        gates_NL = torch.cat([gates_NW, gates_NW.new_ones(len(gates_NW), 1)], dim=1)[:, gate_of_L]

        def embed(ids_NL: Tensor, features_NL: Tensor) -> Tensor:
            own_NLD = encoder.embed(ids_NL, features_NL)
            return blank_1LD + gates_NL[..., None] * (own_NLD - blank_1LD)

        return _score(subject, with_embedding(model, embed), repeated(still, len(gates_NW)))

    return in_chunks(score, blank_1LD.device), len(words)


def _score(subject: Subject, model: MultimodalModel, batch: Batch) -> Tensor:
    return subject.target.log_odds(model(batch).logits / subject.temperature)


def in_chunks(score: Gates, device: torch.device) -> Gates:
    """The same function for gates on the CPU, `CHUNK` rows at a time: memory and caches stay small."""
    return lambda gates_NK: torch.cat([score(part.to(device)).cpu() for part in gates_NK.split(CHUNK)])


def repeated(batch: Batch, times: int) -> Batch:
    """A batch of one post, ``times`` times, without copying."""
    one = {f.name: getattr(batch, f.name) for f in fields(batch)}
    return replace(
        batch, **{k: v.expand(times, *[-1] * (v.ndim - 1)) for k, v in one.items() if v is not None}
    )


def with_embedding(model: MultimodalModel, embed: Callable[[Tensor, Tensor], Tensor]) -> MultimodalModel:
    """A model with the same weights whose text encoder embeds by ``embed``.

    The original stays as it is: other threads may be predicting with it.
    """
    encoder, changed = copy.copy(model.text_encoder), copy.copy(model)
    object.__setattr__(encoder, "embed", embed)
    changed._modules = {**model._modules, "text_encoder": encoder}
    return changed

"""Parts of a post behind gates: 1 lets a part through as it is, 0 replaces it by its blank reference.

A gate function takes gates (N, K), one row an imagined post, and gives the target's log-odds (N,) for each.
Attribution, occlusion and deletion checks are all questions to such a function
(`mmdemo.explain.attribution`), so that they mean the same for a region of the photo, for a word that it says
and for a word of the text, in every fusion and model.
"""

import copy
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from mmdemo.explain.explained_post import ExplainedPost
from mmdemo.models.batch import Batch
from mmdemo.models.features import PhotoTokens, TextEncoder
from mmdemo.models.model import MultimodalModel

Gates = Callable[[Tensor], Tensor]

#: Imagined posts that go through the model together.
CHUNK = 16


def region_gates(subject: ExplainedPost) -> tuple[Gates, int]:
    """Gates on the photo's regions, and how many there are; the subject must have a photo.

    The reference of a region is what the image encoder gives at its place for a blank grey photo. Zeros would
    not do: a LayerNorm follows, along whose input the gradient is 0, so gradient x activation says nothing.
    """
    model, batch = subject.model, subject.batch
    assert batch.regions_BRD is not None
    own_RD, blank_RD = batch.regions_BRD[0], subject.regions_of([None])[0]
    still = subject.keeping_states(photo=True)

    def score(gates_NR: Tensor) -> Tensor:
        regions_NRD = blank_RD + gates_NR[..., None] * (own_RD - blank_RD)
        return _score(subject, model, replace(repeated(still, len(gates_NR)), regions_BRD=regions_NRD))

    return in_chunks(score, own_RD.device), len(own_RD)


def word_gates(subject: ExplainedPost) -> tuple[Gates, int]:
    """Gates on the words that the model reads (`ExplainedPost.words`), and how many there are.

    The reference of a word is [MASK] without letter case, at each of its sub-tokens; marks stay.
    """
    model, batch, words = subject.model, subject.keeping_states(text=True), subject.words
    encoder = model.text_encoder
    assert isinstance(encoder, TextEncoder)
    gate_of_L = torch.full_like(batch.ids_BL[0], len(words))  # the last gate is always open
    for number, row in enumerate(words):
        gate_of_L[row.start : row.end] = number
    masked_1L = (gate_of_L < len(words))[None]
    with torch.no_grad():
        blank_1LD = encoder.embed(
            batch.ids_BL.masked_fill(masked_1L, subject.encoder.reader.mask),
            batch.features_BL.masked_fill(masked_1L, 0),
        )

    def score(gates_NW: Tensor) -> Tensor:
        gates_NL = torch.cat([gates_NW, gates_NW.new_ones(len(gates_NW), 1)], dim=1)[:, gate_of_L]

        def embed(ids_NL: Tensor, features_NL: Tensor) -> Tensor:
            own_NLD = encoder.embed(ids_NL, features_NL)
            return blank_1LD + gates_NL[..., None] * (own_NLD - blank_1LD)

        changed = with_embedding(model, encoder.embed_words, "embed_words")  # the photo's words stay
        return _score(subject, with_embedding(changed, embed), repeated(batch, len(gates_NW)))

    return in_chunks(score, blank_1LD.device), len(words)


def photo_word_gates(subject: ExplainedPost) -> tuple[Gates, int]:
    """Gates on the words that the photo says, and how many there are; there must be some.

    The reference is that of a word of the text, [MASK]: something stands there, and nobody knows what.
    """
    model, text = subject.model, subject.example.words
    batch = subject.keeping_states(words=True)
    encoder, words = model.text_encoder, batch.words
    assert isinstance(encoder, TextEncoder) and words is not None and text is not None
    count = len(text.words)
    owners = [owner if owner >= 0 else count for owner in text.owners]  # the last gate is always open
    gate_of_K = torch.tensor(owners, device=words.ids_BK.device)
    masked_1K = (gate_of_K < count)[None]
    with torch.no_grad():
        blank_1KD = encoder.embed_words(
            replace(
                words,
                ids_BK=words.ids_BK.masked_fill(masked_1K, subject.encoder.reader.mask),
                features_BK=words.features_BK.masked_fill(masked_1K, 0),
            )
        )

    def score(gates_NW: Tensor) -> Tensor:
        gates_NK = torch.cat([gates_NW, gates_NW.new_ones(len(gates_NW), 1)], dim=1)[:, gate_of_K]

        def embed_words(own: PhotoTokens) -> Tensor:
            own_NKD = encoder.embed_words(own)
            return blank_1KD + gates_NK[..., None] * (own_NKD - blank_1KD)

        changed = with_embedding(model, embed_words, "embed_words")
        return _score(subject, changed, repeated(batch, len(gates_NW)))

    return in_chunks(score, blank_1KD.device), count


def _score(subject: ExplainedPost, model: MultimodalModel, batch: Batch) -> Tensor:
    return subject.target.log_odds(model(batch).logits / subject.temperature)


def in_chunks(score: Gates, device: torch.device) -> Gates:
    """The same function for gates on the CPU, `CHUNK` rows at a time: memory and caches stay small.

    An imagined post that was asked about before, without gradients, is not run again: views of one subject
    share their open and closed gates, and their checks the random ones.
    """
    known: dict[bytes, Tensor] = {}

    def run(gates_NK: Tensor) -> Tensor:
        return torch.cat([score(part.to(device)).cpu() for part in gates_NK.split(CHUNK)])

    def asked(gates_NK: Tensor) -> Tensor:
        if gates_NK.requires_grad:
            return run(gates_NK)
        keys = [row.numpy().tobytes() for row in gates_NK]
        new = {key: row for key, row in zip(keys, gates_NK, strict=True) if key not in known}
        if new:
            known.update(zip(new, run(torch.stack(list(new.values()))), strict=True))
        return torch.stack([known[key] for key in keys])

    return asked


def repeated(batch: Batch, times: int) -> Batch:
    """A batch of one post, ``times`` times, without copying."""
    one = {f.name: getattr(batch, f.name) for f in fields(batch)}
    return replace(
        batch, **{k: v.expand(times, *[-1] * (v.ndim - 1)) for k, v in one.items() if v is not None}
    )


def with_embedding(
    model: MultimodalModel, embed: Callable[..., Any], method: str = "embed"
) -> MultimodalModel:
    """A model with the same weights whose text encoder embeds by ``embed``, in place of its ``method``.

    The original stays as it is: other threads may be predicting with it.
    """
    encoder, changed = copy.copy(model.text_encoder), copy.copy(model)
    object.__setattr__(encoder, method, embed)
    changed._modules = {**model._modules, "text_encoder": encoder}
    return changed

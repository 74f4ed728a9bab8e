"""All fusions of a row on one trunk: the encoders run once for a batch, whatever stands on them.

A *row* is a (dataset, model). Each of its cells has projections, a fusion and heads of its own, as its
checkpoint has them; the encoders are the same objects in all.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import cast

import torch
from torch import Tensor, nn

from mmdemo.models.batch import Batch
from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.models.features import EncoderStates, Reads, TextEncoder
from mmdemo.models.model import ModelOutput, MultimodalModel


class RowModel(nn.Module):
    """A batch -> each cell's scores, by fusion.

    ``cells`` share their encoders (`build_model` with ``encoders_of``). A fusion that reads the text alone
    needs states of its own where a stack reads more than the text: those of posts that have more; the
    others' are at hand. One that reads the photo alone is a reading of the trunk and does not shape it: its
    states carry no gradient.
    """

    def __init__(self, cells: Mapping[str, MultimodalModel]) -> None:
        super().__init__()
        first = next(iter(cells.values()))
        assert all(cell.text_encoder is first.text_encoder for cell in cells.values())
        self.text_encoder, self.image_encoder = first.text_encoder, first.image_encoder
        self.cells = nn.ModuleDict(dict(cells))

    def by_fusion(self) -> dict[str, MultimodalModel]:
        """The cells by the names of their fusions."""
        return {name: cast(MultimodalModel, cell) for name, cell in self.cells.items()}

    @property
    def mixed(self) -> bool:
        """Whether the text's states have seen what stands beside the text."""
        encoder = self.text_encoder
        return isinstance(encoder, TextEncoder) and (
            isinstance(encoder, JointEncoder) or encoder.words_in_text
        )

    def forward(self, batch: Batch) -> dict[str, ModelOutput]:
        shared: dict[Reads, EncoderStates] = {}
        found: dict[str, ModelOutput] = {}
        cells = self.by_fusion()
        for name, cell in sorted(cells.items(), key=lambda item: item[1].fusion.reads != "both"):
            reads = cell.fusion.reads
            if reads not in shared:
                shared[reads] = self._states(cell, batch, shared.get("both"))
            found[name] = cell.fuse(shared[reads], batch)
        return {name: found[name] for name in cells}

    def _states(self, cell: MultimodalModel, batch: Batch, both: EncoderStates | None) -> EncoderStates:
        """What a cell's fusion reads; ``both`` is what those that read both sides do, if any is here."""
        reads = cell.fusion.reads
        if reads == "photo":
            with torch.no_grad():
                if self.mixed:
                    return _photo_states(cell, batch)
                return cell.encode(batch) if both is None else _detached(both)
        if both is None:
            return cell.encode(batch)
        return _text_states(cell, batch, both, self.text_encoder) if self.mixed else both


def _text_states(
    cell: MultimodalModel, batch: Batch, both: EncoderStates, encoder: nn.Module
) -> EncoderStates:
    """The text's own states: of posts with nothing that the stack reads beside it, those that are there."""
    informed_B = beside_text(batch) if isinstance(encoder, JointEncoder) else with_words(batch)
    if not informed_B.any():
        return EncoderStates(tokens_BLD=both.tokens_BLD)
    own = cell.encode(rows_of(batch, informed_B)).tokens_BLD
    mask_BLD = informed_B[:, None, None].expand_as(both.tokens_BLD)
    return EncoderStates(tokens_BLD=both.tokens_BLD.masked_scatter(mask_BLD, own.to(both.tokens_BLD.dtype)))


def _photo_states(cell: MultimodalModel, batch: Batch) -> EncoderStates:
    """The photo's own states. Of the text only its start is read, which every post has."""
    start = replace(
        batch, ids_BL=batch.ids_BL[:, :1], features_BL=batch.features_BL[:, :1], mask_BL=batch.mask_BL[:, :1]
    )
    states = cell.encode(start)
    return replace(states, tokens_BLD=states.tokens_BLD.expand(-1, batch.ids_BL.shape[1], -1))


def _detached(states: EncoderStates) -> EncoderStates:
    """The same states without their gradient."""
    regions, words = states.regions_BRD, states.words_BKD
    return EncoderStates(
        tokens_BLD=states.tokens_BLD.detach(),
        regions_BRD=None if regions is None else regions.detach(),
        words_BKD=None if words is None else words.detach(),
    )


def with_words(batch: Batch) -> Tensor:
    """Which posts (B,) have a photo that says something in words."""
    return torch.zeros_like(batch.present_B) if batch.words is None else batch.words.said_BK.any(1)


def beside_text(batch: Batch) -> Tensor:
    """Which posts (B,) have anything beside their text: a photo, its words, or both."""
    return batch.present_B | with_words(batch)


def rows_of(batch: Batch, chosen_B: Tensor) -> Batch:
    """Some posts of a batch, by a mask or by their indices."""
    values = {item.name: getattr(batch, item.name) for item in fields(batch)}
    return replace(batch, **{name: value[chosen_B] for name, value in values.items() if value is not None})

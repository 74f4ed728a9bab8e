"""The whole model: encoders -> one width -> fusion -> head."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mmdemo.datasets.schema import Task
from mmdemo.models.batch import Batch
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.image import ImageEncoder
from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.models.features import (
    PATCH,
    WORD,
    Encoder,
    EncoderStates,
    Fusion,
    FusionOutput,
    ImageFeatures,
    TextEncoder,
    TextFeatures,
)
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.models.heads import EntityHead, Head, RelationHead
from mmdemo.types import PHOTO_SOURCES, InputError


@dataclass(frozen=True, kw_only=True)
class ModelOutput:
    """Scores, (B, W, T) tags or (B, C) relations, and the fusion's trace.

    ``region_mask_BR`` says which regions of the trace a post has; None where no post has any.
    """

    logits: Tensor
    trace: dict[str, Tensor]
    region_mask_BR: Tensor | None = None


class WordProjection(nn.Module):
    """States of a photo's words -> the fusion's width, with a learnt embedding of where they come from."""

    def __init__(self, text_width: int, width: int) -> None:
        super().__init__()
        self.source = nn.Embedding(len(PHOTO_SOURCES), text_width)
        nn.init.zeros_(self.source.weight)
        self.norm = nn.LayerNorm(text_width)
        self.linear = nn.Linear(text_width, width)

    def forward(self, states_BKD: Tensor, sources_BK: Tensor) -> Tensor:
        return self.linear(self.norm(states_BKD + self.source(sources_BK.clamp(min=0))))


#: What surrounds the building of a part of a model, by the part's name: training draws its weights there.
Building = Callable[[str], AbstractContextManager[None]]


def plainly(part: str) -> AbstractContextManager[None]:
    """Nothing surrounds it."""
    return nullcontext()


class MultimodalModel(nn.Module):
    """A post and its photo -> scores. Parts are passed in built; `build_model` picks them by config.

    ``heads`` has one a task of the dataset; a batch with marked pairs is for the relation head. With
    ``photo_words`` the photo's words stand beside its patches; else they are left unread.

    The encoders' states depend on the trunk alone, so all fusions on one trunk can share `encode`.
    """

    def __init__(
        self,
        *,
        text_encoder: Encoder,
        image_encoder: ImageEncoder,
        fusion: Fusion,
        heads: dict[Task, Head],
        width: int,
        photo_words: bool = False,
        building: Building = plainly,
    ) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.image_encoder = image_encoder
        region_width = image_encoder.width
        if isinstance(text_encoder, JointEncoder):
            region_width = text_encoder.region_width
        with building("text_projection"):
            self.text_projection = nn.Linear(text_encoder.width, width)
        with building("image_projection"):
            self.image_projection = nn.Sequential(nn.LayerNorm(region_width), nn.Linear(region_width, width))
        with building("word_projection"):
            self.word_projection = WordProjection(text_encoder.width, width) if photo_words else None
        self.fusion = fusion
        self.heads = nn.ModuleDict({str(task): head for task, head in heads.items()})

    def encode(self, batch: Batch) -> EncoderStates:
        """The encoders' states: (B, L, text width), and those of regions and words if any post has some.

        States that the batch carries are final; regions without states are the image encoder's, which a
        joint encoder still has to mix with the text. A fusion that reads one side alone gets states that
        have not seen the other.
        """
        batch = self._read_by_fusion(batch)
        regions, encoder = batch.regions_BRD, self.text_encoder
        words = None if self.word_projection is None else batch.words
        done = batch.states_BLD is not None and (words is None or batch.word_states_BKD is not None)
        if batch.states_BLD is not None and done and (regions is not None or batch.pixels_BCHW is None):
            return EncoderStates(
                tokens_BLD=batch.states_BLD,
                regions_BRD=regions,
                words_BKD=None if words is None else batch.word_states_BKD,
            )
        if regions is None and batch.pixels_BCHW is not None:
            regions = self.image_encoder(batch.pixels_BCHW)
        text = (batch.ids_BL, batch.features_BL, batch.mask_BL)
        if isinstance(encoder, JointEncoder):
            return encoder(*text, regions, batch.present_B, words)
        if words is not None and isinstance(encoder, TextEncoder):
            if encoder.words_in_text:
                return replace(encoder.together(*text, words), regions_BRD=regions)
            said_BKD = encoder.alone(words) if batch.word_states_BKD is None else batch.word_states_BKD
        else:
            said_BKD = None
        states = encoder(*text) if batch.states_BLD is None else batch.states_BLD
        return EncoderStates(tokens_BLD=states, regions_BRD=regions, words_BKD=said_BKD)

    def _read_by_fusion(self, batch: Batch) -> Batch:
        """The batch without the side that the fusion does not read, where the text encoder reads both.

        Elsewhere the fusion leaves the other side alone, and its states serve the trunk's other fusions.
        """
        encoder = self.text_encoder
        mixed = isinstance(encoder, TextEncoder) and (
            isinstance(encoder, JointEncoder) or encoder.words_in_text
        )
        if mixed and self.fusion.reads == "text":
            return batch.without_images()
        if mixed and self.fusion.reads == "photo":
            mask_BL = torch.zeros_like(batch.mask_BL)
            mask_BL[:, 0] = True  # the start of the text, which every post has
            return replace(batch, mask_BL=mask_BL)
        return batch

    def image_features(self, states: EncoderStates, batch: Batch) -> ImageFeatures | None:
        """Regions and words as the fusion takes them; None where no post of the batch has any."""
        parts: list[Tensor] = []
        masks: list[Tensor] = []
        kinds: list[int] = []
        if states.regions_BRD is not None:
            parts.append(self.image_projection(states.regions_BRD))
            masks.append(batch.present_B[:, None].expand(-1, parts[-1].shape[1]))
            kinds += [PATCH] * parts[-1].shape[1]
        if states.words_BKD is not None and batch.words is not None and self.word_projection is not None:
            parts.append(self.word_projection(states.words_BKD, batch.words.sources_BK))
            masks.append(batch.words.said_BK)
            kinds += [WORD] * parts[-1].shape[1]
        if not parts:
            return None
        return ImageFeatures(
            regions_BRD=torch.cat(parts, dim=1),
            mask_BR=torch.cat(masks, dim=1),
            kind_R=torch.tensor(kinds, device=parts[0].device),
        )

    def fuse(self, states: EncoderStates, batch: Batch) -> ModelOutput:
        """Scores from the encoders' states."""
        head = self.head_for(batch)
        text = TextFeatures(tokens_BLD=self.text_projection(states.tokens_BLD), mask_BL=batch.mask_BL)
        image = self.image_features(states, batch)
        fused: FusionOutput = self.fusion.alone(text) if image is None else self.fusion(text, image)
        logits = head(fused.tokens_BLD, batch)
        if fused.image_vote_BLD is not None and fused.image_weight_B is not None:
            weight = fused.image_weight_B.view(-1, *[1] * (logits.ndim - 1))
            logits = (1 - weight) * logits + weight * head(fused.image_vote_BLD, batch)
        mask_BR = None if image is None else image.mask_BR
        return ModelOutput(logits=logits, trace=fused.trace, region_mask_BR=mask_BR)

    def head_for(self, batch: Batch) -> Head:
        """The head that scores this batch. Raises InputError where the model was not trained for its task."""
        task: Task = "entities" if batch.markers_B4 is None else "relations"
        if task not in self.heads:
            raise InputError(f"this checkpoint was not trained to find {task}")
        head = self.heads[task]
        assert isinstance(head, Head)
        return head

    def forward(self, batch: Batch) -> ModelOutput:
        return self.fuse(self.encode(batch), batch)


def build_fusion(config: ModelConfig) -> Fusion:
    """The configured fusion, at the preset's width."""
    return FUSIONS[config.fusion].build(config.sizes.width, config)


def build_head(config: ModelConfig, task: Task) -> Head:
    """The head of one of the dataset's tasks."""
    kind = EntityHead if task == "entities" else RelationHead
    classes = len(config.dataset.outputs(task))
    return kind(config.sizes.width, config.sizes.head_hidden, classes, config.dropout)


def build_model(
    config: ModelConfig, encoders_of: MultimodalModel | None = None, building: Building = plainly
) -> MultimodalModel:
    """A model of the configured shape with random weights, or with another model's very encoders.

    Each part is made inside ``building`` of its name.
    """
    if encoders_of is None:
        with building("image_encoder"):
            image_encoder = config.sides.image()
        with building("text_encoder"):
            text_encoder = config.sides.text(image_encoder.width)
        if config.photo_words:
            with building("text_encoder.words"):
                text_encoder.add_words(in_text=config.words_in_text)
    else:
        text_encoder, image_encoder = encoders_of.text_encoder, encoders_of.image_encoder
    with building("fusion"):
        fusion = build_fusion(config)
    heads: dict[Task, Head] = {}
    for task in config.dataset.tasks:
        with building(f"heads.{task}"):
            heads[task] = build_head(config, task)
    return MultimodalModel(
        text_encoder=text_encoder,
        image_encoder=image_encoder,
        fusion=fusion,
        heads=heads,
        width=config.sizes.width,
        photo_words=config.photo_words,
        building=building,
    )


class NoDraws(TorchFunctionMode):
    """Leaves weights unset that a constructor would draw at random, in this thread.

    For models that are filled from files at once: drawing MiniLM's vocabulary takes longer than reading it.
    With ``zeros`` they are zero: a constructor that draws until all lies within bounds ends then too.
    """

    #: Methods of tensors, and functions of `torch.nn.init` (whose own draws the mode would not see) by the
    #: same names; transformers puts functions of its own in their place.
    DRAWS = frozenset({"normal_", "uniform_", "kaiming_uniform_"})

    def __init__(self, *, zeros: bool = False) -> None:
        super().__init__()
        self.zeros = zeros

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in self.DRAWS:
            tensor: Tensor = args[0] if args else kwargs["tensor"]
            if self.zeros:
                tensor.detach().zero_()  # in place, also where a gradient is wanted
            return tensor
        return func(*args, **kwargs)

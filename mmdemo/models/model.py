"""The whole model: encoders -> one width -> fusion -> head."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mmdemo.datasets.schema import Task
from mmdemo.models.batch import Batch
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.image import ImageEncoder
from mmdemo.models.encoders.joint import JointEncoder
from mmdemo.models.features import Encoder, Fusion, ImageFeatures, TextFeatures
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.models.heads import EntityHead, Head, RelationHead
from mmdemo.types import InputError


@dataclass(frozen=True, kw_only=True)
class ModelOutput:
    """Scores, (B, W, T) tags or (B, C) relations, and the fusion's trace."""

    logits: Tensor
    trace: dict[str, Tensor]


#: What surrounds the building of a part of a model, by the part's name: training draws its weights there.
Building = Callable[[str], AbstractContextManager[None]]


def plainly(part: str) -> AbstractContextManager[None]:
    """Nothing surrounds it."""
    return nullcontext()


class MultimodalModel(nn.Module):
    """A post and its photo -> scores. Parts are passed in built; `build_model` picks them by config.

    ``heads`` has one a task of the dataset; a batch with marked pairs is for the relation head.

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
        self.fusion = fusion
        self.heads = nn.ModuleDict({str(task): head for task, head in heads.items()})

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The encoders' states (B, L, text width), and regions (B, R, region width) if any has a photo.

        States that the batch carries are final; regions without states are the image encoder's, which a
        joint encoder still has to mix with the text.
        """
        regions = batch.regions_BRD
        if batch.states_BLD is not None and (regions is not None or batch.pixels_BCHW is None):
            return batch.states_BLD, regions
        if regions is None and batch.pixels_BCHW is not None:
            regions = self.image_encoder(batch.pixels_BCHW)
        text = (batch.ids_BL, batch.features_BL, batch.mask_BL)
        if isinstance(self.text_encoder, JointEncoder):
            mixed = self.text_encoder(*text, regions, batch.present_B)
            return mixed.tokens_BLD, mixed.regions_BRD
        states = self.text_encoder(*text) if batch.states_BLD is None else batch.states_BLD
        return states, regions

    def fuse(self, states_BLD: Tensor, regions_BRD: Tensor | None, batch: Batch) -> ModelOutput:
        """Scores from the encoders' states."""
        head = self.head_for(batch)
        text = TextFeatures(tokens_BLD=self.text_projection(states_BLD), mask_BL=batch.mask_BL)
        if regions_BRD is None:
            return ModelOutput(logits=head(text.tokens_BLD, batch), trace={})
        image = ImageFeatures(regions_BRD=self.image_projection(regions_BRD), present_B=batch.present_B)
        fused = self.fusion(text, image)
        logits = head(fused.tokens_BLD, batch)
        if fused.image_vote_BLD is not None and fused.image_weight_B is not None:
            weight = fused.image_weight_B.view(-1, *[1] * (logits.ndim - 1))
            logits = (1 - weight) * logits + weight * head(fused.image_vote_BLD, batch)
        return ModelOutput(logits=logits, trace=fused.trace)

    def head_for(self, batch: Batch) -> Head:
        """The head that scores this batch. Raises InputError where the model was not trained for its task."""
        task: Task = "entities" if batch.markers_B4 is None else "relations"
        if task not in self.heads:
            raise InputError(f"this checkpoint was not trained to find {task}")
        head = self.heads[task]
        assert isinstance(head, Head)
        return head

    def forward(self, batch: Batch) -> ModelOutput:
        states_BLD, regions_BRD = self.encode(batch)
        return self.fuse(states_BLD, regions_BRD, batch)


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

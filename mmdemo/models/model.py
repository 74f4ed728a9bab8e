"""The whole model: encoders -> one width -> fusion -> head."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mmdemo.datasets.bio import output_labels
from mmdemo.models.batch import Batch
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.image import ImageEncoder, build_image_encoder
from mmdemo.models.encoders.joint import BlipText, JointEncoder, ViltStack
from mmdemo.models.encoders.text import MarkedBert
from mmdemo.models.features import Encoder, Fusion, ImageFeatures, TextFeatures
from mmdemo.models.fusion.attention import Attention
from mmdemo.models.fusion.bilinear import Bilinear
from mmdemo.models.fusion.bimodal import Bimodal
from mmdemo.models.fusion.concat import Concat
from mmdemo.models.fusion.cross_attention import CrossAttention
from mmdemo.models.fusion.film import FiLM
from mmdemo.models.fusion.hybrid import Hybrid
from mmdemo.models.fusion.late import Late
from mmdemo.models.fusion.native import Native
from mmdemo.models.heads import Head, NerHead, ReHead


@dataclass(frozen=True, kw_only=True)
class ModelOutput:
    """Scores, (B, W, T) tags or (B, C) relations, and the fusion's trace."""

    logits: Tensor
    trace: dict[str, Tensor]


class MultimodalModel(nn.Module):
    """A tweet and its photo -> scores. Parts are passed in built; `build_model` picks them by config.

    The encoders' states depend on the trunk alone, so all fusions on one trunk can share `encode`.
    """

    def __init__(
        self, *, text_encoder: Encoder, image_encoder: ImageEncoder, fusion: Fusion, head: Head, width: int
    ) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.image_encoder = image_encoder
        region_width = image_encoder.width
        if isinstance(text_encoder, JointEncoder):
            region_width = text_encoder.region_width
        self.text_projection = nn.Linear(text_encoder.width, width)
        self.image_projection = nn.Sequential(nn.LayerNorm(region_width), nn.Linear(region_width, width))
        self.fusion = fusion
        self.head = head

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
        text = TextFeatures(tokens_BLD=self.text_projection(states_BLD), mask_BL=batch.mask_BL)
        if regions_BRD is None:
            return ModelOutput(logits=self.head(text.tokens_BLD, batch), trace={})
        image = ImageFeatures(regions_BRD=self.image_projection(regions_BRD), present_B=batch.present_B)
        fused = self.fusion(text, image)
        logits = self.head(fused.tokens_BLD, batch)
        if fused.image_vote_BLD is not None and fused.image_weight_B is not None:
            weight = fused.image_weight_B.view(-1, *[1] * (logits.ndim - 1))
            logits = (1 - weight) * logits + weight * self.head(fused.image_vote_BLD, batch)
        return ModelOutput(logits=logits, trace=fused.trace)

    def forward(self, batch: Batch) -> ModelOutput:
        states_BLD, regions_BRD = self.encode(batch)
        return self.fuse(states_BLD, regions_BRD, batch)


#: Name -> how the fusion is built at (width, configuration); `mmdemo.models.config.FUSIONS` says what each shows.
FUSION_BUILDERS: dict[str, Callable[[int, ModelConfig], Fusion]] = {
    "film": lambda width, config: FiLM(width, config.film_variant, config.dropout),
    "attention": lambda width, config: Attention(width),
    "cross-attention": lambda width, config: CrossAttention(width, config.dropout),
    "bimodal": lambda width, config: Bimodal(width),
    "concat": lambda width, config: Concat(width),
    "native": lambda width, config: Native(),
    "hybrid": lambda width, config: Hybrid(width, config.dropout),
    "bilinear": lambda width, config: Bilinear(width),
    "late": lambda width, config: Late(width),
}


def build_fusion(config: ModelConfig) -> Fusion:
    """The configured fusion, at the preset's width."""
    return FUSION_BUILDERS[config.fusion](config.sizes.width, config)


def build_text_encoder(config: ModelConfig, region_width: int) -> Encoder:
    """The configured text side; a joint model's also takes the image encoder's regions."""
    if config.preset == "full":  # imported late, as below: a second that the shipped zoo does not need
        from mmdemo.models.encoders.full_joint import build_full_text_encoder

        return build_full_text_encoder(config.model, region_width)
    if config.model == "blip":
        return BlipText(config.preset, region_width)
    if config.model == "vilt":
        return ViltStack(config.preset, region_width)
    return MarkedBert(config.preset, cased=config.model == "roberta-resnet50")


def _build_image_encoder(config: ModelConfig) -> ImageEncoder:
    if config.preset == "full":
        from mmdemo.models.encoders.full import IMAGE_SIDES

        return IMAGE_SIDES[config.model]()
    return build_image_encoder(config.preset)


def build_model(config: ModelConfig, encoders_of: MultimodalModel | None = None) -> MultimodalModel:
    """A model of the configured shape with random weights, or with another model's very encoders."""
    head = NerHead if config.task == "ner" else ReHead
    if encoders_of is None:
        image_encoder = _build_image_encoder(config)
        text_encoder = build_text_encoder(config, image_encoder.width)
    else:
        text_encoder, image_encoder = encoders_of.text_encoder, encoders_of.image_encoder
    return MultimodalModel(
        text_encoder=text_encoder,
        image_encoder=image_encoder,
        fusion=build_fusion(config),
        head=head(
            config.sizes.width, config.sizes.head_hidden, len(output_labels(config.dataset)), config.dropout
        ),
        width=config.sizes.width,
    )


class NoDraws(TorchFunctionMode):
    """Leaves weights unset that a constructor would draw at random, in this thread.

    For models that are filled from files at once: drawing MiniLM's vocabulary takes longer than reading it.
    With ``zeros`` they are zero: a constructor that draws until all lies within bounds would never end else.
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

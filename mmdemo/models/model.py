"""The whole model: encoders -> one width -> fusion -> head."""

from dataclasses import dataclass

from torch import Tensor, nn

from mmdemo.config import ModelConfig
from mmdemo.data.batch import Batch
from mmdemo.labels import output_labels
from mmdemo.models.features import Encoder, Fusion, ImageFeatures, TextFeatures
from mmdemo.models.fusion.concat import Concat
from mmdemo.models.fusion.film import FiLM
from mmdemo.models.heads import Head, NerHead, ReHead
from mmdemo.models.image_encoders import build_image_encoder
from mmdemo.models.text_encoders import CasedBert


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
        self, *, text_encoder: Encoder, image_encoder: Encoder, fusion: Fusion, head: Head, width: int
    ) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.image_encoder = image_encoder
        self.text_projection = nn.Linear(text_encoder.width, width)
        self.image_projection = nn.Sequential(
            nn.LayerNorm(image_encoder.width), nn.Linear(image_encoder.width, width)
        )
        self.fusion = fusion
        self.head = head

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The encoders' raw states (B, L, text width), and regions (B, R, image width) if any has a photo."""
        states, regions = batch.states_BLD, batch.regions_BRD
        if states is None:
            states = self.text_encoder(batch.ids_BL, batch.features_BL, batch.mask_BL)
        if regions is None and batch.pixels_BCHW is not None:
            regions = self.image_encoder(batch.pixels_BCHW)
        return states, regions

    def fuse(self, states_BLD: Tensor, regions_BRD: Tensor | None, batch: Batch) -> ModelOutput:
        """Scores from the encoders' states."""
        text = TextFeatures(tokens_BLD=self.text_projection(states_BLD), mask_BL=batch.mask_BL)
        if regions_BRD is None:
            return ModelOutput(logits=self.head(text.tokens_BLD, batch), trace={})
        image = ImageFeatures(regions_BRD=self.image_projection(regions_BRD), present_B=batch.present_B)
        fused = self.fusion(text, image)
        return ModelOutput(logits=self.head(fused.tokens_BLD, batch), trace=fused.trace)

    def forward(self, batch: Batch) -> ModelOutput:
        states_BLD, regions_BRD = self.encode(batch)
        return self.fuse(states_BLD, regions_BRD, batch)


def build_fusion(config: ModelConfig) -> Fusion:
    """The configured fusion, at the preset's width."""
    width = config.sizes.width
    if config.fusion == "film":
        return FiLM(width, config.film_variant, config.dropout)
    return Concat(width)


def build_model(config: ModelConfig) -> MultimodalModel:
    """A model of the configured shape with random weights."""
    head = NerHead if config.task == "ner" else ReHead
    return MultimodalModel(
        text_encoder=CasedBert(config.preset),
        image_encoder=build_image_encoder(config.preset),
        fusion=build_fusion(config),
        head=head(
            config.sizes.width, config.sizes.head_hidden, len(output_labels(config.dataset)), config.dropout
        ),
        width=config.sizes.width,
    )

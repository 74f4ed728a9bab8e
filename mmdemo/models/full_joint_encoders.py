"""Joint models of the preset ``full``: BLIP's text encoder with cross-attention, and ViLT, as published.

Without a photo both give exactly what they give for the text alone: BLIP then skips its cross-attention,
ViLT's stack holds no region.
"""

from math import isqrt
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from transformers import BlipForImageTextRetrieval, BlipTextConfig, BlipTextModel, ViltConfig, ViltModel

from mmdemo.models.features import JointStates
from mmdemo.models.full_text_encoders import MarkEmbedding, read_pretrained
from mmdemo.models.joint_encoders import JointEncoder, text_mask

#: BLIP's text encoder (Li et al. 2022: BERT-base with cross-attention) and ViLT-B/32 (Kim et al. 2021).
#: ``eager`` attention, because only that gives its maps.
BLIP_TEXT_SIZES = BlipTextConfig(
    vocab_size=30524, encoder_hidden_size=768, num_attention_heads=12, attn_implementation="eager"
)
VILT_SIZES = ViltConfig(image_size=384, patch_size=32, attn_implementation="eager")


class FullBlip(JointEncoder):
    """BLIP's text encoder: every layer looks at the photo's patches between its attention and its FFN."""

    def __init__(self, model: str, region_width: int) -> None:
        super().__init__()
        self.base = model
        self.bert: Any = BlipTextModel(BLIP_TEXT_SIZES, add_pooling_layer=False)
        self.width, self.region_width = BLIP_TEXT_SIZES.hidden_size, region_width
        self.feature_embedding = MarkEmbedding(self.width)

    def forward(
        self,
        ids_BL: Tensor,
        features_BL: Tensor,
        mask_BL: Tensor,
        regions_BRD: Tensor | None,
        present_B: Tensor,
        with_attention: bool = False,
    ) -> JointStates:
        words_BLD = self.feature_embedding(self.bert.embeddings.word_embeddings(ids_BL), features_BL)
        mask = mask_BL.to(torch.long)
        if regions_BRD is None or not present_B.any():
            alone = self.bert(inputs_embeds=words_BLD, attention_mask=mask).last_hidden_state
            return JointStates(tokens_BLD=alone, regions_BRD=regions_BRD)
        seeing = self.bert(
            inputs_embeds=words_BLD[present_B],
            attention_mask=mask[present_B],
            encoder_hidden_states=regions_BRD[present_B],
            output_attentions=with_attention,
        )
        states_BLD = seeing.last_hidden_state.new_zeros(words_BLD.shape)
        states_BLD = states_BLD.masked_scatter(present_B[:, None, None], seeing.last_hidden_state)
        if not present_B.all():
            blind = self.bert(inputs_embeds=words_BLD[~present_B], attention_mask=mask[~present_B])
            states_BLD = states_BLD.masked_scatter(~present_B[:, None, None], blind.last_hidden_state)
        attention = None
        if with_attention:
            maps = torch.stack(seeing.cross_attentions, 1)
            attention = maps.new_zeros(len(ids_BL), *maps.shape[1:])
            attention[present_B] = maps
        return JointStates(tokens_BLD=states_BLD, regions_BRD=regions_BRD, attention_BNHLR=attention)


class FullVilt(JointEncoder):
    """ViLT: text tokens, an image class token and the photo's patches through one stack.

    The patches come from `ViltPatches`; their places are interpolated to the photo's grid.
    """

    def __init__(self, model: str, region_width: int) -> None:
        super().__init__()
        self.base = model
        self.bert: Any = ViltModel(VILT_SIZES, add_pooling_layer=False)
        del self.bert.embeddings.patch_embeddings  # the image side has it
        self.width = self.region_width = VILT_SIZES.hidden_size
        self.feature_embedding = MarkEmbedding(self.width)

    def forward(
        self,
        ids_BL: Tensor,
        features_BL: Tensor,
        mask_BL: Tensor,
        regions_BRD: Tensor | None,
        present_B: Tensor,
        with_attention: bool = False,
    ) -> JointStates:
        parts = self.bert.embeddings
        words_BLD = self.feature_embedding(parts.text_embeddings.word_embeddings(ids_BL), features_BL)
        states = parts.text_embeddings(inputs_embeds=words_BLD) + parts.token_type_embeddings.weight[0]
        length, mask_BS = ids_BL.shape[1], mask_BL
        if regions_BRD is not None:
            states = torch.cat([states, self._placed(regions_BRD)], dim=1)
            image_mask = present_B[:, None].expand(-1, regions_BRD.shape[1] + 1)
            mask_BS = torch.cat([mask_BL, image_mask], dim=1)
        found = self.bert.encoder(
            states, text_mask(mask_BS, states.dtype)[:, None, None], output_attentions=with_attention
        )
        states = self.bert.layernorm(found.last_hidden_state)
        if regions_BRD is None:
            return JointStates(tokens_BLD=states, regions_BRD=None)
        attention = None
        if with_attention:
            attention = torch.stack([m[:, :, :length, length + 1 :] for m in found.attentions], 1)
        return JointStates(
            tokens_BLD=states[:, :length], regions_BRD=states[:, length + 1 :], attention_BNHLR=attention
        )

    def _placed(self, regions_BRD: Tensor) -> Tensor:
        """The class token and the patches with their places and modality: (B, 1 + R, width)."""
        parts = self.bert.embeddings
        side, old = isqrt(regions_BRD.shape[1]), VILT_SIZES.image_size // VILT_SIZES.patch_size
        places_1DHW = parts.position_embeddings[:, 1:].transpose(1, 2).unflatten(2, (old, old))
        places_1DHW = interpolate(places_1DHW, size=(side, side), mode="bilinear", align_corners=True)
        places_1SD = torch.cat([parts.position_embeddings[:, :1], places_1DHW.flatten(2).transpose(1, 2)], 1)
        first_B1D = parts.cls_token.expand(len(regions_BRD), -1, -1)
        placed = torch.cat([first_B1D, regions_BRD], dim=1) + places_1SD
        return parts.dropout(placed) + parts.token_type_embeddings.weight[1]


JOINT_SIDES: dict[str, type[FullBlip | FullVilt]] = {"blip": FullBlip, "vilt": FullVilt}


def blip_weights(place: str | Path, revision: str | None) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A published BLIP's text encoder and vision tower, under the names of `FullBlip` and `BlipVision`."""
    found: Any = read_pretrained(BlipForImageTextRetrieval, place, revision)
    text = {f"bert.{name}": value for name, value in found.text_encoder.state_dict().items()}
    text = {name: value for name, value in text.items() if not name.startswith("bert.pooler.")}
    return text, {f"net.{name}": value for name, value in found.vision_model.state_dict().items()}


def vilt_weights(place: str | Path, revision: str | None) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A published ViLT, under the names of `FullVilt` and `ViltPatches`."""
    found = read_pretrained(ViltModel, place, revision, add_pooling_layer=False)
    patches = "embeddings.patch_embeddings.projection."
    states = found.state_dict()
    text = {f"bert.{name}": value for name, value in states.items() if not name.startswith(patches)}
    image = {name.replace(patches, "net."): v for name, v in states.items() if name.startswith(patches)}
    return text, image

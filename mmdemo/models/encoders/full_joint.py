"""Joint models at true size (preset ``full``): BLIP's text encoder with cross-attention, and ViLT.

Without a photo both give exactly what they give for the text alone: BLIP then skips its cross-attention,
ViLT's stack holds no region.
"""

from math import isqrt
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from transformers import BlipTextModel, ViltModel

from mmdemo.models.encoders.full import SIZES, FullText, MarkEmbedding
from mmdemo.models.encoders.joint import JointEncoder, text_mask
from mmdemo.models.features import Encoder, JointStates


class FullBlip(JointEncoder):
    """BLIP's text encoder: every layer looks at the photo's patches between its attention and its FFN."""

    def __init__(self, model: str, region_width: int) -> None:
        super().__init__()
        self.base = model
        self.bert: Any = BlipTextModel(SIZES["blip-text"], add_pooling_layer=False)
        self.width, self.region_width = SIZES["blip-text"].hidden_size, region_width
        self.feature_embedding = MarkEmbedding(self.width)

    def embed(self, ids_BL: Tensor, features_BL: Tensor) -> Tensor:
        return self.bert.embeddings.word_embeddings(ids_BL) + self.feature_embedding(features_BL)

    def forward(
        self,
        ids_BL: Tensor,
        features_BL: Tensor,
        mask_BL: Tensor,
        regions_BRD: Tensor | None,
        present_B: Tensor,
        with_attention: bool = False,
    ) -> JointStates:
        words_BLD = self.embed(ids_BL, features_BL)
        mask_BL = mask_BL.to(torch.long)
        if regions_BRD is None or not present_B.any():
            alone = self.bert(inputs_embeds=words_BLD, attention_mask=mask_BL).last_hidden_state
            return JointStates(tokens_BLD=alone, regions_BRD=regions_BRD)
        seeing = self.bert(
            inputs_embeds=words_BLD[present_B],
            attention_mask=mask_BL[present_B],
            encoder_hidden_states=regions_BRD[present_B],
            output_attentions=with_attention,
        )
        states_BLD = seeing.last_hidden_state.new_zeros(words_BLD.shape)
        states_BLD = states_BLD.masked_scatter(present_B[:, None, None], seeing.last_hidden_state)
        if not present_B.all():  # the library runs cross-attention for all posts of a batch or for none
            blind = self.bert(inputs_embeds=words_BLD[~present_B], attention_mask=mask_BL[~present_B])
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
        self.bert: Any = ViltModel(SIZES["vilt"], add_pooling_layer=False)
        del self.bert.embeddings.patch_embeddings  # the image side has them
        self.width = self.region_width = SIZES["vilt"].hidden_size
        self.feature_embedding = MarkEmbedding(self.width)

    def embed(self, ids_BL: Tensor, features_BL: Tensor) -> Tensor:
        return self.bert.embeddings.text_embeddings.word_embeddings(ids_BL) + self.feature_embedding(
            features_BL
        )

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
        words_BLD = self.embed(ids_BL, features_BL)
        states = parts.text_embeddings(inputs_embeds=words_BLD) + parts.token_type_embeddings.weight[0]
        length, mask_BS = ids_BL.shape[1], mask_BL
        if regions_BRD is not None:
            states = torch.cat([states, self._placed(regions_BRD)], dim=1)
            seen_BS = present_B[:, None].expand(-1, regions_BRD.shape[1] + 1)
            mask_BS = torch.cat([mask_BL, seen_BS], dim=1)
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
        parts, sizes = self.bert.embeddings, SIZES["vilt"]
        side, old = isqrt(regions_BRD.shape[1]), sizes.image_size // sizes.patch_size
        places_1DHW = parts.position_embeddings[:, 1:].transpose(1, 2).unflatten(2, (old, old))
        places_1DHW = interpolate(places_1DHW, size=(side, side), mode="bilinear", align_corners=True)
        places_1SD = torch.cat([parts.position_embeddings[:, :1], places_1DHW.flatten(2).transpose(1, 2)], 1)
        first_B1D = parts.cls_token.expand(len(regions_BRD), -1, -1)
        placed_BSD = torch.cat([first_B1D, regions_BRD], dim=1) + places_1SD
        return parts.dropout(placed_BSD) + parts.token_type_embeddings.weight[1]


def build_full_text_encoder(model: str, region_width: int) -> Encoder:
    """The model's text side at true size; a joint one also takes regions of ``region_width``."""
    if model == "blip":
        return FullBlip(model, region_width)
    return FullVilt(model, region_width) if model == "vilt" else FullText(model)

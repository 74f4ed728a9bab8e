"""Joint models at true size (preset ``full``): BLIP's text encoder with cross-attention, and ViLT.

Without a photo and its words both give exactly what they give for the text alone: BLIP then skips its
cross-attention, ViLT's stack holds no region.
"""

from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from transformers import BlipTextModel, ViltModel

from mmdemo.models.encoders.full import SIZES, MarkEmbedding
from mmdemo.models.encoders.joint import JointEncoder, beside, text_mask
from mmdemo.models.features import JointStates, PhotoTokens, behind_text, places_behind


class FullBlip(JointEncoder):
    """BLIP's text encoder: every layer looks at the photo's patches between its attention and its FFN.

    The photo's words, read as a text of their own, are further keys behind the patches.
    """

    def __init__(self, base: str, region_width: int) -> None:
        super().__init__()
        self.base = base
        self.bert: Any = BlipTextModel(SIZES["blip-text"], add_pooling_layer=False)
        layers: Any = self.bert.encoder.layer
        for layer in layers:
            layer.crossattention.self.register_forward_pre_hook(_with_mask_of_keys, with_kwargs=True)
        self.width, self.region_width = SIZES["blip-text"].hidden_size, region_width
        self.feature_embedding = MarkEmbedding(self.width)

    def embed(self, ids_BL: Tensor, features_BL: Tensor) -> Tensor:
        return self.bert.embeddings.word_embeddings(ids_BL) + self.feature_embedding(features_BL)

    def stack(self, embedded_BLD: Tensor, mask_BL: Tensor, places_BL: Tensor | None = None) -> Tensor:
        found = self.bert(
            inputs_embeds=embedded_BLD, attention_mask=mask_BL.to(torch.long), position_ids=places_BL
        )
        return found.last_hidden_state

    def add_words(self, *, in_text: bool) -> None:
        super().add_words(in_text=in_text)
        self.region_words: Any = nn.Linear(self.width, self.region_width)

    def forward(
        self,
        ids_BL: Tensor,
        features_BL: Tensor,
        mask_BL: Tensor,
        regions_BRD: Tensor | None,
        present_B: Tensor,
        words: PhotoTokens | None = None,
        with_attention: bool = False,
    ) -> JointStates:
        words_BLD = self.embed(ids_BL, features_BL)
        said_BKD = None if words is None else self.alone(words)
        keys_BRD, mask_BR = regions_BRD, None
        if words is not None and said_BKD is not None:
            keys_BRD, mask_BR = beside(regions_BRD, present_B, self.region_words(said_BKD), words)
            present_B = mask_BR.any(1)
        if keys_BRD is None or not present_B.any():
            alone = self.stack(words_BLD, mask_BL)
            return JointStates(tokens_BLD=alone, regions_BRD=regions_BRD, words_BKD=said_BKD)
        mask_BL = mask_BL.to(torch.long)
        seeing = self.bert(
            inputs_embeds=words_BLD[present_B],
            attention_mask=mask_BL[present_B],
            encoder_hidden_states=keys_BRD[present_B],
            encoder_attention_mask=None if mask_BR is None else mask_BR[present_B].to(torch.long),
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
        return JointStates(
            tokens_BLD=states_BLD, regions_BRD=regions_BRD, words_BKD=said_BKD, attention_BNHLR=attention
        )


def _with_mask_of_keys(module: nn.Module, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
    """The library's BLIP drops the mask of what is looked at on its way here (transformers 5.24): it hands it
    on as the mask of the text, which cross-attention does not read.
    """
    return args, {**given, "encoder_attention_mask": given["attention_mask"]}


class FullVilt(JointEncoder):
    """ViLT: text tokens, an image class token, the photo's patches and its words through one stack.

    The patches come from `ViltPatches`; their places are interpolated to the photo's grid.
    """

    def __init__(self, base: str, region_width: int) -> None:
        super().__init__()
        self.base = base
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
        words: PhotoTokens | None = None,
        with_attention: bool = False,
    ) -> JointStates:
        states = self._as_text(self.embed(ids_BL, features_BL))
        length, mask_BS = ids_BL.shape[1], mask_BL
        first = end = length  # where what may be looked at starts, and where the patches end
        if regions_BRD is not None:
            states = torch.cat([states, self._placed(regions_BRD)], dim=1)
            seen_BS = present_B[:, None].expand(-1, regions_BRD.shape[1] + 1)
            mask_BS = torch.cat([mask_BL, seen_BS], dim=1)
            first, end = length + 1, states.shape[1]
        if words is not None:
            last = SIZES["vilt"].max_position_embeddings - 1
            places_BK = places_behind(mask_BL, words).clamp(max=last)
            states = torch.cat([states, self._as_text(self.embed_words(words), places_BK)], dim=1)
            mask_BS = torch.cat([mask_BS, behind_text(words)], dim=1)
        found = self.bert.encoder(
            states, text_mask(mask_BS, states.dtype)[:, None, None], output_attentions=with_attention
        )
        states = self.bert.layernorm(found.last_hidden_state)
        attention = None
        if with_attention and states.shape[1] > length:
            attention = torch.stack([m[:, :, :length, first:] for m in found.attentions], 1)
        return JointStates(
            tokens_BLD=states[:, :length],
            regions_BRD=None if regions_BRD is None else states[:, first:end],
            words_BKD=None if words is None else states[:, end:],
            attention_BNHLR=attention,
        )

    def _as_text(self, embedded_BLD: Tensor, places_BL: Tensor | None = None) -> Tensor:
        """Embedded sub-tokens with their places and the text's modality."""
        parts = self.bert.embeddings
        placed_BLD = parts.text_embeddings(inputs_embeds=embedded_BLD, position_ids=places_BL)
        return placed_BLD + parts.token_type_embeddings.weight[0]

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

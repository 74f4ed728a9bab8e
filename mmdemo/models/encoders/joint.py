"""Joint models: text states that have looked at the photo before any fusion (SPEC §3, kind "joint").

BLIP starts as the text encoder alone and learns what to take from the photo; ViLT's regions take part in its
attention from the first step. What the photo says in words BLIP looks at beside the regions, and ViLT reads
in its one stack. Without a photo and its words both give the text encoder's own states. Regions are the image
encoder's 7x7 map averaged to 4x4: a text stack that also carries 49 regions would cost a CPU twice the time.
"""

from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, scaled_dot_product_attention

from mmdemo.models.encoders.text import BertText
from mmdemo.models.features import JointStates, PhotoTokens, TextEncoder, behind_text, places_behind

GRID = 4  # regions a side


def to_grid(regions_BRD: Tensor, side: int = GRID) -> Tensor:
    """Regions of a square map in reading order, averaged to ``side`` x ``side``."""
    batch, count, width = regions_BRD.shape
    old = isqrt(count)
    map_BDHW = regions_BRD.transpose(1, 2).reshape(batch, width, old, old)
    return adaptive_avg_pool2d(map_BDHW, side).flatten(2).transpose(1, 2)


class JointEncoder(TextEncoder):
    """The contract of joint encoders: text and regions go in together.

    ``forward(ids_BL, features_BL, mask_BL, regions_BRD, present_B, words)`` gives `JointStates`; with
    ``with_attention`` also each layer's attention from the text to the photo. ``present_B`` says which posts
    have a picture. ``region_width`` is the width of the regions that it gives.
    """

    region_width: int

    def add_words(self, *, in_text: bool) -> None:
        """Whatever ``in_text`` says: a joint encoder has its own way to read a photo."""
        super().add_words(in_text=True)

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
        raise NotImplementedError  # an interface


def text_mask(mask_BL: Tensor, dtype: torch.dtype) -> Tensor:
    """What attention adds to its scores: 0 at a real sub-token, the lowest number elsewhere."""
    return torch.zeros_like(mask_BL, dtype=dtype).masked_fill(~mask_BL, torch.finfo(dtype).min)


class RegionAttention(nn.Module):
    """Multi-head attention from token states to image regions, and its residual step, which starts at 0."""

    def __init__(self, width: int, region_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.region_norm = nn.LayerNorm(region_width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(region_width, width, bias=False)  # softmax would cancel a bias
        self.value = nn.Linear(region_width, width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, states_BLD: Tensor, regions_BRD: Tensor, mask_B11R: Tensor | None = None) -> Tensor:
        query, key = self._query_key(states_BLD, regions_BRD)
        value = self._by_head(self.value(self.region_norm(regions_BRD)))
        seen_BHLD = scaled_dot_product_attention(query, key, value, attn_mask=mask_B11R)
        return self.out(seen_BHLD.transpose(1, 2).flatten(2))

    def weights(self, states_BLD: Tensor, regions_BRD: Tensor, mask_B11R: Tensor | None = None) -> Tensor:
        """The attention itself: (B, H, L, R), rows sum to 1. A mask is what is added to the scores."""
        query, key = self._query_key(states_BLD, regions_BRD)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        return (scores if mask_B11R is None else scores + mask_B11R).softmax(-1)

    def _query_key(self, states_BLD: Tensor, regions_BRD: Tensor) -> tuple[Tensor, Tensor]:
        query = self._by_head(self.query(self.norm(states_BLD)))
        return query, self._by_head(self.key(self.region_norm(regions_BRD)))

    def _by_head(self, states_BLD: Tensor) -> Tensor:
        return states_BLD.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class BlipText(BertText, JointEncoder):
    """BLIP's arrangement (Li et al. 2022): a text encoder whose upper half looks at image regions.

    After each layer of the upper half, h ← h + W_o·Attention(LN(h), regions). BLIP puts this step before
    the layer's feed-forward part, in every layer; here it follows the layer and W_o starts at zero, so that
    the tuned text encoder stays whole. The photo's words are read as a text of their own and stand behind
    the regions, at the regions' width.
    """

    def __init__(self, preset: str, region_width: int) -> None:
        super().__init__(preset, cased=False)
        config = self.bert.config
        self.region_width = region_width
        self.first_cross = config.num_hidden_layers // 2
        self.cross: Any = nn.ModuleList(
            RegionAttention(self.width, region_width, config.num_attention_heads)
            for _ in range(config.num_hidden_layers - self.first_cross)
        )

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
        states_BLD = self.bert.embeddings(inputs_embeds=self.embed(ids_BL, features_BL))
        mask_B11L = text_mask(mask_BL, states_BLD.dtype)[:, None, None]
        grid_BRD = None if regions_BRD is None else to_grid(regions_BRD)
        words_BKD = None if words is None else self.alone(words)
        keys_BRD, mask_B11R = grid_BRD, None
        if words is not None and words_BKD is not None:
            keys_BRD, mask_BR = beside(grid_BRD, present_B, self.region_words(words_BKD), words)
            mask_B11R, present_B = text_mask(mask_BR, states_BLD.dtype)[:, None, None], mask_BR.any(1)
        maps = []
        for number, layer in enumerate(self.bert.encoder.layer):
            states_BLD = layer(states_BLD, mask_B11L)
            if keys_BRD is not None and number >= self.first_cross:
                cross = self.cross[number - self.first_cross]
                if with_attention:
                    maps.append(cross.weights(states_BLD, keys_BRD, mask_B11R))
                step_BLD = cross(states_BLD, keys_BRD, mask_B11R)
                states_BLD = states_BLD + step_BLD * present_B[:, None, None]
        attention = torch.stack(maps, 1) if maps else None
        return JointStates(
            tokens_BLD=states_BLD, regions_BRD=grid_BRD, words_BKD=words_BKD, attention_BNHLR=attention
        )


def beside(
    regions_BRD: Tensor | None, present_B: Tensor, words_BKD: Tensor, words: PhotoTokens
) -> tuple[Tensor, Tensor]:
    """A photo's regions (of those ``present_B``) and behind them its words, with the mask of both."""
    if regions_BRD is None:
        return words_BKD, words.said_BK
    mask_BR = present_B[:, None].expand(-1, regions_BRD.shape[1])
    return torch.cat([regions_BRD, words_BKD], dim=1), torch.cat([mask_BR, words.said_BK], dim=1)


class ViltStack(BertText, JointEncoder):
    """ViLT's arrangement (Kim et al. 2021): one transformer over text tokens and image regions.

    Regions are projected to the stack's width, get an embedding of their place (which also tells them from
    words), and stand behind the tokens; a post without a photo masks them out. The photo's words stand behind
    the regions, with the places that follow the text's and an embedding of their source.
    """

    def __init__(self, preset: str, region_width: int) -> None:
        super().__init__(preset, cased=False)
        self.region_width = self.width
        self.region_input = nn.Sequential(nn.LayerNorm(region_width), nn.Linear(region_width, self.width))
        self.region_place = nn.Parameter(torch.zeros(GRID * GRID, self.width))
        self.region_norm = nn.LayerNorm(self.width)
        nn.init.normal_(self.region_place, std=0.02)

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
        states_BSD = self.bert.embeddings(inputs_embeds=self.embed(ids_BL, features_BL))
        length, mask_BS, end = states_BSD.shape[1], mask_BL, states_BSD.shape[1]
        if regions_BRD is not None:
            placed_BRD = self.region_input(to_grid(regions_BRD)) + self.region_place
            states_BSD = torch.cat([states_BSD, self.region_norm(placed_BRD)], dim=1)
            mask_BS = torch.cat([mask_BS, present_B[:, None].expand(-1, GRID * GRID)], dim=1)
            end += GRID * GRID
        if words is not None:
            words_BKD = self.bert.embeddings(
                inputs_embeds=self.embed_words(words), position_ids=places_behind(mask_BL, words)
            )
            states_BSD = torch.cat([states_BSD, words_BKD], dim=1)
            mask_BS = torch.cat([mask_BS, behind_text(words)], dim=1)
        mask_B11S = text_mask(mask_BS, states_BSD.dtype)[:, None, None]
        maps = []
        layers: Any = self.bert.encoder.layer
        for layer in layers:
            if with_attention and states_BSD.shape[1] > length:
                maps.append(
                    _self_attention(layer.attention.self, states_BSD, mask_B11S)[:, :, :length, length:]
                )
            states_BSD = layer(states_BSD, mask_B11S)
        return JointStates(
            tokens_BLD=states_BSD[:, :length],
            regions_BRD=None if regions_BRD is None else states_BSD[:, length:end],
            words_BKD=None if words is None else states_BSD[:, end:],
            attention_BNHLR=torch.stack(maps, 1) if maps else None,
        )


def _self_attention(attention: Any, states_BSD: Tensor, mask_B11S: Tensor) -> Tensor:
    """A BERT layer's attention weights (B, H, S, S), which its fast path does not give."""
    heads = attention.num_attention_heads
    query, key = (
        part(states_BSD).unflatten(-1, (heads, -1)).transpose(1, 2)
        for part in (attention.query, attention.key)
    )
    return (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5 + mask_B11S).softmax(-1)

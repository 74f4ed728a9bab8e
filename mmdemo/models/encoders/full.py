"""The report's own encoders at true size (preset ``full``): text sides and image sides, as published.

Where their weights come from is `mmdemo.models.encoders.published`' affair; these are built with random ones.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import resnet50
from transformers import (
    BertConfig,
    BertModel,
    BlipTextConfig,
    BlipVisionConfig,
    BlipVisionModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    RobertaConfig,
    RobertaModel,
    ViltConfig,
)

from mmdemo.models.encoders.image import ImageEncoder
from mmdemo.models.features import TextEncoder
from mmdemo.models.subtokens import FEATURES
from mmdemo.posts.marks import MARKS

FIRST_MARK = FEATURES.index(MARKS[0])

#: Only this attention gives the maps that are shown.
_EAGER: dict[str, Any] = {"attn_implementation": "eager"}

#: What the authors trained; the values are the configurations of the classes that are built from them.
SIZES: dict[str, Any] = {
    # Liu et al. 2019: 24 layers, 1024 wide, 16 heads.
    "roberta-large": RobertaConfig(
        vocab_size=50265,
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
    ),
    # Devlin et al. 2019, uncased: 12 layers, 768 wide, 12 heads.
    "bert-base": BertConfig(),
    # Radford et al. 2021, ViT-B/32.
    "clip-vision": CLIPVisionConfig(image_size=224, patch_size=32),
    # Li et al. 2022: ViT-B/16, and BERT-base with cross-attention in every layer.
    # The library would draw the first at a spread of 1e-10: nothing, once in float16.
    "blip-vision": BlipVisionConfig(image_size=384, patch_size=16, initializer_range=0.02),
    "blip-text": BlipTextConfig(vocab_size=30524, encoder_hidden_size=768, num_attention_heads=12, **_EAGER),
    # Kim et al. 2021, ViLT-B/32. It was trained on 40 sub-tokens; positions after them are learnt here.
    "vilt": ViltConfig(image_size=384, patch_size=32, max_position_embeddings=128, **_EAGER),
}


class MarkEmbedding(nn.Embedding):
    """What the four relation marks mean, to be added to word embeddings; it starts at zero and is learnt.

    Letter case is left out: RoBERTa's vocabulary has it, and BERT, BLIP and ViLT were made without it.
    """

    def __init__(self, width: int) -> None:
        super().__init__(len(FEATURES), width)
        nn.init.zeros_(self.weight)

    def forward(self, features_BL: Tensor) -> Tensor:
        return super().forward(features_BL.where(features_BL >= FIRST_MARK, 0))


class FullText(TextEncoder):
    """RoBERTa or BERT: ``forward(ids_BL, features_BL, mask_BL)`` gives its last states (B, L, width)."""

    def __init__(self, base: str, sizes_name: str) -> None:
        super().__init__()
        sizes = SIZES[sizes_name]
        self.base = base
        kind = RobertaModel if isinstance(sizes, RobertaConfig) else BertModel
        self.bert: Any = kind(sizes, add_pooling_layer=False)
        self.width = sizes.hidden_size
        self.feature_embedding = MarkEmbedding(self.width)
        #: RoBERTa counts places from behind its padding's number.
        self.first_place = sizes.pad_token_id + 1 if kind is RobertaModel else 0
        self.last_place = sizes.max_position_embeddings - 1

    def embed(self, ids_BL: Tensor, features_BL: Tensor) -> Tensor:
        return self.bert.embeddings.word_embeddings(ids_BL) + self.feature_embedding(features_BL)

    def stack(self, embedded_BLD: Tensor, mask_BL: Tensor, places_BL: Tensor | None = None) -> Tensor:
        if places_BL is not None:
            places_BL = (places_BL + self.first_place).clamp(max=self.last_place)
        found = self.bert(
            inputs_embeds=embedded_BLD, attention_mask=mask_BL.to(torch.long), position_ids=places_BL
        )
        return found.last_hidden_state

    def forward(self, ids_BL: Tensor, features_BL: Tensor, mask_BL: Tensor) -> Tensor:
        return self.stack(self.embed(ids_BL, features_BL), mask_BL)


class ResNetMap(ImageEncoder):
    """ResNet-50 (He et al. 2016): its last map as regions, (B, 49, 2048) at 224x224.

    The classifier (2 M of its 25.6 M parameters) has no place here and is left out.
    """

    def __init__(self) -> None:
        super().__init__()
        net = resnet50()
        self.width = net.fc.in_features
        kept = {name: part for name, part in net.named_children() if name not in ("avgpool", "fc")}
        self.net = nn.Sequential()
        for name, part in kept.items():
            self.net.add_module(name, part)

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        return self.net(pixels_BCHW).flatten(2).transpose(1, 2)


class ClipVision(ImageEncoder):
    """CLIP's vision transformer: its patches' states, (B, 49, 768) at 224x224.

    The class token is left out, as in `BlipVision`: regions are places in the photo, for people to look at
    and to cover.
    """

    def __init__(self) -> None:
        super().__init__()
        self.width = SIZES["clip-vision"].hidden_size
        self.net: Any = CLIPVisionModel(SIZES["clip-vision"])

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        return self.net(pixels_BCHW).last_hidden_state[:, 1:]


class BlipVision(ImageEncoder):
    """BLIP's vision transformer: (B, 196, 768) at 224x224, its places interpolated from 384x384."""

    def __init__(self) -> None:
        super().__init__()
        self.width = SIZES["blip-vision"].hidden_size
        self.net: Any = BlipVisionModel(SIZES["blip-vision"])

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        return self.net(pixels_BCHW, interpolate_pos_encoding=True).last_hidden_state[:, 1:]


class ViltPatches(ImageEncoder):
    """ViLT's image side is one linear layer over 32x32 patches: (B, 49, 768) at 224x224."""

    def __init__(self) -> None:
        super().__init__()
        sizes = SIZES["vilt"]
        self.width = sizes.hidden_size
        self.net = nn.Conv2d(3, self.width, sizes.patch_size, stride=sizes.patch_size)

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        return self.net(pixels_BCHW).flatten(2).transpose(1, 2)

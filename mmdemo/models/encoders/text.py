"""Text sides of the two-encoder models: sub-token ids -> token states."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel

from mmdemo.models.features import TextEncoder
from mmdemo.models.subtokens import FEATURES
from mmdemo.posts.marks import MARKS

BERT_SIZES: dict[str, dict[str, Any]] = {
    # sentence-transformers/all-MiniLM-L6-v2 (Wang et al. 2020): 6 layers, 384 wide, 22 M parameters.
    "lite": {
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
    },
    # microsoft/mpnet-base (Song et al. 2020) as all-mpnet-base-v2: 12 layers, 768 wide, 109 M parameters.
    "base": {
        "vocab_size": 30527,
        "max_position_embeddings": 514,
        "layer_norm_eps": 1e-5,
    },
    "tiny": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    },
}


FIRST_MARK = FEATURES.index(MARKS[0])


def build_bert(preset: str) -> BertModel | MPNetModel:
    """The preset's BERT with random weights; MPNet is one that also sees how far apart sub-tokens are."""
    if preset == "base":
        return MPNetModel(MPNetConfig(**BERT_SIZES[preset]), add_pooling_layer=False)
    return BertModel(BertConfig(vocab_size=30522, **BERT_SIZES[preset]), add_pooling_layer=False)


class BertText(TextEncoder):
    """A BERT that reads a feature embedding beside its uncased vocabulary; subclasses say how it runs.

    The features (rows: `mmdemo.models.subtokens.FEATURES`) are the four relation marks and, where ``cased``
    (the RoBERTa row, whose own vocabulary is cased), each word's letter case. The embedding is added to the
    word embeddings and starts at zero, so that the pretrained model is unchanged before training.
    """

    def __init__(self, preset: str, *, cased: bool) -> None:
        super().__init__()
        self.bert: Any = build_bert(preset)
        self.width = self.bert.config.hidden_size
        self.cased = cased
        self.feature_embedding = nn.Embedding(len(FEATURES), self.width)
        nn.init.zeros_(self.feature_embedding.weight)

    def embed(self, ids_BL: Tensor, features_BL: Tensor) -> Tensor:
        if not self.cased:
            features_BL = features_BL.where(features_BL >= FIRST_MARK, 0)
        return self.bert.embeddings.word_embeddings(ids_BL) + self.feature_embedding(features_BL)

    def stack(self, embedded_BLD: Tensor, mask_BL: Tensor, places_BL: Tensor | None = None) -> Tensor:
        found = self.bert(
            inputs_embeds=embedded_BLD, attention_mask=mask_BL.to(torch.long), position_ids=places_BL
        )
        return found.last_hidden_state


class MarkedBert(BertText):
    """The text side of two-encoder models.

    ``forward(ids_BL, features_BL, mask_BL)`` gives the last layer's states (B, L, width).
    """

    def forward(self, ids_BL: Tensor, features_BL: Tensor, mask_BL: Tensor) -> Tensor:
        return self.stack(self.embed(ids_BL, features_BL), mask_BL)

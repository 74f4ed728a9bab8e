"""Text sides of the two-encoder models: sub-token ids -> token states."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from mmdemo.data.text import FEATURES
from mmdemo.models.features import Encoder

BERT_SIZES: dict[str, dict[str, Any]] = {
    # sentence-transformers/all-MiniLM-L6-v2 (Wang et al. 2020): 6 layers, 384 wide, 22 M parameters.
    "lite": {
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
    },
    "tiny": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    },
}


class CasedBert(Encoder):
    """A BERT whose uncased vocabulary is given letter case and marks back by a feature embedding.

    ``forward(ids_BL, features_BL, mask_BL)`` gives the last layer's states (B, L, width). The feature
    embedding (rows: `mmdemo.data.text.FEATURES`) is added to the word embeddings and starts at zero,
    so that the pretrained model is unchanged before training.
    """

    def __init__(self, preset: str) -> None:
        super().__init__()
        config = BertConfig(vocab_size=30522, **BERT_SIZES[preset])
        self.bert = BertModel(config, add_pooling_layer=False)
        self.width = config.hidden_size
        self.feature_embedding = nn.Embedding(len(FEATURES), self.width)
        nn.init.zeros_(self.feature_embedding.weight)

    def forward(self, ids_BL: Tensor, features_BL: Tensor, mask_BL: Tensor) -> Tensor:
        words_BLD = self.bert.embeddings.word_embeddings(ids_BL)
        words_BLD = words_BLD + self.feature_embedding(features_BL)
        attention_mask = mask_BL.to(torch.long)
        return self.bert(inputs_embeds=words_BLD, attention_mask=attention_mask).last_hidden_state

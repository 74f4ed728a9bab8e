"""Text sides of the preset ``full``: RoBERTa-large and BERT-base as their authors trained them."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, PretrainedConfig, PreTrainedModel, RobertaConfig, RobertaModel

from mmdemo.data.text import FEATURES, MARKS
from mmdemo.models.features import Encoder
from mmdemo.types import InputError

FIRST_MARK = FEATURES.index(MARKS[0])

#: Model -> its text encoder's class and sizes. RoBERTa-large: Liu et al. 2019, 24 layers, 1024 wide, 16 heads,
#: 355 M parameters. BERT-base (uncased): Devlin et al. 2019, 12 layers, 768 wide, 110 M with its pooler.
TEXT_SIDES: dict[str, tuple[type[PreTrainedModel], PretrainedConfig]] = {
    "roberta-resnet50": (
        RobertaModel,
        RobertaConfig(
            vocab_size=50265,
            hidden_size=1024,
            num_hidden_layers=24,
            num_attention_heads=16,
            intermediate_size=4096,
            max_position_embeddings=514,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
        ),
    ),
    "bert-resnet50": (BertModel, BertConfig()),
    "clip-bert": (BertModel, BertConfig()),
}


class MarkEmbedding(nn.Module):
    """What the four relation marks mean, added to word embeddings; it starts at zero and is learnt.

    Letter case is not embedded: RoBERTa's vocabulary has it, and BERT's, BLIP's and ViLT's do without it.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(FEATURES), width)
        nn.init.zeros_(self.embedding.weight)

    def forward(self, words_BLD: Tensor, features_BL: Tensor) -> Tensor:
        return words_BLD + self.embedding(features_BL.where(features_BL >= FIRST_MARK, 0))


class FullText(Encoder):
    """RoBERTa or BERT: ``forward(ids_BL, features_BL, mask_BL)`` gives the last layer's states (B, L, width)."""

    def __init__(self, model: str) -> None:
        super().__init__()
        kind, config = TEXT_SIDES[model]
        self.base = model
        self.bert: Any = kind(config, add_pooling_layer=False)
        self.width = config.hidden_size
        self.feature_embedding = MarkEmbedding(self.width)

    def forward(self, ids_BL: Tensor, features_BL: Tensor, mask_BL: Tensor) -> Tensor:
        words_BLD = self.feature_embedding(self.bert.embeddings.word_embeddings(ids_BL), features_BL)
        return self.bert(inputs_embeds=words_BLD, attention_mask=mask_BL.to(torch.long)).last_hidden_state


def read_pretrained(
    kind: type[PreTrainedModel], place: str | Path, revision: str | None, **options: Any
) -> PreTrainedModel:
    """A published model from the Hub at a revision, or from a local copy in the Hub's format.

    Raises:
        InputError: it cannot be read or downloaded, or some of its weights are missing.
    """
    try:
        model, report = kind.from_pretrained(
            place, revision=revision, output_loading_info=True, dtype=torch.float32, **options
        )
    except Exception as error:  # the library raises OSError, ValueError, its Hub client's own, …
        raise InputError(f"the weights {place} cannot be read: {_first_line(error)}") from error
    missing = sorted(report["missing_keys"]) + sorted(str(name) for name in report["mismatched_keys"])
    if missing:
        raise InputError(f"the weights {place} lack what {kind.__name__} needs, such as {missing[0]}")
    return model


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def text_weights(model: str, place: str | Path, revision: str | None) -> dict[str, Tensor]:
    """A published text encoder's tensors under the names that `FullText` has."""
    kind, _ = TEXT_SIDES[model]
    found = read_pretrained(kind, place, revision, add_pooling_layer=False)
    return {f"bert.{name}": value for name, value in found.state_dict().items()}

"""What others would run: `transformers`' token-classification pipeline on encoders with random weights.

Time does not depend on the weights' values; the shipped tokenizer stands in for theirs, so that all read the
same sub-tokens.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import (
    BertConfig,
    BertForTokenClassification,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForTokenClassification,
    pipeline,
)

from mmdemo.zoo import SHIPPED

TAGS = 9
TOKENIZER = SHIPPED / "lite" / "base" / "tokenizer.json"


def bert_base() -> Any:
    return BertForTokenClassification(BertConfig(num_labels=TAGS))


def roberta_large() -> Any:
    sizes = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
    config = RobertaConfig(**sizes, intermediate_size=4096, vocab_size=50265, max_position_embeddings=514)
    config.num_labels = TAGS
    return RobertaForTokenClassification(config)


PEERS: dict[str, Callable[[], Any]] = {
    "`transformers` pipeline, BERT-base, random weights": bert_base,
    "`transformers` pipeline, RoBERTa-large, random weights": roberta_large,
}


@contextmanager
def built(name: str) -> Iterator[Callable[[str], Any]]:
    """A peer's pipeline; its memory is given back at the end."""
    torch.manual_seed(0)
    marks = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(TOKENIZER), mask_token="[MASK]", **marks)
    model = PEERS[name]().eval()
    yield pipeline("token-classification", model=model, tokenizer=tokenizer, device=-1)

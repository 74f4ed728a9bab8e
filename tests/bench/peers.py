"""What others would run, with random weights: pipelines of `transformers` and cells of the preset `full`.

Time does not depend on the weights' values; the shipped tokenizer stands in for theirs, so that all read the
same sub-tokens.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
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

from mmdemo.answer import pipeline as ours
from mmdemo.answer.pipeline import Cell
from mmdemo.cells.checkpoint import Card
from mmdemo.cells.zoo import SHIPPED, LoadedCell
from mmdemo.models.batch import collate
from mmdemo.models.config import MODELS, ModelConfig
from mmdemo.models.encode import PostEncoder
from mmdemo.models.encoders.image import normalisation_of
from mmdemo.models.model import build_model
from mmdemo.models.photo_cache import SEEN
from mmdemo.posts.text import TextReader

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


#: Row of the table -> the model of a `full` cell.
FULL = {f"preset `full`, {name}, random weights": name for name in MODELS}


@contextmanager
def full_cell(model: str) -> Iterator[Callable[[str, Path], Any]]:
    """A full cell's prediction of a text with a photo that it has not seen, from file to entities."""
    config = ModelConfig(dataset="twitter2017", model=model, fusion="film", preset="full")
    torch.manual_seed(0)
    reader = TextReader.load(TOKENIZER, config.sizes.max_subtokens)
    loaded = LoadedCell(
        card=Card(config=config),
        model=build_model(config).eval(),
        encoder=PostEncoder(config, reader, normalisation_of(config.preset, model)),
    )
    cell = Cell(preset="full", dataset=config.dataset, model=model, fusion="film", folder=Path())

    def answer(text: str, photo: Path) -> Any:
        SEEN.clear()
        posts = [ours.read_post(text, config.dataset, photo)]
        examples = ours.encode(posts, loaded)
        with torch.inference_mode():
            output = loaded.model(collate(examples))
        return ours.answers_of(posts, cell, loaded, examples, output)

    yield answer

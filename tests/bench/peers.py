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

from mmdemo.answer.predict import answers_of, assemble, read_parts
from mmdemo.cells.card import Card
from mmdemo.cells.locate import SHIPPED, Cell
from mmdemo.cells.zoo import LoadedCell
from mmdemo.datasets.discovery import default_for
from mmdemo.models.batch import collate
from mmdemo.models.config import ModelConfig
from mmdemo.models.encode import PostEncoder
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.model import build_model
from mmdemo.models.photo_cache import SEEN
from mmdemo.models.subtokens import TextReader
from mmdemo.posts.question import read_post

DATASET = default_for("entities")
TAGS = len(DATASET.tags)
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
    config = ModelConfig(dataset=DATASET, model=model, preset="full")
    torch.manual_seed(0)
    reader = TextReader.load(TOKENIZER, config.sizes.max_subtokens)
    loaded = LoadedCell(
        card=Card(config=config),
        model=build_model(config).eval(),
        encoder=PostEncoder(config, reader, config.sides.NORM),
    )
    cell = Cell(preset="full", dataset=DATASET, model=model, fusion=config.fusion, folder=Path())

    def answer(text: str, photo: Path) -> Any:
        SEEN.clear()
        questions = [read_post(text, DATASET, photo)]
        parts = read_parts(questions, loaded)
        with torch.inference_mode():
            output = loaded.model(collate([part.example for part in parts]))
        return assemble(questions, cell, answers_of(parts, cell, loaded, output))

    yield answer

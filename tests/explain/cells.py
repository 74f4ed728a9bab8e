"""Cells of preset tiny in memory, one for every model and fusion, for `catalogue.load` to give."""

from functools import cache
from pathlib import Path

import torch

from mmdemo.cells.card import Card
from mmdemo.cells.locate import SHIPPED, Cell
from mmdemo.cells.zoo import LoadedCell, post_encoder
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.fusion.table import fusions_of
from mmdemo.models.model import MultimodalModel, build_model

ROOT = SHIPPED
TWEET = "Kevin Durant enters Oracle Arena"
MARKED = "[E1] Kevin Durant [/E1] enters [E2] Oracle Arena [/E2]"
TEXTS = {"twitter2015": TWEET, "twitter2017": TWEET, "mnre": MARKED}

#: Every model of its own build (the other two-encoder ones differ in sizes alone) and fusion.
PAIRS = [(m, f) for m in MODELS if m not in ("bert-resnet50", "clip-bert") for f in fusions_of(m)]
NAMES = ["-".join(pair) for pair in PAIRS]

#: Parts that would start at nothing, or near it.
LIVELY = ("fusion.", "text_encoder.cross", "text_encoder.region", "image_encoder.", "word_projection.source")


def cell_of(config: ModelConfig) -> Cell:
    return Cell(
        preset=config.preset,
        dataset=config.dataset,
        model=config.model,
        fusion=config.fusion,
        folder=Path("memory"),
    )


@cache
def loaded(config: ModelConfig) -> LoadedCell:
    """A model in which text and photo both count, and its encoder; the same one each time, so read only."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(7)
        model = build_model(config)
        for name, parameter in model.named_parameters():
            if name.startswith(LIVELY):
                parameter.add_(0.1 * torch.randn_like(parameter))
        for head in model.heads.values():
            head.layers[-1].weight.mul_(6)
    return wrap(config, model)


def wrap(config: ModelConfig, model: MultimodalModel) -> LoadedCell:
    """Any model as a loaded cell."""
    return LoadedCell(card=Card(config=config), model=model.eval(), encoder=post_encoder(config, ROOT))

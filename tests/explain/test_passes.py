"""What an explanation costs: one pass over the unchanged post, and its own photo through the encoder once."""

from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from mmdemo.answer import explain as explaining
from mmdemo.answer import predict as answering
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.explain import explained_post
from mmdemo.explain.explainers import VIEWS
from mmdemo.models import photo_cache
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.fusion.table import fusions_of
from mmdemo.posts.question import read_post
from tests.explain.cells import MARKED, cell_of, loaded

NOISE = np.random.default_rng(5).integers(0, 256, (3, 48, 64, 3), dtype=np.uint8)
OWN, *OTHERS = (Image.fromarray(one) for one in NOISE)


@pytest.fixture
def counted(monkeypatch):
    """Counts what a cell's encoders are given while it explains."""

    def ask(config: ModelConfig, views) -> Counter[str]:
        cell, seen = loaded(config), Counter[str]()
        monkeypatch.setattr(catalogue, "load", lambda _: cell)
        memory = photo_cache.Regions()
        for module in (answering, explained_post):
            monkeypatch.setattr(module, "SEEN", memory)
        own = torch.from_numpy(cell.encoder.pixels(OWN))
        with torch.inference_mode():
            regions_RD = cell.model.image_encoder(own[None])[0]
        encode, image = type(cell.model).encode, type(cell.model.image_encoder).forward

        def photos(self, pixels_BCHW):
            seen["own photo"] += sum(torch.equal(one, own) for one in pixels_BCHW)
            seen["photos"] += len(pixels_BCHW)
            return image(self, pixels_BCHW)

        def passes(self, batch):
            whole = self is cell.model and batch.states_BLD is None and len(batch.ids_BL) == 1
            seen["unchanged"] += whole and torch.equal(batch.regions_BRD[0], regions_RD)
            return encode(self, batch)

        with monkeypatch.context() as patch:
            patch.setattr(type(cell.model.image_encoder), "forward", photos)
            patch.setattr(type(cell.model), "encode", passes)
            question = read_post(MARKED, config.dataset, OWN)
            explaining.explain(question, cell_of(config), views=views, others=OTHERS)
        return seen

    return ask


@pytest.mark.parametrize("model", MODELS)
def test_the_unchanged_post_runs_once_and_its_photo_is_encoded_once(counted, model):
    for fusion in fusions_of(model):
        config = ModelConfig(dataset=find_dataset("mnre"), model=model, fusion=fusion, preset="tiny")
        seen = counted(config, VIEWS)
        assert seen["own photo"] == 1, fusion
        assert seen["unchanged"] == 1, fusion
        assert seen["photos"] == 1 + 1 + len(OTHERS), "its own, a blank one, and each other one"

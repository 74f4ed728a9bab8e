"""The contract of all views: each is drawn where it can be, alone, and its absence has a reason elsewhere."""

import numpy as np
import pytest
from PIL import Image

from mmdemo.answer import explain as explaining
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.explain.explainers import VIEWS
from mmdemo.figures.draw import draw, png
from mmdemo.figures.numbers import view_csv
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import DEFAULT_MODEL, MODELS
from mmdemo.models.fusion.table import DEFAULT_FUSION, FUSIONS, buildable
from mmdemo.posts.question import read_post
from mmdemo.types import Explanation, PhotoWords
from tests.explain.cells import MARKED, TWEET, cell_of, loaded

SAID = (PhotoWords(source="ocr", text="HERSHEYPARK win"),)
NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8))
#: (dataset, model, fusion): every fusion on two encoders, and what is a joint encoder's own.
JOINT = next(name for name, row in MODELS.items() if row.joint)
CELLS = [
    *(("twitter2017", DEFAULT_MODEL, fusion) for fusion in buildable(DEFAULT_MODEL)),
    *(("mnre", JOINT, fusion) for fusion in buildable(JOINT) if fusion not in buildable(DEFAULT_MODEL)),
    ("mnre", JOINT, DEFAULT_FUSION),
]


def explained(dataset: str, model: str, fusion: str, name: str, monkeypatch) -> Explanation:
    """One view alone, of a post with a photo that says something."""
    config = ModelConfig(
        dataset=find_dataset(dataset), model=model, fusion=fusion, preset="tiny", photo_words=True
    )
    monkeypatch.setattr(catalogue, "load", lambda _: loaded(config))
    text = MARKED if config.dataset.has_relations else TWEET
    return explaining.explain(
        read_post(text, config.dataset, NOISE, photo_words=SAID), cell_of(config), views=[name]
    )


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_drawn_or_its_absence_said_whatever_the_fusion(name, monkeypatch):
    drawn = 0
    for cell in CELLS:
        answer = explained(*cell, name, monkeypatch)
        assert [view.name for view in answer.views] + list(answer.absent) == [name], cell
        for view in answer.views:
            drawn += 1
            assert view.values.dtype == np.float32 and np.isfinite(view.values).all() and view.values.size
            assert view.values.shape == tuple(len(axis) for axis in view.axes), cell
            assert view.title and view.note.endswith(".")
            if drawn == 1:
                assert png(draw(view, photo=NOISE)) and len(view_csv(view).splitlines()) > 1
        assert all(reason for reason in answer.absent.values())
    assert drawn, "no fusion gives it"


def test_a_fusion_of_each_name_is_asked():
    assert {fusion for _, _, fusion in CELLS} == set(FUSIONS)

"""CONTRIBUTING's way to add a fusion, done as it says: one file, and a row in the table."""

import re
from pathlib import Path

import pytest
import torch

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models import model as models
from mmdemo.models.batch import Batch
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.fusion.table import FUSIONS, FusionRow, fusions_of

PAGE = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"


@pytest.fixture
def gated(tmp_path, monkeypatch) -> type:
    """The page's class, in the table for the length of a test."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    (tmp_path / "gated.py").write_text(found[1], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    from gated import Gated

    row = FusionRow(
        name="gated",
        title="Gated",
        shows="each channel decides how much of the photo it takes",
        build=lambda width, options: Gated(width),
        trace=("gate_BLD",),
    )
    monkeypatch.setitem(FUSIONS, row.name, row)
    return Gated


def batch(present: bool) -> Batch:
    size = 64
    return Batch(
        ids_BL=torch.randint(1000, 2000, (2, 6)),
        features_BL=torch.zeros(2, 6, dtype=torch.long),
        mask_BL=torch.ones(2, 6, dtype=torch.bool),
        first_BW=torch.tensor([[1, 2, 3], [1, 3, -1]]),
        present_B=torch.tensor([present, False]),
        targets=torch.tensor([[0, 1, 2], [3, 0, -100]]),
        pixels_BCHW=torch.rand(2, 3, size, size),
    )


def test_a_fusion_from_the_page_joins_the_zoo_and_trains(gated):
    assert all("gated" in fusions_of(name) for name in MODELS)
    built = models.build_model(
        ModelConfig(dataset=find_dataset("twitter2017"), fusion="gated", preset="tiny")
    )
    assert isinstance(built.fusion, gated)
    output = built(batch(present=True))
    assert output.trace["gate_BLD"].shape == (2, 6, 32)
    built.heads["entities"].loss(output.logits, batch(present=True)).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in built.fusion.parameters())


def test_without_a_photo_it_gives_the_text_alone(gated):
    built = models.build_model(
        ModelConfig(dataset=find_dataset("twitter2017"), fusion="gated", preset="tiny")
    ).eval()
    post = batch(present=False)
    assert torch.equal(built(post).logits, built(post.without_images()).logits)

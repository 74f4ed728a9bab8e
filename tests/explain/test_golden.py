"""Models built by hand, whose inside is known: the views must show exactly that."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from mmdemo.answer import explain as explaining
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.image import ImageEncoder
from mmdemo.models.features import Fusion, FusionOutput, keep_text_where_absent
from mmdemo.models.model import build_model
from mmdemo.posts.question import read_post
from mmdemo.types import Explanation
from tests.explain.cells import TWEET, cell_of, wrap

RED, BLUE = Image.new("RGB", (64, 64), (255, 0, 0)), Image.new("RGB", (64, 64), (0, 0, 255))


class Patches(ImageEncoder):
    """Regions that are 7x7 patches: channel 0 is 1 where a patch is red, channel 1 its brightness."""

    width = 32

    def backbone_map(self, pixels_BCHW: Tensor) -> Tensor:
        patches_BC77 = nn.functional.adaptive_avg_pool2d(pixels_BCHW, 7)
        red_B77 = ((patches_BC77[:, 0] > 0.5) & (patches_BC77[:, 2] < 0)).float()
        states = torch.zeros(len(pixels_BCHW), 49, self.width)
        states[..., 0], states[..., 1] = red_B77.flatten(1), patches_BC77.mean(1).flatten(1)
        return states


class ReadsOneRegion(Fusion):
    """Adds the brightness of region 17 alone to every token's first channel."""

    def forward(self, text, image) -> FusionOutput:
        fused_BLD = text.tokens_BLD.clone()
        fused_BLD[..., 0] += 5 * image.regions_BRD[:, 17, 1][:, None]
        return FusionOutput(tokens_BLD=keep_text_where_absent(fused_BLD, text, image))


def explained(config: ModelConfig, model: nn.Module, photo, monkeypatch, **options) -> Explanation:
    monkeypatch.setattr(catalogue, "load", lambda _: wrap(config, model))
    return explaining.explain(read_post(TWEET, config.dataset, photo), cell_of(config), **options)


def view(explanation: Explanation, name: str):
    (found,) = [v for v in explanation.views if v.name == name]
    return found


def test_gamma_doubles_channel_3_when_the_photo_is_red(monkeypatch):
    config = ModelConfig(
        dataset=find_dataset("twitter2017"), fusion="film", film_variant="swapped", preset="tiny"
    )
    model = build_model(config)
    model.image_encoder, model.image_projection = Patches(), nn.Identity()
    with torch.no_grad():
        model.fusion.generator_gamma.weight[3, 0] = 1  # γ₃ = 1 + red
    red = explained(config, model, RED, monkeypatch)
    gamma = view(red, "gamma")
    assert gamma.axes[0] == ("the photo",) and gamma.centre == 1
    assert gamma.axes[1][0] == "channel 3", "the one channel that moves stands first"
    np.testing.assert_array_equal(gamma.values, [[2] + [1] * 31])
    np.testing.assert_array_equal(view(red, "beta").values, np.zeros((1, 32)))
    assert (view(red, "film-shift").values[[0, 2]] > 0).all()
    blue = explained(config, model, BLUE, monkeypatch)
    np.testing.assert_array_equal(view(blue, "gamma").values, np.ones((1, 32)))
    np.testing.assert_array_equal(view(blue, "film-shift").values, np.zeros((3, 5)))


def test_the_one_region_that_is_read_lights_up(monkeypatch):
    config = ModelConfig(dataset=find_dataset("twitter2017"), fusion="concat", preset="tiny")
    model = build_model(config)
    model.image_encoder, model.image_projection, model.fusion = Patches(), nn.Identity(), ReadsOneRegion()
    white = Image.new("RGB", (64, 64), "white")
    answer = explained(config, model, white, monkeypatch, views=["region-occlusion", "region-gradient"])
    for found in answer.views:
        assert found.axes[1][17] == "row 3, column 4"
        lit = np.flatnonzero(np.abs(found.values[0]) > 1e-6)
        assert lit.tolist() == [17], found.name
    np.testing.assert_allclose(answer.views[0].values, answer.views[1].values, atol=0.05)


def test_the_photo_of_a_model_that_ignores_it_contributes_nothing(monkeypatch):
    config = ModelConfig(
        dataset=find_dataset("twitter2017"), fusion="film", film_variant="swapped", preset="tiny"
    )
    answer = explained(config, build_model(config), RED, monkeypatch, others=[BLUE])
    for name in ("region-gradient", "region-occlusion", "image-contribution"):
        assert view(answer, name).values == pytest.approx(0, abs=1e-6)

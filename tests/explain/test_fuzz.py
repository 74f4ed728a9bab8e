"""Random text and photos through every explainer of every fusion: no exception, all finite, all drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmdemo.answer import explain as explaining
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.explain.explainers import VIEWS
from mmdemo.models.config import ModelConfig
from mmdemo.posts.question import read_post
from mmdemo.types import InputError, View
from tests.explain.cells import NAMES, PAIRS, cell_of, loaded

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@st.composite
def photos(draw) -> Image.Image | None:
    width, height = draw(st.integers(1, 50)), draw(st.integers(1, 50))
    kind = draw(st.sampled_from(["noise", "flat", "none"]))
    if kind == "none":
        return None
    if kind == "flat":
        return Image.new("RGB", (width, height), (draw(st.integers(0, 255)), 0, 0))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def check(view: View) -> None:
    assert view.values.dtype == np.float32 and np.isfinite(view.values).all(), view.name
    assert view.values.shape == tuple(len(axis) for axis in view.axes) and view.values.size, view.name
    assert view.note.endswith(".") and view.title


@pytest.mark.parametrize(("model", "fusion"), PAIRS, ids=NAMES)
@pytest.mark.parametrize("dataset", ["twitter2015", "mnre"])
@settings(max_examples=4)
@given(data=st.data())
def test_every_explainer_of_every_fusion(dataset, model, fusion, data):
    config = ModelConfig(dataset=find_dataset(dataset), model=model, fusion=fusion, preset="tiny")
    words = data.draw(st.lists(WORDS, min_size=2, max_size=12))
    text = " ".join(words)
    if dataset == "mnre":
        text = f"[E1] {words[0]} [/E1] {' '.join(words[2:])} [E2] {words[1]} [/E2]"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "load", lambda _: loaded(config))
        try:
            post = read_post(text, config.dataset, data.draw(photos()))
        except InputError:
            return  # nothing but invisible characters
        others = [Image.new("RGB", (8, 8), "green")]
        try:
            found = explaining.explain(post, cell_of(config), views=VIEWS, others=others)
        except InputError as error:
            assert "reads none" in str(error)
            return
    assert {view.name for view in found.views} | set(found.absent) == set(VIEWS)
    assert not {view.name for view in found.views} & set(found.absent)
    for view in found.views:
        check(view)
    assert all(reason and "\n" not in reason for reason in found.absent.values())
    if model in ("blip", "vilt"):
        assert ("joint-attention" in found.absent) == (post.post.image is None)


def test_a_joint_models_own_attention_is_shown_like_any_other_view(monkeypatch):
    config = ModelConfig(dataset=find_dataset("twitter2017"), model="vilt", fusion="native", preset="tiny")
    monkeypatch.setattr(catalogue, "load", lambda _: loaded(config))
    post = read_post("Kevin in Oakland", find_dataset("twitter2017"), Image.new("RGB", (9, 9), "red"))
    found = {view.name: view for view in explaining.explain(post, cell_of(config)).views}
    asked = found["joint-attention"]
    assert found["joint-attention-heads"].values.shape == (4, 16)
    assert asked.axes[0] == ("mean of layers", "layer 1", "layer 2") and asked.values.shape == (3, 16)
    assert (asked.values >= 0).all() and (asked.values.sum(1) < 1).all(), "the words have the rest"

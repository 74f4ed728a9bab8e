"""What a fusion did, as its trace has it: the right rows, the right order, and reasons for what is absent."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from mmdemo.answer import explain as explaining
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.posts.question import read_post
from mmdemo.types import Explanation, InputError
from tests.explain.cells import MARKED, TWEET, cell_of, loaded


@pytest.fixture
def photo() -> Image.Image:
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return Image.fromarray(noise)


@pytest.fixture
def explained(monkeypatch) -> Callable[..., Explanation]:
    def ask(text: str, dataset: str, photo=None, model="roberta-resnet50", fusion="film", **options):
        config = ModelConfig(dataset=find_dataset(dataset), model=model, fusion=fusion, preset="tiny")
        monkeypatch.setattr(catalogue, "load", lambda _: loaded(config))
        return explaining.explain(read_post(text, config.dataset, photo), cell_of(config), **options)

    return ask


def view(explanation: Explanation, name: str):
    (found,) = [v for v in explanation.views if v.name == name]
    return found


def test_gamma_has_a_row_for_each_word_and_mark(explained, photo):
    answer = explained(MARKED, "mnre", photo)
    gamma = view(answer, "gamma")
    rows = "[E1] Kevin Durant [/E1] enters [E2] Oracle Arena [/E2]".split()
    assert list(gamma.axes[0]) == rows and gamma.values.shape == (9, 32) and gamma.centre == 1
    places = [1, 2, 3, 5, 6, 7, 8, 9, 10]  # "Durant" is two sub-tokens
    order = [int(label.split()[1]) for label in gamma.axes[1]]
    expected = answer.prediction.trace["gamma_BLD"][places][:, order]
    np.testing.assert_array_equal(gamma.values, expected)
    assert sorted(order) == list(range(32))


def test_channels_stand_in_order_of_effect(explained, photo):
    """The pooled photo x is not in the trace: solve for it from the movement that the strip prints."""
    answer = explained(TWEET, "twitter2017", photo)
    gamma, beta, shift = (view(answer, name) for name in ("gamma", "beta", "film-shift"))
    assert gamma.axes == beta.axes and shift.axes[1] == gamma.axes[0]
    cell = loaded(ModelConfig(dataset=find_dataset("twitter2017"), fusion="film", preset="tiny"))
    pixels = torch.from_numpy(cell.encoder.pixels(photo))[None]
    with torch.no_grad():
        x = cell.model.image_projection(cell.model.image_encoder(pixels)).mean(1)[0]
    order = [int(label.split()[1]) for label in gamma.axes[1]]
    moved = (gamma.values - 1) * x.numpy()[order] + beta.values
    effect = np.abs(moved).mean(0)
    assert (np.diff(effect) < 1e-6).all()
    ratio = np.linalg.norm(moved, axis=1) / np.linalg.norm(x.numpy())
    np.testing.assert_allclose(shift.values[2], ratio, rtol=1e-4)


def test_modality_weights_add_up(explained, photo):
    modality = view(explained(TWEET, "twitter2017", photo), "modality")
    np.testing.assert_allclose(modality.values.sum(1), 1, atol=1e-5)
    assert modality.axes == (tuple(TWEET.split()), ("text", "photo"))


def test_the_hybrids_second_part_is_not_called_the_photo(explained, photo):
    modality = view(explained(TWEET, "twitter2017", photo, fusion="hybrid"), "modality")
    assert modality.axes[1] == ("text", "mix of both") and "a mix of text and photo" in modality.note


def test_what_a_cell_lacks_is_said(explained, photo):
    concat = explained(TWEET, "twitter2017", photo, fusion="concat")
    assert "concat has no γ" in concat.absent["gamma"]
    unseen = explained(TWEET, "twitter2017")
    assert "no photo" in unseen.absent["gamma"]
    assert not {v.name for v in concat.views} & set(concat.absent)


def test_targets(explained, photo):
    answer = explained(TWEET, "twitter2017", photo)
    surest = max(answer.prediction.entities, key=lambda e: e.score)
    assert answer.target == f'{surest.label} "{surest.text}"'
    for word in range(5):
        title = explained(TWEET, "twitter2017", photo, target=word, views=["gamma"]).target
        inside = [e for e in answer.prediction.entities if e.start <= word < e.end]
        assert title == (f'{inside[0].label} "{inside[0].text}"' if inside else f'O "{TWEET.split()[word]}"')
    related = explained(MARKED, "mnre", photo, target=2)
    assert related.target == related.prediction.relations[2].label


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"target": 5}, "target 5 is not one of the post's 5 words"),
        ({"target": -1}, "target -1"),
        ({"views": ["magic"]}, "there is no view 'magic'; known: gamma"),
    ],
)
def test_bad_questions_are_one_sentence(explained, photo, options, sentence):
    with pytest.raises(InputError, match=sentence):
        explained(TWEET, "twitter2017", photo, **options)

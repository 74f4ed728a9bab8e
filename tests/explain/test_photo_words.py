"""Explanations of answers to which a photo's words belong: each word by its name and source."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from mmdemo.answer import explain as explaining
from mmdemo.answer.imagine import counterfactuals
from mmdemo.answer.predict import predict
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.explain import explainers
from mmdemo.explain.attribution import total
from mmdemo.explain.explained_post import ExplainedPost
from mmdemo.explain.explainers import VIEWS
from mmdemo.explain.looked_at import parted
from mmdemo.explain.masking import photo_word_gates, region_gates, word_gates
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.photo_text import read_photo_text
from mmdemo.posts.question import read_post
from mmdemo.types import Explanation, PhotoWords, Question
from tests.explain.cells import MARKED, cell_of, loaded

#: "HERSHEYPARK" is more than one sub-token.
SAID = (PhotoWords(source="ocr", text="HERSHEYPARK win"), PhotoWords(source="described", text="a team"))
NAMES = ("HERSHEYPARK (read)", "win (read)", "a (told)", "team (told)")
NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8))
ROWS = [(m, False) for m in MODELS if m not in ("bert-resnet50", "clip-bert")] + [("roberta-resnet50", True)]


def configured(model="roberta-resnet50", fusion="cross-attention", in_text=False, **options) -> ModelConfig:
    shape = {"photo_words": True, "words_in_text": in_text} | options
    return ModelConfig(dataset=find_dataset("mnre"), model=model, fusion=fusion, preset="tiny", **shape)


def asked(config: ModelConfig, photo=NOISE, said=SAID) -> Question:
    question = read_post(MARKED, config.dataset, photo)
    return replace(question, post=replace(question.post, photo_words=said))


@pytest.fixture
def explained(monkeypatch) -> Callable[..., Explanation]:
    def ask(config: ModelConfig, photo=NOISE, said=SAID, **options) -> Explanation:
        monkeypatch.setattr(catalogue, "load", lambda _: loaded(config))
        return explaining.explain(asked(config, photo, said), cell_of(config), **options)

    return ask


def subject(config: ModelConfig, monkeypatch, photo=NOISE) -> ExplainedPost:
    monkeypatch.setattr(catalogue, "load", lambda _: loaded(config))
    found: list[ExplainedPost] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explainers, "explain", lambda subject, views: found.append(subject))
        explaining.explain(asked(config, photo), cell_of(config))
    return found[0]


def view(explanation: Explanation, name: str):
    (found,) = [v for v in explanation.views if v.name == name]
    return found


@pytest.mark.parametrize(("model", "in_text"), ROWS)
@pytest.mark.parametrize("fusion", ["cross-attention", "film", "gated-hybrid", "cross-attention-two-way"])
@pytest.mark.parametrize("photo", [NOISE, None], ids=["photo", "no photo"])
def test_every_view_is_given_or_its_absence_said(explained, model, in_text, fusion, photo):
    answer = explained(configured(model, fusion, in_text), photo, views=VIEWS)
    drawn = {v.name for v in answer.views}
    assert drawn | set(answer.absent) == set(VIEWS) and not drawn & set(answer.absent)
    assert {"photo-word-gradient", "photo-word-occlusion", "image-contribution"} <= drawn
    assert ("photo-and-words" in drawn) is ("region-gradient" in drawn) is (photo is not None)
    for found in answer.views:
        assert found.values.shape[:2] == tuple(len(axis) for axis in found.axes), found.name
        assert np.isfinite(found.values).all()
        if found.kind == "photo-map":
            assert len(found.axes[1]) in (16, 49), "patches alone lie over the photo"
    for name in ("photo-word-gradient", "photo-word-occlusion"):
        assert view(answer, name).axes[1] == NAMES


def test_attention_is_shared_between_patches_and_words(explained):
    answer = explained(configured())
    patches, words = view(answer, "cross-attention"), view(answer, "cross-attention-photo-words")
    assert words.axes[1] == NAMES and words.axes[0] == patches.axes[0]
    np.testing.assert_allclose(patches.values.sum(1) + words.values.sum(1), 1, atol=1e-5)
    assert "rest of each panel's 1" in patches.note
    alone = explained(configured(), None)
    np.testing.assert_allclose(view(alone, "cross-attention-photo-words").values.sum(1), 1, atol=1e-5)
    assert alone.absent["cross-attention"] == "the post has no photo"


def test_a_words_share_is_that_of_its_sub_tokens(explained, reader):
    answer = explained(configured())
    text = read_photo_text(reader, SAID)
    assert text.owners.count(0) > 1
    maps_HLR = answer.prediction.trace["attention_BHLR"]
    assert maps_HLR.shape[-1] == 49 + text.regions
    labels = answer.prediction.regions
    assert [label.kind for label in labels] == ["patch"] * 49 + ["word"] * text.regions
    assert labels[17].text == "row 3, column 4" and labels[17].part is None
    assert [(w.text, w.source, w.part) for w in labels[-2:]] == [
        ("a", "described", 1),
        ("team", "described", 1),
    ]
    looked = parted(maps_HLR, text)
    first = text.owners.count(0)
    np.testing.assert_allclose(looked.words[..., 0], maps_HLR[..., 49 : 49 + first].sum(-1), rtol=1e-6)
    np.testing.assert_allclose(looked.words.sum(-1) + looked.patches.sum(-1), maps_HLR.sum(-1), rtol=1e-5)


def test_a_trace_in_a_batch_is_that_of_the_post_alone(monkeypatch):
    config = configured(fusion="gated-hybrid")
    monkeypatch.setattr(catalogue, "load", lambda _: loaded(config))
    from mmdemo.answer.predict import predict_many

    long = (PhotoWords(source="ocr", text="one two three four five six seven eight"),)
    questions = [asked(config), asked(config, None), asked(config, NOISE, long), asked(config, NOISE, ())]
    together = predict_many(questions, cell_of(config))
    for question, found in zip(questions, together, strict=True):
        alone = predict(question, cell_of(config))
        assert alone.trace.keys() == found.trace.keys() and alone.regions == found.regions
        assert len(alone.regions) == alone.trace["attention_BHLR"].shape[-1]
        for name, value in alone.trace.items():
            np.testing.assert_allclose(value, found.trace[name], rtol=1e-3, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("model", ["blip", "vilt"])
def test_a_joint_models_own_attention_names_words(explained, model):
    views = ["joint-attention", "joint-attention-photo-words"]
    answer = explained(configured(model, "native"), views=views)
    patches, words = (view(answer, name) for name in views)
    assert words.axes[1] == NAMES and words.axes[0] == patches.axes[0]
    sums = patches.values.sum(1) + words.values.sum(1)
    if model == "vilt":  # its text shares the stack
        assert (sums < 1).all()
    else:  # the two ends of the words' text are masked
        np.testing.assert_allclose(sums, 1, atol=1e-5)


@pytest.mark.parametrize("gates", [region_gates, word_gates, photo_word_gates])
@pytest.mark.parametrize(("model", "in_text"), ROWS)
def test_open_gates_change_nothing(model, in_text, gates, monkeypatch):
    post = subject(configured(model, "film", in_text), monkeypatch)
    score, parts = gates(post)
    with torch.inference_mode():
        own = float(post.target.log_odds(post.model(post.batch).logits))
        assert score(torch.ones(17, parts)).numpy() == pytest.approx(own, abs=1e-4)
    assert abs(total(score, parts)) > 1e-4, "the parts matter"


def test_masking_a_word_masks_that_word_alone(monkeypatch):
    """A closed gate is the post whose word nobody can read."""
    post = subject(configured(fusion="film"), monkeypatch)
    score, _ = photo_word_gates(post)
    with torch.inference_mode():
        closed = float(score(torch.tensor([[0.0, 1.0, 1.0, 1.0]])))
    text, mask = post.example.words, post.encoder.reader.mask
    masked = replace(
        text,
        ids=tuple(mask if owner == 0 else i for i, owner in zip(text.ids, text.owners, strict=True)),
        features=tuple(0 if owner == 0 else f for f, owner in zip(text.features, text.owners, strict=True)),
    )
    batch = replace(
        post.batch, word_ids_BK=torch.tensor([masked.ids]), word_features_BK=torch.tensor([masked.features])
    )
    with torch.inference_mode():
        assert closed == pytest.approx(float(post.target.log_odds(post.model(batch).logits)), abs=1e-5)


def test_what_the_picture_and_its_words_change(explained, monkeypatch):
    config = configured(fusion="film")
    found = view(explained(config), "photo-and-words")
    scores = []
    for photo, said in ((NOISE, SAID), (NOISE, ()), (None, SAID), (None, ())):
        answer = predict(asked(config, photo, said), cell_of(config))
        scores.append({r.label: r.score for r in answer.relations})
    both, picture, words, none = scores
    for label, row in zip(found.axes[0], found.values, strict=True):
        if label in none and label in picture and label in words:
            expected = [picture[label] - none[label], words[label] - none[label], both[label] - none[label]]
            np.testing.assert_allclose(row, expected, atol=1e-5)
    assert found.axes[1] == ("picture", "words", "both")


def test_the_photo_looks_back_at_the_text(explained):
    found = view(explained(configured(fusion="cross-attention-two-way")), "cross-attention-back")
    assert found.axes == (("the photo's patches", *NAMES), tuple(MARKED.split()))
    assert ((found.values > 0) & (found.values < 1)).all() and (found.values.sum(1) <= 1.00001).all()


def test_the_gate_is_shown_in_three_parts(explained):
    found = view(explained(configured(fusion="gated-hybrid")), "modality")
    assert found.axes[1] == ("text", "FiLM", "cross-attention")
    np.testing.assert_allclose(found.values.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("fusion", ["film", "film-residual", "film-swapped"])
def test_film_names_what_conditions_it(explained, fusion):
    gamma = view(explained(configured(fusion=fusion), None), "gamma")
    assert gamma.centre == (0.0 if fusion == "film-residual" else 1.0)
    if fusion == "film":
        assert "the mean state of the photo's words" in gamma.note
    else:
        assert gamma.axes[0] == ("the photo's words",)


def test_cells_that_do_not_read_words_say_so(explained):
    config = configured(photo_words=False)
    answer = explained(config)
    assert "does not read what a photo says in words" in answer.absent["photo-word-gradient"]
    said, silent = (predict(asked(config, NOISE, words), cell_of(config)) for words in (SAID, ()))
    assert said.relations == silent.relations
    mute = explained(configured(), NOISE, ())
    assert mute.absent["photo-word-gradient"] == "the photo says nothing in words"


def test_without_the_photo_its_words_are_gone_too(monkeypatch):
    config = configured(fusion="film")
    monkeypatch.setattr(catalogue, "load", lambda _: loaded(config))
    cases = {
        case.name: case.prediction for case in counterfactuals(asked(config), cell_of(config), others=[NOISE])
    }
    assert list(cases) == ["without the photo", "without the photo's words", "another photo"]
    assert cases["without the photo"].post.photo_words == ()
    assert cases["without the photo's words"].post.image is not None
    assert cases["another photo"].post.photo_words == ()

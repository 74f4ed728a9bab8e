"""Encoder states computed once: views differ where they should, and the cache gives back what was written."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from mmdemo.cells.pretrained_base import load_base
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import collate
from mmdemo.models.config import ModelConfig
from mmdemo.models.encode import PostEncoder
from mmdemo.models.model import build_model
from mmdemo.types import Ask, Entity, PhotoWords, Post, Question
from train.cells.fusions import cached_examples
from train.data.batches import bucketed_batches
from train.fit.cached_states import encoder_states, region_maps, with_regions
from train.fit.live import LivePhotos
from train.fit.loop import choose_accelerator
from train.fit.recipe import Recipe
from train.fit.stages import Material, train_trunk

CONFIG = ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny")


@pytest.fixture
def model(tmp_path):
    built = build_model(CONFIG)
    load_base(tmp_path, built, "tiny")
    return built.eval()


@pytest.fixture
def encoder(reader) -> PostEncoder:
    return PostEncoder(CONFIG, reader, CONFIG.sides.normalisation)


@pytest.fixture
def posts(tmp_path) -> list[Post]:
    """A post with a photo, one with a broken photo, one without, and one with the first one's photo."""
    noise = np.random.default_rng(4).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    good, broken = tmp_path / "good.png", tmp_path / "broken.png"
    Image.fromarray(noise).resize((96, 96)).save(good)
    broken.write_bytes(b"broken")
    texts = ("Ann sees Oakland", "Go", "in Oakland tonight , at last", "Bob")
    return [
        Post(text=text, tokens=tuple(text.split()), image=image)
        for text, image in zip(texts, (good, broken, None, good), strict=True)
    ]


@pytest.fixture
def maps(model, encoder, posts, tmp_path):
    """view -> region maps of the posts, cached in one folder."""
    return lambda view: region_maps(model, encoder, posts, view, tmp_path / "cache", "salt")


def states(model, examples, view: int) -> list[torch.Tensor]:
    found = encoder_states(model, examples, view=view, batch_size=2)
    return [e.states_LD for e in found]


# ---------------------------------------------------------------- photos


@pytest.mark.parametrize("left", [0, 40, -2])
def test_a_cached_map_that_is_empty_or_cut_off_is_named_and_made_again(maps, posts, tmp_path, caplog, left):
    first = maps(0)[posts[0].image]
    (file,) = (tmp_path / "cache").glob("*.npy")
    whole = file.read_bytes()
    file.write_bytes(whole[:left])
    assert torch.equal(maps(0)[posts[0].image], first)
    assert file.read_bytes() == whole and f"{file} is damaged" in caplog.text


def test_only_readable_photos_have_regions(maps, posts, encoder):
    regions = maps(0)
    assert [path.name for path in regions] == ["good.png"]
    examples = with_regions([encoder.encode(p, None) for p in posts], posts, regions)
    assert [e.has_image for e in examples] == [True, False, False, True]


def test_view_0_is_the_plain_photo(maps, model, encoder, posts):
    (regions,) = maps(0).values()
    pixels = torch.from_numpy(encoder.pixels(Image.open(posts[0].image)))
    with torch.inference_mode():
        expected = model.image_encoder(pixels[None])[0]
    torch.testing.assert_close(regions.float(), expected, rtol=2e-3, atol=2e-3)


def test_other_views_are_augmented_each_in_its_own_way(maps):
    plain, one, two = (next(iter(maps(view).values())) for view in (0, 1, 2))
    assert plain.shape == one.shape == two.shape == (49, 32)
    assert not torch.equal(plain, one) and not torch.equal(one, two)


def test_a_second_look_reads_the_cache(maps, model, tmp_path):
    first = {view: next(iter(maps(view).values())) for view in (0, 1)}
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 2
    with torch.no_grad():
        for parameter in model.image_encoder.parameters():
            parameter.zero_()  # whatever is computed now would be other
    for view, regions in first.items():
        assert torch.equal(next(iter(maps(view).values())), regions)


def test_another_salt_is_another_cache(maps, model, encoder, posts, tmp_path):
    maps(0)
    region_maps(model, encoder, posts, 0, tmp_path / "cache", "pepper")
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 2


# ---------------------------------------------------------------- texts


def test_view_0_is_the_encoders_plain_answer(model, encoder, posts):
    examples = [encoder.encode(post, None) for post in posts]
    found = states(model, examples, view=0)
    assert [len(s) for s in found] == [len(e.text.ids) for e in examples]
    ids = torch.tensor([examples[0].text.ids])
    features = torch.tensor([examples[0].text.features])
    with torch.inference_mode():
        expected = model.text_encoder(ids, features, torch.ones_like(ids).bool())[0]
    torch.testing.assert_close(found[0].float(), expected, rtol=2e-3, atol=2e-3)
    for a, b in zip(found, states(model, examples, view=0), strict=True):
        assert torch.equal(a, b)


def test_other_views_have_dropout_and_leave_the_encoder_in_evaluation(model, encoder, posts):
    examples = [encoder.encode(post, None) for post in posts]
    plain, one, two = (states(model, examples, view) for view in (0, 1, 1))
    assert not torch.equal(plain[0], one[0]) and not torch.equal(one[0], two[0])
    assert not model.text_encoder.training


# ---------------------------------------------------------------- live photos


def test_live_photos_change_with_the_epoch_and_the_seed_only(encoder, posts):
    examples = [encoder.encode(p, None) for p in posts]
    live = LivePhotos(examples, posts, encoder, seed=1)
    assert len(live) == 4
    first, again, next_epoch = live.epoch(0)[0], live.epoch(0)[0], live.epoch(1)[0]
    assert np.array_equal(first.pixels_CHW, again.pixels_CHW)
    assert not np.array_equal(first.pixels_CHW, next_epoch.pixels_CHW)
    assert not np.array_equal(first.pixels_CHW, live.epoch(0)[3].pixels_CHW)  # the same photo, another post
    other_seed = LivePhotos(examples, posts, encoder, seed=2)[0]
    assert not np.array_equal(first.pixels_CHW, other_seed.pixels_CHW)
    assert [e.has_image for e in live[0:4]] == [True, False, False, True]


# ---------------------------------------------------------------- what photos say in words


@pytest.mark.parametrize(
    ("name", "in_text"),
    [("roberta-resnet50", False), ("roberta-resnet50", True), ("blip", False), ("vilt", False)],
)
def test_states_of_words_are_those_of_the_whole_model(posts, reader, tmp_path, name, in_text):
    config = replace(CONFIG, model=name, photo_words=True, words_in_text=in_text)
    model = build_model(config)
    load_base(tmp_path, model, "tiny")
    model.eval()
    said = (PhotoWords(source="ocr", text="PADRES win"),)
    own = [replace(post, photo_words=said if number % 2 else ()) for number, post in enumerate(posts)]
    encoder = PostEncoder(config, reader, config.sides.normalisation)
    examples = [encoder.encode(post, None) for post in own]
    raw = with_regions(examples, own, region_maps(model, encoder, own, 0, tmp_path / "cache", "salt"))
    cached = encoder_states(model, raw, view=0, batch_size=2)
    assert [e.has_words for e in cached] == [False, True, False, True]
    assert all((e.word_states_KD is None) is (e.words is None) for e in cached)
    with torch.inference_mode():
        expected = model(collate(raw)).logits
        torch.testing.assert_close(model(collate(cached)).logits, expected, rtol=1e-2, atol=1e-2)


def test_live_photos_keep_their_words(posts, reader):
    config = replace(CONFIG, photo_words=True)
    encoder = PostEncoder(config, reader, config.sides.normalisation)
    own = [replace(post, photo_words=(PhotoWords(source="objects", text="suit"),)) for post in posts]
    live = LivePhotos([encoder.encode(post, None) for post in own], own, encoder, seed=1)
    assert [e.has_words for e in live[0:4]] == [True] * 4
    assert [e.has_image for e in live[0:4]] == [True, False, False, True]


# ---------------------------------------------------------------- several descriptions of a photo


def told(reader, tmp_path, *, in_text: bool):
    """(model, material): posts with three descriptions each, for a model that reads photos' words."""
    config = replace(CONFIG, photo_words=True, words_in_text=in_text)
    model = build_model(config)
    load_base(tmp_path, model, "tiny")
    said = tuple(
        PhotoWords(source="captioned", text=f"{name} sees Oakland", by=name)
        for name in ("blip", "cogvlm", "minicpm")
    )
    ann = Entity(start=1, end=2, label="PER")
    post = Post(text="Go Ann", tokens=("Go", "Ann"), photo_words=said, entities=(ann,))
    questions = [Question(post=post, ask=Ask(entities=True))] * 40
    encoder = PostEncoder(config, reader, config.sides.normalisation)
    return model.eval(), Material(train=questions, valid=questions, encoder=encoder)


def described_by(examples) -> list[str]:
    return [e.words.words[0].text for e in examples]


@pytest.mark.parametrize("in_text", [False, True])
def test_each_cached_view_holds_one_description_and_validation_the_first(reader, tmp_path, in_text):
    model, material = told(reader, tmp_path, in_text=in_text)
    recipe = Recipe(views=2, image_dropout=0.0)
    plain, one, two = (
        cached_examples(model, material, material.train, recipe, view, tmp_path, tmp_path / "maps")
        for view in (0, 1, 2)
    )
    assert described_by(plain) == ["blip"] * 40
    assert set(described_by(one)) == {"blip", "cogvlm", "minicpm"}
    assert described_by(one) != described_by(two)
    again = cached_examples(model, material, material.train, recipe, 1, tmp_path, tmp_path / "maps")
    assert described_by(again) == described_by(one)
    for example in one:  # the states are those of the very words
        assert example.word_states_KD.shape[0] == len(example.words.ids)


def test_each_epoch_of_live_photos_shows_one_description(reader, tmp_path):
    _, material = told(reader, tmp_path, in_text=False)
    examples = material.examples(material.train, training=True)
    live = LivePhotos(examples, [q.post for q in material.train], material.encoder, seed=1)
    one, two = described_by(live.epoch(0)), described_by(live.epoch(1))
    assert one != two and set(one) == set(two) == {"blip", "cogvlm", "minicpm"}
    assert described_by(live.epoch(0)) == one


def test_each_epoch_of_a_trunk_whose_text_sees_words_shows_one_description(reader, tmp_path, monkeypatch):
    _, material = told(reader, tmp_path, in_text=True)
    epochs = []

    def watched(examples, *arguments, **options):
        epochs.append(described_by(examples))
        return bucketed_batches(examples, *arguments, **options)

    monkeypatch.setattr("train.fit.stages.bucketed_batches", watched)
    recipe = Recipe(epochs=2, image_dropout=0.0, text_lr=0.0, embedding_lr=0.0)
    train_trunk(material, recipe, tmp_path / "run", tmp_path, tmp_path / "maps", choose_accelerator("cpu"))
    assert len(epochs) == 2 and epochs[0] != epochs[1]
    assert set(epochs[0]) == {"blip", "cogvlm", "minicpm"}

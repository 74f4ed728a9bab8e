"""What photos bring: each condition really changes the photos it should, and nothing else."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmdemo.cells.card import load_card
from mmdemo.cells.checkpoint import cell_folder, load_model
from mmdemo.cells.zoo import post_encoder
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.types import InputError
from tests.tiny import build_cell, lively_model, write_data
from tests.train.cells.test_words import Described
from train.cells.fusions import cached_examples, raw_examples
from train.data.source import DataSource
from train.fit.cached_states import encoder_states
from train.fit.recipe import Recipe
from train.fit.stages import Material
from train.score import evaluate as evaluating
from train.score.evaluate import (
    CONDITIONS,
    WORD_CONDITIONS,
    _others,
    change_photos,
    condition_posts,
    evaluate,
)
from train.score.report import render


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> DataSource:
    """Twelve test posts; ten have photos, of which two share one file's content and one is broken."""
    folder = write_data(tmp_path_factory.mktemp("data"), 12, valid=12)
    images = folder / "images"
    images.mkdir()
    rng = np.random.default_rng(2)
    for i in range(10):
        noise = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((80, 80)).save(images / f"test{i}.png")
    shutil.copy(images / "test0.png", images / "test1.png")
    (images / "test2.png").write_bytes(b"broken")
    return DataSource(folder=folder, images=images)


@pytest.fixture(scope="module", params=["twitter2017", "mnre"])
def cell(request, tiny_zoo) -> Path:
    return cell_folder(
        tiny_zoo, ModelConfig(dataset=find_dataset(request.param), fusion="film", preset="tiny")
    )


@pytest.fixture
def changed(cell, data, tiny_zoo, tmp_path):
    """(examples, condition -> examples under it) of the test split."""
    card = load_card(cell)
    model = load_model(tiny_zoo, cell, card)
    encoder = post_encoder(card.config, tiny_zoo)
    asked = data.questions(card.config.dataset, "test")
    material = Material(train=[], valid=asked, encoder=encoder)
    examples = cached_examples(model, material, asked, Recipe(), 0, tiny_zoo, tmp_path)
    return examples, lambda condition: change_photos(model, encoder, examples, asked, condition)


def regions(examples) -> list[torch.Tensor | None]:
    return [e.regions_RD for e in examples]


def test_posts_without_a_readable_photo_have_none(changed):
    examples, _ = changed
    assert [i for i, e in enumerate(examples) if not e.has_image] == [2, 10, 11]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_posts_without_a_photo_stay_as_they_are_and_words_too(changed, condition):
    examples, under = changed
    found = under(condition)
    assert len(found) == len(examples)
    for before, after in zip(examples, found, strict=True):
        assert after.text == before.text and after.target == before.target
        assert torch.equal(after.states_LD, before.states_LD)
        if not before.has_image:
            assert not after.has_image


def test_own_photos_are_kept(changed):
    examples, under = changed
    assert regions(under("photo")) == regions(examples)


def test_none_takes_every_photo_away(changed):
    _, under = changed
    assert not any(e.has_image for e in under("none"))


def test_blank_gives_all_the_same_photo(changed):
    examples, under = changed
    found = [r for r in regions(under("blank")) if r is not None]
    assert len(found) == 9 and all(torch.equal(r, found[0]) for r in found)
    assert not any(torch.allclose(found[0], r.float(), atol=1e-2) for r in regions(examples) if r is not None)


def test_shuffled_gives_everyone_anothers_photo(changed):
    examples, under = changed
    before, after = regions(examples), regions(under("shuffled"))
    having = [i for i, r in enumerate(before) if r is not None]
    assert [i for i in having if after[i] is before[i]] == []
    assert sorted(id(after[i]) for i in having) == sorted(id(before[i]) for i in having)
    assert [id(r) for r in regions(under("shuffled"))] == [id(r) for r in after]  # seeded


@pytest.mark.parametrize("photos", [["a"], ["a", "b"], ["a", "a", "b", "b"], [*"aaabbbccc"], ["a", "a"], []])
def test_no_one_gets_the_own_photo_where_that_can_be(photos):
    order = _others(photos)
    assert sorted(order) == list(range(len(photos)))
    if len(set(photos)) > 1:
        assert all(photos[j] != photo for j, photo in zip(order, photos, strict=True))


def test_scores_by_condition(cell, data, tmp_path):
    scores = evaluate(cell, data, "test", cache=tmp_path)
    assert scores["posts"] == 12 and scores["with_photo"] == 9
    assert set(scores) == {"posts", "with_photo", *CONDITIONS}
    blind = evaluate(
        cell, DataSource(folder=data.folder), "test", cache=tmp_path, conditions=["photo", "none"]
    )
    assert blind["with_photo"] == 0
    assert blind["photo"] == blind["none"] == scores["none"]
    json.dumps(scores)


@pytest.mark.parametrize("model", ["roberta-resnet50", "vilt"])
def test_states_are_those_of_the_condition_and_read_once(data, tiny_zoo, tmp_path, monkeypatch, model):
    """An encoder that reads a photo's words and no pixels has read the same where the words are."""
    shape = {"model": model, "fusion": "film" if model != "vilt" else "native", "photo_words": True}
    config = ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny", words_in_text=True, **shape)
    built, _ = lively_model(config, tiny_zoo)
    encoder = post_encoder(config, tiny_zoo)
    asked = Described(folder=data.folder, images=data.images).questions(config.dataset, "test")
    read = []

    def counted(model, examples, **options):
        read.append(len(examples))
        return encoder_states(model, examples, **options)

    monkeypatch.setattr(evaluating, "encoder_states", counted)
    found = condition_posts(built, encoder, asked, tiny_zoo, tmp_path).examples
    assert set(found) == {*CONDITIONS, *WORD_CONDITIONS}
    # Own words, none where there are some, and another's; the six conditions of a joint encoder.
    assert sum(read) == 12 * 6 if model == "vilt" else sum(read) < 12 * 3
    raw = raw_examples(built, encoder, asked, 0, tiny_zoo, tmp_path)
    for name, examples in found.items():
        changed = change_photos(built, encoder, raw, asked, name)
        fresh = encoder_states(built, changed, view=0, batch_size=64)
        for one, other in zip(examples, fresh, strict=True):
            assert (one.has_image, one.words) == (other.has_image, other.words)
            torch.testing.assert_close(one.states_LD, other.states_LD, atol=4e-3, rtol=4e-3)
            if other.word_states_KD is not None:
                torch.testing.assert_close(one.word_states_KD, other.word_states_KD, atol=4e-3, rtol=4e-3)


def test_a_limit_takes_the_first_posts(cell, data, tmp_path):
    scores = evaluate(cell, data, "test", cache=tmp_path, conditions=["none"], limit=5)
    assert scores["posts"] == 5 and scores["with_photo"] == 4


def test_a_second_evaluation_reads_the_cache_and_agrees(cell, data, tmp_path, monkeypatch):
    first = evaluate(cell, data, "test", cache=tmp_path)
    kept = sorted(p.name for p in tmp_path.iterdir())
    assert len(kept) == 8 and all(name.endswith(".npy") for name in kept)  # two posts share one photo

    def never(*_):
        raise AssertionError("a photo was encoded again")

    monkeypatch.setattr(
        "train.fit.cached_states._backbone_map",
        lambda *a, **k: None if "test2" in str(a[2].image) else never(),
    )
    assert evaluate(cell, data, "test", cache=tmp_path) == first


def test_a_tuned_image_encoder_does_not_read_the_bases_cache(data, tmp_path, reader):
    """End-to-end cells on their own trunks must not share region maps with the frozen encoder's."""
    config = ModelConfig(dataset=find_dataset("twitter2017"), fusion="film", preset="tiny")
    base = tmp_path / "zoo" / "lite" / "base"
    base.mkdir(parents=True)
    (base / "tokenizer.json").write_text(reader.tokenizer.to_str())
    build_cell(tmp_path / "zoo", config)
    folder, cache = cell_folder(tmp_path / "zoo", config), tmp_path / "cache"
    evaluate(folder, data, "test", cache=cache, conditions=["photo"])
    shared = {p.name for p in cache.iterdir()}
    build_cell(tmp_path / "zoo", config, own_trunk=True)
    evaluate(folder, data, "test", cache=cache, conditions=["photo"])
    assert len({p.name for p in cache.iterdir()} - shared) == len(shared)


def test_the_report_is_a_table_of_both_kinds_of_figures(cell, data, tmp_path):
    text = render(evaluate(cell, data, "test", cache=tmp_path))
    assert "12 posts, 9 with a photo" in text
    assert all(condition in text for condition in CONDITIONS)
    wanted = ("entity F1 (field)", "strict", "token accuracy (report)", "PER")
    if "mnre" in str(cell):
        wanted = ("micro-F1 without None (field)", "accuracy (report)", "macro F1, all 23", "/per/per/peer")
    assert all(title in text for title in wanted)


@pytest.mark.parametrize("split", ["dev", ""])
def test_an_unknown_split_is_one_sentence(cell, data, tmp_path, split):
    with pytest.raises(InputError, match="unknown split"):
        evaluate(cell, data, split, cache=tmp_path)


def test_a_folder_without_a_checkpoint_is_one_sentence(data, tmp_path):
    with pytest.raises(InputError, match="config.json is missing"):
        evaluate(tmp_path, data, "test", cache=tmp_path)

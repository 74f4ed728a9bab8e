"""The contract of every row, fusion and task with what a photo says in words: words alone, beside a photo,
few, many, none; and models that do not read them.

As in `tests.models.test_model`, a row is built once and only changes its fusion.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import Example, collate
from mmdemo.models.config import ModelConfig
from mmdemo.models.encoders.table import MODELS
from mmdemo.models.features import TextEncoder
from mmdemo.models.fusion.table import buildable
from mmdemo.models.model import MultimodalModel
from mmdemo.models.photo_text import read_photo_text
from mmdemo.types import Pair, PhotoWords
from tests.models.test_model import root  # noqa: F401 (the full models' bases)
from tests.tiny import lively_fusion, lively_model

DATASETS = ("twitter2017", "mnre")
PAIR = Pair(head=(0, 1), tail=(2, 3))
#: (preset, dataset, model, fusion, whether two encoders read the words in the text's own stack)
CASES = [("tiny", d, m, f, False) for d in DATASETS for m in MODELS for f in buildable(m)]
CASES += [("tiny", d, "roberta-resnet50", f, True) for d in DATASETS for f in buildable("roberta-resnet50")]
CASES += [("full", "mnre", m, "film", False) for m in MODELS]
CASES += [("full", "mnre", m, "film", True) for m in ("roberta-resnet50", "bert-resnet50")]

SAID = {
    "some": [PhotoWords(source="ocr", text="PADRES 2-0"), PhotoWords(source="described", text="a team")],
    "one word": [PhotoWords(source="objects", text="ballplayer")],
    "300 words": [PhotoWords(source="captioned", text="a man holds a bat " * 60)],
}
#: What stands beside the text of each example: (a photo, words).
STATES = {
    "both": (True, "some"),
    "photo": (True, ""),
    "words": (False, "some"),
    "one word": (False, "one word"),
    "300 words": (True, "300 words"),
    "neither": (False, ""),
}
NEAR = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(params=CASES, ids=lambda case: "-".join(map(str, case)))
def config(request, root) -> ModelConfig:  # noqa: F811
    preset, dataset, model, fusion, in_text = request.param
    return ModelConfig(
        dataset=find_dataset(dataset),
        model=model,
        fusion=fusion,
        preset=preset,
        photo_words=True,
        words_in_text=in_text,
    )


@cache
def _row(preset: str, dataset: str, model: str, in_text: bool, folder: Path) -> MultimodalModel:
    torch.manual_seed(3)
    config = ModelConfig(
        dataset=find_dataset(dataset),
        model=model,
        preset=preset,
        photo_words=True,
        words_in_text=in_text,
    )
    built, _ = lively_model(config, folder)
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            if preset == "full" and "_encoder." in name and parameter.ndim > 1:
                parameter.add_(0.15 * torch.randn_like(parameter))
            if name == "word_projection.source.weight":
                parameter.normal_()
    return built


@pytest.fixture
def model(config, root) -> Iterator[MultimodalModel]:  # noqa: F811
    built = _row(config.preset, config.dataset.name, config.model, config.words_in_text, root)
    built.fusion = lively_fusion(config)
    yield built.eval()
    built.zero_grad()


@pytest.fixture
def examples(config, reader) -> dict[str, Example]:
    rng = np.random.default_rng(3)
    found = {}
    for number, (name, (photo, said)) in enumerate(STATES.items()):
        words = ["Ann", "of", "Oakland", *["!"] * number]
        found[name] = Example(
            text=reader.read(words, PAIR if config.dataset.has_relations else None),
            target=tuple(range(len(words))) if config.dataset.has_entities else 5,
            pixels_CHW=rng.standard_normal((3, 64, 64)).astype(np.float32) if photo else None,
            words=read_photo_text(reader, SAID[said]) if said else None,
        )
    return found


def logits_of(model: MultimodalModel, *examples: Example) -> torch.Tensor:
    with torch.inference_mode():
        return model(collate(examples)).logits


def test_a_post_answers_alike_alone_and_in_a_batch(config, model, examples):
    """So padding, of texts, of words and of those without any, changes nothing."""
    together = logits_of(model, *examples.values())
    assert together.isfinite().all()
    for row, (name, example) in enumerate(examples.items()):
        alone = logits_of(model, example)[0]
        seen = together[row, : len(alone)] if config.dataset.has_entities else together[row]
        torch.testing.assert_close(alone, seen, **NEAR, msg=lambda said, name=name: f"{name}: {said}")


def test_each_part_beside_the_text_matters_where_it_is_read(config, model, examples):
    both = examples["both"]
    answers = logits_of(
        model, both, both.without_words(), both.without_photo(), both.without_photo().without_words()
    )
    different = [
        not torch.allclose(answers[i], answers[j], atol=1e-3) for i, j in ((0, 1), (0, 2), (1, 3), (2, 3))
    ]
    assert different == [config.reads != "text"] * 4


def test_without_a_photo_and_its_words_the_answer_is_the_texts_own(config, model, examples):
    """Exactly: such a post never meets what reads photos."""
    batch = collate([examples["neither"]])
    with torch.inference_mode():
        states = model.encode(batch)
        plain = model.text_encoder(
            batch.ids_BL,
            batch.features_BL,
            batch.mask_BL,
            *((None, batch.present_B) if config.joint else ()),
        )
        plain_BLD = plain.tokens_BLD if config.joint else plain
        own = model.head_for(batch)(model.text_projection(plain_BLD), batch)
    assert states.regions_BRD is None and states.words_BKD is None
    if config.reads == "photo":
        return
    assert torch.equal(model(batch).logits, own)
    assert torch.equal(
        model(collate([examples["both"]]).without_images()).logits,
        logits_of(model, examples["both"].without_photo().without_words()),
    )


def test_the_order_of_posts_does_not_mix_their_words(model, examples):
    order = list(examples.values())
    forth, back = logits_of(model, *order), logits_of(model, *order[::-1])
    torch.testing.assert_close(forth, back.flip(0), **NEAR)


def test_cached_states_give_the_same_scores(config, model, examples):
    some = [examples[name] for name in ("both", "photo", "words", "neither")]
    batch = collate(some)
    with torch.inference_mode():
        states = model.encode(batch)
    cached = []
    for row, example in enumerate(some):
        regions, words = states.regions_BRD, states.words_BKD
        cached.append(
            replace(
                example,
                pixels_CHW=None,
                states_LD=states.tokens_BLD[row, : len(example.text.ids)],
                regions_RD=regions[row] if example.has_image and regions is not None else None,
                word_states_KD=(
                    words[row, : len(example.words.ids)] if example.words and words is not None else None
                ),
            )
        )
    torch.testing.assert_close(logits_of(model, *cached), logits_of(model, *some), **NEAR)


def test_every_part_learns(config, model, examples):
    batch = collate(list(examples.values()))
    model.head_for(batch).loss(model.train()(batch).logits, batch).backward()
    read = {"word_projection"} if config.reads != "text" and config.fusion != "native" else set()
    for part in read:
        for name, parameter in getattr(model, part).named_parameters():
            if name != "source.weight":
                assert parameter.grad.abs().sum() > 0, name
        source_SD = model.word_projection.source.weight.grad
        assert (source_SD.abs().sum(1) > 0).all(), "each source was there"
    encoder = model.text_encoder
    assert isinstance(encoder, TextEncoder)
    assert (encoder.region_source is not None) is config.text_sees_words
    if encoder.region_source is not None and config.reads != "text":
        assert (encoder.region_source.weight.grad.abs().sum(1) > 0).all()


def test_the_source_of_a_word_matters(config, model, examples):
    both = examples["both"]
    other = replace(both.words, sources=tuple(3 if source >= 0 else source for source in both.words.sources))
    one, two = logits_of(model, both, replace(both, words=other))
    assert torch.allclose(one, two, atol=1e-4) is (config.reads == "text")


# ---------------------------------------------------------------- one configuration is enough


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_photos_alone_leaves_words_unread(reader, tmp_path, name):
    config = ModelConfig(dataset=find_dataset("mnre"), model=name, preset="tiny")
    model, _ = lively_model(config, tmp_path)
    pixels = np.random.default_rng(1).standard_normal((3, 64, 64)).astype(np.float32)
    example = Example(
        text=reader.read(["Ann", "and", "Bob"], PAIR),
        pixels_CHW=pixels,
        words=read_photo_text(reader, SAID["some"]),
    )
    said, silent = logits_of(model, example), logits_of(model, example.without_words())
    assert torch.equal(said, silent)
    assert not any(n.startswith(("word_projection", "text_encoder.region_s")) for n in model.state_dict())


@pytest.mark.parametrize("name", [name for name, row in MODELS.items() if row.joint])
def test_a_joint_models_text_alone_has_not_seen_the_photo_nor_the_other_way_round(reader, tmp_path, name):
    config = ModelConfig(dataset=find_dataset("mnre"), model=name, preset="tiny", fusion="text-only")
    model, _ = lively_model(config, tmp_path)
    rng = np.random.default_rng(1)
    photos = [rng.standard_normal((3, 64, 64)).astype(np.float32) for _ in range(2)]
    texts = [reader.read(text.split(), PAIR) for text in ("Ann and Bob", "Rome or Oslo !")]
    one, two = (Example(text=texts[0], pixels_CHW=photo) for photo in photos)
    assert torch.equal(logits_of(model, one), logits_of(model, two))
    assert not torch.allclose(logits_of(model, one), logits_of(model, replace(one, text=texts[1])), atol=1e-2)
    model.fusion = lively_fusion(replace(config, fusion="image-only"))
    assert not torch.allclose(logits_of(model, one), logits_of(model, two), atol=1e-3)
    torch.testing.assert_close(logits_of(model, one), logits_of(model, replace(one, text=texts[1])), **NEAR)


def test_words_behind_a_text_can_be_read_by_it(reader, tmp_path):
    """In one stack the text's own states know the words; read apart, only the fusion does."""
    for in_text in (True, False):
        config = ModelConfig(
            dataset=find_dataset("mnre"), preset="tiny", photo_words=True, words_in_text=in_text
        )
        model, _ = lively_model(config, tmp_path)
        text = reader.read(["Ann", "and", "Bob"], PAIR)
        said, silent = (
            model.encode(collate([Example(text=text, words=words)]))
            for words in (read_photo_text(reader, SAID["some"]), None)
        )
        assert torch.equal(said.tokens_BLD, silent.tokens_BLD) is not in_text
        assert said.words_BKD.shape[0] == 1 and silent.words_BKD is None

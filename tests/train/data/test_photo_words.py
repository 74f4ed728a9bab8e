"""What training takes of a photo's words: one description at a time, drawn anew, and the rest with each."""

from collections import Counter

import numpy as np
import pytest

from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.models.encode import PostEncoder
from mmdemo.types import PhotoWords, Post
from train.data.photo_words import first_described, one_described, variants

OBJECT = PhotoWords(source="objects", text="football helmet", score=0.8, by="net")
SIGN = PhotoWords(source="ocr", text="PADRES", score=0.9, box=(0.1, 0.1, 0.4, 0.2), by="reader")
ALT = PhotoWords(source="described", text="my brother")


def caption(text: str, by: str) -> PhotoWords:
    return PhotoWords(source="captioned", text=text, by=by)


CAPTIONS = tuple(
    caption(f"{by} sees a player", by)
    for by in ("blip2", "instructblip", "llava_next", "minicpm", "cogvlm", "mplug_owl")
)


@pytest.fixture
def encoder(reader) -> PostEncoder:
    config = ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny", photo_words=True)
    return PostEncoder(config, reader, config.sides.normalisation)


def post(*words: PhotoWords) -> Post:
    return Post(text="Go Padres", tokens=("Go", "Padres"), photo_words=words)


def captioner_of(example) -> str:
    (by,) = {word.text for word in example.words.words} & {c.by for c in CAPTIONS}
    return by


def test_each_description_stands_alone_with_all_else_in_the_rules_order():
    found = variants((*CAPTIONS, SIGN, OBJECT, ALT))
    assert found == tuple((ALT, OBJECT, one, SIGN) for one in CAPTIONS)


def test_without_a_caption_there_is_one_variant():
    assert variants((SIGN, OBJECT)) == ((OBJECT, SIGN),)
    assert variants(()) == ((),)


def test_captions_pass_the_rules_and_two_that_say_the_same_by_the_same_are_one():
    long = caption("word " * 100, "minicpm")
    noise = caption("\u202e\u200b", "blip2")
    ((cut,),) = variants((noise, long, long))
    assert len(cut.text) <= 300 and cut.by == "minicpm"


def test_validation_sees_the_first_description_whatever_is_drawn(encoder):
    told = first_described(post(*CAPTIONS, SIGN), encoder)
    assert told.photo_words == (CAPTIONS[0], SIGN)
    assert first_described(told, encoder) == told


def test_each_visit_draws_one_description_and_over_many_all_of_them_alike(encoder):
    posts = [post(*CAPTIONS, SIGN)] * 1200
    examples = [encoder.encode(first_described(p, encoder), None) for p in posts]
    found = one_described(examples, posts, encoder, np.random.default_rng(3))
    counts = Counter(map(captioner_of, found))
    assert set(counts) == {c.by for c in CAPTIONS} and all(150 < n < 250 for n in counts.values())
    assert all("PADRES" in {word.text for word in e.words.words} for e in found)
    again = one_described(examples, posts, encoder, np.random.default_rng(3))
    assert again == found != one_described(examples, posts, encoder, np.random.default_rng(4))
    assert [captioner_of(e) for e in examples] == ["blip2"] * 1200, "the examples are left alone"


def test_what_one_post_has_changes_no_other_ones_draw(encoder):
    several, plain = post(*CAPTIONS), post(SIGN)
    drawn = []
    for posts in ([several, several, several], [plain, several, several]):
        examples = [encoder.encode(first_described(p, encoder), None) for p in posts]
        drawn.append(one_described(examples, posts, encoder, np.random.default_rng(1))[1:])
    assert drawn[0] == drawn[1]


def test_a_model_that_reads_no_words_draws_nothing(reader):
    config = ModelConfig(dataset=find_dataset("twitter2017"), preset="tiny")
    blind = PostEncoder(config, reader, config.sides.normalisation)
    told = post(*CAPTIONS)
    assert first_described(told, blind) is told
    example = blind.encode(told, None)
    rng = np.random.default_rng(1)
    assert one_described([example], [told], blind, rng) == [example] and example.words is None
    assert rng.random() == np.random.default_rng(1).random()

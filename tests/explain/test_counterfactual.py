"""Posts imagined otherwise: what is changed is exactly what was asked for, and differences are named."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mmdemo.answer import imagine as imagining
from mmdemo.answer import predict as answering
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.explain.counterfactual import changes, imagined, paint_out
from mmdemo.models.config import ModelConfig
from mmdemo.posts.question import read_post
from mmdemo.types import Ask, Entity, InputError, Pair, PhotoWords, Post, Prediction, Relation
from tests.explain.cells import MARKED, TWEET, cell_of, loaded

PHOTO = Image.new("RGB", (40, 20), (200, 100, 0))
POST = Post(text=TWEET, tokens=tuple(TWEET.split()), image=PHOTO)


def test_the_words_of_a_photo_go_with_it():
    """They are the photo's: another photo does not say them, and one painted over still may."""
    said = replace(POST, photo_words=(PhotoWords(source="ocr", text="PADRES"),))
    mask = np.ones((4, 4))
    cases = dict(imagined(said, others=[PHOTO], painted=mask, masked=[0]))
    told = {name: bool(post.photo_words) for name, post in cases.items()}
    assert list(told.values()) == [False, False, False, True, True], told


def test_a_photo_can_be_imagined_to_say_something_else():
    (_, case), (name, said) = imagined(POST, said=["", "  Oracle   Arena ", "x" * 3000])
    assert said.image is POST.image and not case.photo_words
    assert [one.text for one in said.photo_words] == ["Oracle Arena", "x" * 2000]
    assert name.startswith("the photo says: Oracle Arena / xx") and len(name) < 100
    assert imagined(POST, said=[" ", ""]) == imagined(POST)


def answer(*entities: Entity) -> Prediction:
    return Prediction(post=POST, ask=Ask(), checkpoint="c", image_used=True, entities=entities)


def entity(start: int, end: int, label: str = "PER") -> Entity:
    return Entity(start=start, end=end, label=label, text=" ".join(POST.tokens[start:end]), score=0.5)


def test_every_entity_of_either_answer_is_named_once():
    before = answer(entity(0, 2), entity(3, 4, "LOC"), entity(4, 5, "ORG"))
    after = answer(entity(0, 2, "MISC"), entity(2, 3), entity(3, 5, "LOC"))
    found = changes(before, after)
    assert [(c.kind, (c.before or c.after).start) for c in found] == [
        ("relabelled", 0),
        ("gained", 2),
        ("resized", 3),
        ("lost", 4),
    ]
    assert {id(c.before) for c in found if c.before} == {id(e) for e in before.entities}
    assert {id(c.after) for c in found if c.after} == {id(e) for e in after.entities}
    assert [c.kind for c in changes(before, before)] == ["kept"] * 3


def test_a_relation_is_kept_or_relabelled():
    pair = Pair(head=(0, 2), tail=(3, 5))
    one, two = (
        Prediction(
            post=POST,
            ask=Ask(entities=False, relations=(pair,)),
            checkpoint="c",
            image_used=False,
            relations=(
                Relation(head=pair.head, tail=pair.tail, label=label, score=0.9),
                Relation(head=pair.head, tail=pair.tail, label="another", score=0.1),
            ),
        )
        for label in ("None", "/per/per/peer")
    )
    assert [c.kind for c in changes(one, one)] == ["kept"]
    assert [c.kind for c in changes(one, two)] == ["relabelled"]


def test_what_is_imagined_is_what_was_asked_for():
    mask = np.zeros((2, 4))
    mask[:, :2] = 1
    cases = dict(imagined(POST, others=[PHOTO, PHOTO], painted=mask, masked={1}, replaced={2: "leaves"}))
    assert list(cases) == [
        "without the photo",
        "another photo 1",
        "another photo 2",
        "part of the photo painted out",
        "without the words: Durant",
        "other words: enters → leaves",
    ]
    assert cases["without the photo"].image is None
    assert cases["without the words: Durant"].tokens == ("Kevin", "", "enters", "Oracle", "Arena")
    assert cases["other words: enters → leaves"].tokens[2] == "leaves"
    assert list(dict(imagined(Post(text="a", tokens=("a",)), others=[PHOTO]))) == ["a photo"]


def test_paint_covers_its_part_with_the_mean_colour():
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 40, 3), dtype=np.uint8))
    painted = np.asarray(paint_out(photo, np.array([[True, False]])))
    mean = np.asarray(photo).reshape(-1, 3).mean(0).round()
    assert (painted[:, :20] == mean).all()
    np.testing.assert_array_equal(painted[:, 20:], np.asarray(photo)[:, 20:])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"painted": np.zeros((3, 3))}, "nothing is painted"),
        ({"painted": np.ones((3, 3, 3))}, "nothing is painted"),
        ({"painted": np.array([["x"]])}, "nothing is painted"),
        ({"masked": [5]}, "there is no word 5; the post has 5"),
        ({"masked": range(5)}, "every word is left out"),
        ({"replaced": {-1: "x"}}, "there is no word -1"),
        ({"replaced": {0: "two words"}}, "'two words' is not one word"),
        ({"replaced": {0: " "}}, "is not one word"),
        ({"others": [PHOTO] * 17}, "17 other photos were given; at most 16"),
        ({"others": ["/no/such/file.jpg"]}, "'file.jpg' does not exist"),
    ],
)
def test_what_cannot_be_imagined_is_one_sentence(asked, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        imagined(POST, **asked)
    assert "\n" not in str(caught.value)


def test_paint_needs_a_photo():
    with pytest.raises(InputError, match="no photo to paint out"):
        imagined(Post(text="a", tokens=("a",)), painted=np.ones((2, 2)))


@pytest.mark.parametrize(("dataset", "text"), [("twitter2017", TWEET), ("mnre", MARKED)])
def test_the_answers_are_the_models_own(dataset, text, monkeypatch):
    config = ModelConfig(dataset=find_dataset(dataset), preset="tiny")
    monkeypatch.setattr(catalogue, "load", lambda _: loaded(config))
    post = read_post(text, config.dataset, PHOTO)
    other = Image.new("RGB", (30, 30), "blue")
    cases = imagining.counterfactuals(post, cell_of(config), others=[other], masked=[0])
    assert [case.name for case in cases] == ["without the photo", "another photo", "without the words: Kevin"]
    alone = answering.predict(read_post(text, config.dataset), cell_of(config))
    assert not cases[0].prediction.image_used
    pairs = zip(
        cases[0].prediction.entities + cases[0].prediction.relations,
        alone.entities + alone.relations,
        strict=True,
    )
    for imagined_one, real in pairs:
        assert imagined_one.label == real.label and imagined_one.score == pytest.approx(real.score, rel=1e-4)
    assert all(case.changes for case in cases)

"""Queues predicted by the zoo's cells: one bad post keeps no other from its suggestion."""

from pathlib import Path

import pytest
from PIL import Image

from mmdemo.answer.preannotation import predict_queue, siblings, suggestions
from mmdemo.cells import catalogue
from mmdemo.datasets.discovery import find_dataset
from mmdemo.review.store.reviews import Store, open_store
from mmdemo.types import Ask, Pair, Post, Question

TOKENS = ("Ann", "waves", "in", "Oslo")


@pytest.fixture(autouse=True)
def tiny(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))


@pytest.fixture
def store(tmp_path):
    found = open_store(tmp_path / "reviews.sqlite3")
    yield found
    found.close()


def fill(store: Store, dataset: str, questions: list[Question]) -> None:
    store.make_queue("may", find_dataset(dataset))
    store.add("may", questions)


def question(name: str, image: Path | None = None, pair: Pair | None = None) -> Question:
    post = Post(text=" ".join(TOKENS), tokens=TOKENS, id=name, image=image)
    ask = Ask(entities=pair is None, relations=() if pair is None else (pair,))
    return Question(post=post, ask=ask)


def test_a_photo_that_is_gone_counts_as_none(store, tmp_path):
    for name, colour in (("kept", "red"), ("gone", "blue")):
        Image.new("RGB", (20, 20), colour).save(tmp_path / f"{name}.png")
    fill(store, "twitter2017", [question(name, tmp_path / f"{name}.png") for name in ("kept", "gone")])
    stored = [review.post.image for review in store.page("may", "Ann").reviews]
    Path(str(stored[1])).unlink()
    cell = catalogue.find_cell("twitter2017", "roberta-resnet50", "film", "tiny")
    assert predict_queue(store, "may", cell, others=siblings(cell)[:1], blind=True) == 2
    kept, gone = (review.suggestion for review in store.page("may", "Ann").reviews)
    assert kept and gone and gone.flip == 0


def test_a_post_without_a_pair_is_passed_over(store):
    pair = Pair(head=(0, 1), tail=(3, 4))
    fill(store, "mnre", [question("a", pair=pair), question("b"), question("c", pair=pair)])
    cell = catalogue.find_cell("mnre", "roberta-resnet50", "film", "tiny")
    assert predict_queue(store, "may", cell, batch=2) == 2
    made = [review.suggestion for review in store.page("may", "Ann").reviews]
    assert [found is not None for found in made] == [True, False, True]
    assert suggestions([question("b")], cell, [], blind=True) == [None]

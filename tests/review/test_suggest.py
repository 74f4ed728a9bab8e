"""Suggestions in batches: resumable, with the scores that queues are ordered by."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from mmdemo.review.records import Answer, Suggestion
from mmdemo.review.store.reviews import Store
from mmdemo.review.suggest import annotate, distance, suggestion_of
from mmdemo.types import Ask, Entity, Post, Prediction, Question, Relation
from tests.review.conftest import TWEETS, tweets

PERSON = Entity(start=0, end=2, label="PER", score=0.9)
PLACE = Entity(start=3, end=4, label="LOC", score=0.6)


def prediction(*entities: Entity, photo: bool = True, **fields: object) -> Prediction:
    (item,) = tweets(1)
    return Prediction(
        post=item.post,
        ask=item.ask,
        checkpoint="c",
        image_used=photo,
        entities=entities,
        entropy=0.5,
        **fields,
    )  # type: ignore[arg-type]


def test_a_run_that_was_cut_off_goes_on(template: Path, tmp_path: Path) -> None:
    (tmp_path / "r.sqlite3").write_bytes(template.read_bytes())
    store = Store(f"sqlite:///{tmp_path / 'r.sqlite3'}", tmp_path)
    store.make_queue("q", TWEETS)
    store.add("q", tweets(10))
    first = store.page("q", "Ann").reviews[0]
    store.decide("q", first.key, "Ann", {}, version=0)
    seen: list[str | None] = []
    steps: list[tuple[int, int]] = []

    def assess(questions: Sequence[Question]) -> list[Suggestion]:
        if len(seen) == 4 and not steps[-1] == (0, 0):
            raise KeyboardInterrupt
        seen.extend(question.post.id for question in questions)
        return [Suggestion(answer=Answer(entities=(PERSON,)), checkpoint="c") for _ in questions]

    with pytest.raises(KeyboardInterrupt):
        annotate(store, "q", "c", assess, batch=4, progress=lambda *step: steps.append(step))
    assert steps == [(4, 9)] and store.progress("q").suggested == 4
    steps.append((0, 0))
    assert annotate(store, "q", "c", assess, batch=4) == 5
    assert annotate(store, "q", "c", assess) == 0
    assert seen == [f"p{i}" for i in range(1, 10)], "each undecided post once, and no decided one"
    assert store.open(first.key, "Ann").suggestion is None
    store.close()


def test_scores_of_a_suggestion() -> None:
    found = suggestion_of(
        prediction(PERSON, PLACE), [prediction(PERSON), prediction(PERSON)], prediction(PERSON, photo=False)
    )
    assert (found.score, found.entropy, found.checkpoint) == (0.6, 0.5, "c")
    assert found.disagreement == pytest.approx((1 / 3 + 1 / 3 + 0) / 3)
    assert found.flip == pytest.approx(1 / 3)
    bare = suggestion_of(prediction(PERSON, photo=False), (), prediction(PERSON, photo=False))
    assert bare.flip == 0 and bare.disagreement is None
    assert suggestion_of(prediction(PERSON)).flip is None


def test_a_relation_becomes_a_link_between_the_marked_spans() -> None:
    post, spans = Post(text="", tokens=("a", "b")), {"head": (1, 2), "tail": (0, 1)}
    best = Relation(label="/per/per/peer", score=0.5, **spans)
    relations, ask = (best, Relation(label="None", score=0.4, **spans)), Ask(relations=(best.pair,))
    answered = Prediction(post=post, ask=ask, checkpoint="c", image_used=False, relations=relations)
    found = suggestion_of(answered)
    (link,) = found.answer.links
    assert (link.head, link.tail, link.label, link.score) == ((1, 2), (0, 1), "/per/per/peer", 0.5)
    assert found.relations == relations


def test_distance() -> None:
    both, one = Answer(entities=(PERSON, PLACE)), Answer(entities=(PERSON,))
    assert distance(both, both) == distance(Answer(), Answer()) == 0
    assert distance(one, Answer()) == 1 and distance(both, one) == distance(one, both)

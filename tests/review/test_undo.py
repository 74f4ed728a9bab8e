"""Undo and redo where other people decide in between, on both databases."""

import pytest

from mmdemo.review.export import apply_corrections
from mmdemo.review.records import Another, Answer, Suggestion
from mmdemo.review.store.reviews import Store
from mmdemo.types import Entity
from tests.review.conftest import TWEETS, stating, tweets
from tests.review.test_durability import check_state

PER = {"entities": [{"start": 0, "end": 2, "label": "PER"}]}
LOC = {"entities": [{"start": 3, "end": 4, "label": "LOC"}]}


@pytest.fixture
def queue(store: Store) -> Store:
    """Queue "q" of single review: posts 1, 2 and 3."""
    store.make_queue("q", TWEETS)
    store.add("q", tweets(3))
    return store


@pytest.fixture
def double(store: Store) -> Store:
    """Queue "d" of two blind reviews: posts 1, 2 and 3."""
    store.make_queue("d", TWEETS, double=True)
    store.add("d", tweets(3))
    return store


def reviewer_of(store: Store, key: int) -> str | None:
    (review,) = store.reviews([key], "looker")
    return review.decision.reviewer if review.decision else None


def test_a_decision_that_stands_again_can_be_undone_after_an_undo_passed_it_over(queue: Store) -> None:
    queue.decide("q", 2, "Ann", PER, version=0)
    queue.decide("q", 1, "Ann", PER, version=0)
    queue.decide("q", 1, "Bob", LOC, version=1)
    assert 1 in queue.undo("q", "Ann").kept
    assert queue.undo("q", "Bob").keys == (1,) and reviewer_of(queue, 1) == "Ann"
    assert queue.undo("q", "Ann").keys == (1,), "Bob's decision no longer stands in the way"
    assert queue.undo("q", "Ann").keys == (2,)
    assert queue.undo("q", "Ann").keys == ()
    assert [queue.redo("q", "Ann").keys for _ in range(3)] == [(2,), (1,), ()]
    check_state(queue)


def test_a_blind_review_can_be_undone_once_the_adjudication_over_it_is(double: Store) -> None:
    double.decide("d", 2, "Ann", PER, version=0)
    double.decide("d", 1, "Ann", PER, version=0)
    double.decide("d", 1, "Bob", LOC, version=0)
    double.adjudicate("d", 1, "Cy", PER, version=2)
    assert 1 in double.undo("d", "Ann").kept
    assert double.undo("d", "Ann").keys == (2,), "an undo goes on behind what it passed over"
    assert double.undo("d", "Ann").keys == ()
    double.undo("d", "Cy")
    assert double.undo("d", "Ann").keys == (1,)
    check_state(double)


def test_a_redo_that_somebody_was_faster_than_does_not_block_the_others(queue: Store) -> None:
    for key in (1, 2, 3):
        queue.decide("q", key, "Ann", PER, version=0)
    for _ in range(3):
        queue.undo("q", "Ann")
    queue.decide("q", 1, "Bob", LOC, version=2)
    assert 1 in queue.redo("q", "Ann").kept
    assert [queue.redo("q", "Ann").keys for _ in range(3)] == [(2,), (3,), ()]
    assert [event.kind for event in queue.history(1)] == ["decide", "undo", "decide", "kept"]
    check_state(queue)


def test_a_redo_brings_no_third_review(double: Store) -> None:
    double.decide("d", 1, "Ann", PER, version=0)
    double.decide("d", 1, "Bob", LOC, version=0)
    double.undo("d", "Ann")
    double.decide("d", 1, "Carol", LOC, version=0)
    assert "two reviews already" in double.redo("d", "Ann").kept[1]
    assert double.reviews([1], "looker")[0].status == "corrected"
    check_state(double)


def test_a_redo_changes_nothing_that_was_adjudicated(double: Store) -> None:
    double.decide("d", 1, "Ann", PER, version=0)
    double.decide("d", 1, "Bob", LOC, version=0)
    double.undo("d", "Ann")
    double.decide("d", 1, "Carol", PER, version=0)
    (dispute,) = double.disputes("d")
    double.adjudicate("d", 1, "Dan", LOC, version=dispute.version)
    assert "has been adjudicated" in double.redo("d", "Ann").kept[1]
    assert reviewer_of(double, 1) == "Dan"


def test_an_adjudication_is_not_redone_once_the_reviews_agree(double: Store) -> None:
    double.decide("d", 1, "Ann", PER, version=0)
    double.decide("d", 1, "Bob", LOC, version=0)
    double.adjudicate("d", 1, "Cy", PER, version=2)
    double.undo("d", "Cy")
    assert double.redo("d", "Cy").keys == (1,)
    double.undo("d", "Cy")
    double.decide("d", 1, "Bob", PER, version=1)
    assert "not in dispute" in double.redo("d", "Cy").kept[1]
    assert reviewer_of(double, 1) == "Ann"
    check_state(double)


def test_an_undo_of_another_decision_than_the_expected_one_changes_nothing(queue: Store) -> None:
    queue.decide("q", 1, "Ann", PER, version=0)
    queue.decide("q", 2, "Ann", PER, version=0)
    queue.decide("q", 3, "Bob", PER, version=0)
    for expected in ([1], [2, 3], []):
        with pytest.raises(Another, match="another one, of 1 post; nothing was changed"):
            queue.undo("q", "Ann", expected)
    assert reviewer_of(queue, 2) == "Ann" and len(queue.history(2)) == 1
    assert queue.undo("q", "Ann", [2]).keys == (2,)
    with pytest.raises(Another, match="to repeat here is another one"):
        queue.redo("q", "Ann", [1])
    assert queue.redo("q", "Ann", [2]).keys == (2,)
    with pytest.raises(Another, match="no decision of yours to take back"):
        queue.undo("q", "Carol", [2])


def test_a_bulk_decision_is_expected_by_all_of_its_posts_whoever_decided_since(queue: Store) -> None:
    entity = Entity(start=0, end=2, label="PER", score=0.9)
    queue.suggest([(key, Suggestion(answer=Answer(entities=(entity,)), checkpoint="c")) for key in (1, 2, 3)])
    queue.accept("q", "Ann", {1: 0, 2: 0, 3: 0})
    queue.decide("q", 3, "Bob", LOC, version=1)
    with pytest.raises(Another, match="3 posts"):
        queue.undo("q", "Ann", [1, 2])
    assert queue.undo("q", "Ann", [3, 1, 2]).keys == (1, 2)
    assert queue.redo("q", "Ann", [1, 2, 3]).keys == (1, 2)
    assert queue.undo("q", "Ann", [1, 2, 3]).keys == (1, 2)


def test_an_import_of_corrections_is_one_decision(queue: Store) -> None:
    queue.decide("q", 1, "Ann", PER, version=0)
    entity = Entity(start=3, end=4, label="LOC")
    changed = apply_corrections(
        queue, "q", [stating(item, Answer(entities=(entity,))) for item in tweets(3)[1:]], "Ann"
    )
    assert changed.keys == (2, 3)
    with pytest.raises(Another, match="2 posts"):
        queue.undo("q", "Ann", [1])
    assert queue.undo("q", "Ann").keys == (2, 3)
    assert queue.undo("q", "Ann", [1]).keys == (1,)

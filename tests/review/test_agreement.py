"""Agreement between reviewers, against figures worked out by hand and by scikit-learn."""

import random

import pytest
from sklearn.metrics import cohen_kappa_score

from mmdemo.review.agreement import agreements, cohen_kappa
from mmdemo.review.records import Answer, Decision, DoubleReview, Verdict
from mmdemo.types import Entity, Pair, Post, Relation

POST = Post(text="", tokens=("Kevin", "Durant", "in", "Oakland", "\ufe0f", "NBA"), id="p")


def says(
    who: str,
    *entities: tuple[int, int, str],
    links: tuple[Relation, ...] = (),
    verdict: Verdict = "corrected",
):
    answer = Answer(
        entities=tuple(Entity(start=s, end=e, label=label) for s, e, label in entities), links=links
    )
    return Decision(verdict=verdict, answer=answer, reviewer=who, at="")


def both(one: Decision, other: Decision, *asked: Pair) -> DoubleReview:
    return DoubleReview(post=POST, asked=asked, one=one, other=other, none="None")


def test_by_hand() -> None:
    ann = says("Ann", (0, 2, "PER"), (3, 4, "LOC"))
    bob = says("Bob", (0, 1, "PER"), (3, 4, "LOC"), (5, 6, "ORG"))
    (found,) = agreements([both(bob, ann)])
    assert found.reviewers == ("Ann", "Bob") and found.posts == 1
    assert (found.entities.first, found.entities.second) == (2, 3)
    assert found.entities.exact == pytest.approx(2 / 5) and found.entities.overlap == pytest.approx(4 / 5)
    # Five words: PER PER O LOC O against PER O O LOC ORG; 3 of 5 alike, 1/25 (2+4+1) expected.
    assert found.entities.kappa == pytest.approx((3 / 5 - 7 / 25) / (1 - 7 / 25))
    assert found.by_entity["LOC"].exact == 1 and found.by_entity["LOC"].kappa == 1
    assert found.by_entity["PER"].exact == 0 and found.by_entity["PER"].overlap == 1
    assert found.by_entity["ORG"].exact == 0 and found.by_entity["ORG"].first == 0


def test_order_and_white_space_do_not_count() -> None:
    ann, bob = says("Ann", (3, 5, "LOC"), (0, 2, "PER")), says("Bob", (0, 2, "PER"), (3, 4, "LOC"))
    (found,) = agreements([both(ann, bob)])
    assert found.entities.exact == found.entities.overlap == found.entities.kappa == 1


def test_a_span_is_matched_once() -> None:
    ann, bob = says("Ann", (0, 4, "PER")), says("Bob", (0, 1, "PER"), (1, 2, "PER"))
    (found,) = agreements([both(ann, bob)])
    assert found.entities.overlap == pytest.approx(2 / 3)


def test_relations() -> None:
    asked = Pair(head=(0, 2), tail=(3, 4))
    home, birth = "/per/loc/place_of_residence", "/per/loc/place_of_birth"

    def link(label: str) -> tuple[Relation, ...]:
        return (Relation(head=(0, 2), tail=(3, 4), label=label),)

    pairs = [(home, home), (home, birth), ("None", "None"), ("None", home)]
    (found,) = agreements(both(says("A", links=link(a)), says("B", links=link(b)), asked) for a, b in pairs)
    assert (found.relations.first, found.relations.second) == (2, 3)
    assert found.relations.exact == pytest.approx(2 / 5)
    assert found.relations.kappa == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))
    assert found.by_relation[home].exact == pytest.approx(2 / 4) and found.by_relation[birth].exact == 0
    assert found.entities.exact is None, "nothing marked: nothing to agree on"


def test_rejected_posts_are_left_out_and_pairs_kept_apart() -> None:
    reviews = [
        both(says("A"), says("B", verdict="rejected")),
        both(says("A"), says("C")),
        both(says("B"), says("A", (0, 1, "PER"))),
    ]
    assert [(found.reviewers, found.posts) for found in agreements(reviews)] == [
        (("A", "B"), 1),
        (("A", "C"), 1),
    ]


def test_kappa_is_scikit_learns() -> None:
    chosen = random.Random(3)
    rows = [(chosen.choice("OOOPL"), chosen.choice("OOOPL")) for _ in range(200)]
    assert cohen_kappa(rows) == pytest.approx(cohen_kappa_score(*zip(*rows, strict=True)))
    assert cohen_kappa([]) is None and cohen_kappa([("O", "O")]) is None and cohen_kappa([("O", "P")]) == 0

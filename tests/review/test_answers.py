"""Answers that a browser sends: checked against the post, whatever is in them."""

import json

import pytest

from mmdemo.review.answers import answer_row, read_answer, stored_answer, with_scores
from mmdemo.review.records import Answer, Suggestion
from mmdemo.types import Entity, InputError, Post, Relation
from tests.review.conftest import OTHERS, PAIRS, TWEETS

POST = Post(
    text="Kevin Durant visits Oakland 0", tokens=("Kevin", "Durant", "visits", "Oakland", "0"), id="p"
)
PERSON = {"start": 0, "end": 2, "label": "PER"}
LIVES = {"head": [0, 2], "tail": [3, 4], "label": "/per/loc/place_of_residence"}


def test_an_answer_in_any_form_and_order() -> None:
    place = {"start": 3, "end": 4, "label": "LOC", "score": 1.0}
    row = {"entities": [place, PERSON], "links": [LIVES]}
    answer = read_answer(row, POST, TWEETS)
    assert [(e.start, e.text, e.score) for e in answer.entities] == [
        (0, "Kevin Durant", None),
        (3, "Oakland", None),
    ]
    assert read_answer(json.dumps(row), POST, TWEETS) == answer == read_answer(answer, POST, TWEETS)
    assert stored_answer(answer_row(answer), POST.tokens) == answer
    assert read_answer({}, POST, PAIRS) == Answer()


def test_scores_come_from_the_suggestion_alone() -> None:
    suggested = Answer(
        entities=(Entity(start=0, end=2, label="PER", score=0.7),),
        links=(Relation(head=(0, 2), tail=(3, 4), label="/per/loc/place_of_residence", score=0.4),),
    )
    sent = {"entities": [{**PERSON, "score": 1.0}, {"start": 3, "end": 4, "label": "ORG", "score": 1.0}]}
    kept = with_scores(read_answer(sent, POST, TWEETS), Suggestion(answer=suggested, checkpoint="c"))
    assert [e.score for e in kept.entities] == [0.7, None]
    assert Suggestion(answer=suggested, checkpoint="c").score == 0.4


FORGED = [
    ({"entities": [{"start": 0, "end": 6, "label": "PER"}]}, "outside its 5 words"),
    ({"entities": [{"start": -1, "end": 1, "label": "PER"}]}, "outside its 5 words"),
    ({"entities": [{"start": True, "end": 2, "label": "PER"}]}, "outside its 5 words"),
    ({"entities": [{"start": 0, "end": 1, "label": "CITY"}]}, "unknown entity label 'CITY'"),
    ({"entities": [{"start": 0, "end": 1, "label": ["PER"]}]}, "unknown entity label"),
    ({"entities": [PERSON, {**PERSON, "label": "ORG"}]}, "two entities on the same words"),
    ({"entities": [PERSON] * 1001}, "1,001 entities"),
    ({"entities": "PER"}, "not a list of objects"),
    ({"entities": [3]}, "not a list of objects"),
    ({"links": [{**LIVES, "label": "/per/per/boss"}]}, "unknown relation"),
    ({"links": [{**LIVES, "tail": [3, 9]}]}, "outside its 5 words"),
    ({"links": [LIVES, LIVES]}, "the same relation twice"),
    ({"entities": [{**PERSON, "label": "ORG"}], "links": [LIVES]}, "does not fit a ORG head"),
    ({"entities": [], "status": "accepted"}, "not an object with entities and links"),
    ("[" * 100_000, "not JSON"),
    ('{"entities": [], "x": "' + "y" * 1_000_000 + '"}', "at most 1,000,000"),
    (b"{}", "not an object"),
    (None, "not an object"),
]


@pytest.mark.parametrize(("sent", "says"), FORGED)
def test_forged_answers_are_refused(sent: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_answer(sent, POST, TWEETS)


def test_labels_of_each_dataset() -> None:
    with pytest.raises(InputError, match="unknown entity label 'MISC'"):
        read_answer({"entities": [{**PERSON, "label": "MISC"}]}, POST, OTHERS)
    assert TWEETS.relation_labels == PAIRS.relation_labels == OTHERS.relation_labels
    assert PAIRS.relations_between("LOC", "PER") == ("None",)
    assert OTHERS.relations_between("PER", "OTHER") == PAIRS.relations_between("PER", "MISC")
    assert PAIRS.relations_between("ORG", "LOC") == ("None", "/org/loc/locate_at")
    assert "/misc/misc/part_of" in PAIRS.relations_between(None, "MISC")


def test_a_relation_may_join_a_span_to_itself() -> None:
    """MNRE marks spans that overlap, and CrossRE has a band that is its own "role"."""
    link = {"head": [0, 2], "tail": [0, 2], "label": "None"}
    (found,) = read_answer({"links": [link]}, POST, PAIRS).links
    assert found.head == found.tail == (0, 2)

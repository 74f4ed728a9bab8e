"""What a person does to an answer's entities, and what a browser may send back: checked like any input."""

import pytest

from mmdemo.types import Entity, InputError
from mmdemo.ui.extract.asked import read_form, read_kept
from mmdemo.ui.extract.edits import edited

ANSWER = {
    "text": "Ann Lee sings in Rome",
    "entities_by": "tiny/twitter2017/blip/film",
    "relations_by": "tiny/mnre/blip/film",
    "entities": [
        {"id": "e0", "start": 0, "end": 2, "label": "PER", "score": 0.9},
        {"id": "e1", "start": 4, "end": 5, "label": "LOC", "score": 0.8},
    ],
}
ANN = Entity(start=0, end=2, label="PER", score=0.9)
ROME = Entity(start=4, end=5, label="LOC", score=0.8)
#: After an edit: without a score.
ORG = Entity(start=4, end=5, label="ORG")
SHORT = Entity(start=0, end=1, label="PER")
NEW = Entity(start=2, end=3, label="MISC")


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ({"act": "type", "entity": "e1", "label": "ORG"}, [ANN, ORG]),
        (
            {"act": "bounds", "entity": "e0", "start": "0", "end": "1"},
            [SHORT, ROME],
        ),
        ({"act": "remove", "entity": "e0"}, [ROME]),
        (
            {"act": "add", "start": 2, "end": 3, "label": "MISC"},
            [ANN, NEW, ROME],
        ),
    ],
)
def test_an_edit_changes_one_entity_and_leaves_the_scores_of_the_others(given, after):
    assert list(edited(read_kept(ANSWER), given)) == after


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"act": "explode"},
        {"act": "remove", "entity": "e9"},
        {"act": "remove", "entity": ["e0"]},
        {"act": "bounds", "entity": "e0", "start": "x", "end": 1},
        {"act": "bounds", "entity": "e0", "start": True, "end": 1},
        {"act": "bounds", "entity": "e0", "start": 4, "end": 5},
        {"act": "add", "start": 0, "end": 2, "label": "LOC"},
    ],
)
def test_an_edit_that_cannot_be_is_refused(given):
    with pytest.raises(InputError):
        edited(read_kept(ANSWER), given)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {},
        {**ANSWER, "text": 7},
        {**ANSWER, "entities": None},
        {**ANSWER, "entities": [7]},
        {**ANSWER, "entities": [{"id": "e0", "start": "0", "end": 2, "label": "PER"}]},
        {**ANSWER, "entities": [{"id": "e0", "start": 0, "end": 2, "label": 3}]},
        {**ANSWER, "entities": [{"id": "e0", "start": 0, "end": 2, "label": "PER", "score": "high"}]},
        {**ANSWER, "entities": ANSWER["entities"] * 300},
        {**ANSWER, "relations_by": 7},
    ],
)
def test_an_answer_that_was_forged_is_refused(sent):
    with pytest.raises(InputError):
        read_kept(sent)


def test_an_edit_asks_about_the_post_that_was_answered():
    form = read_form(["tiny/x/y/z", None, "another text", "/photo.png", None])
    asked = read_kept(ANSWER).asked(form, [ANN])
    assert (asked.text, asked.entities) == (ANSWER["text"], ANSWER["entities_by"])
    assert (asked.photo, asked.stated) == ("/photo.png", (ANN,))


def test_half_an_emoji_in_the_form_is_replaced():
    assert read_form([None, None, "\ud83d Ann", None, None]).text == "? Ann"

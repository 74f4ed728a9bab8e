"""What a person does to an answer's entities, and what a browser may send back: checked like any input."""

import pytest

from mmdemo.datasets.schema import WordRules
from mmdemo.posts.marking import marked, unmarked
from mmdemo.posts.marks import read_marks
from mmdemo.types import Entity, InputError
from mmdemo.ui.extract.asked import read_form, read_kept
from mmdemo.ui.extract.edits import edited

RULES = WordRules()
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


def test_marks_leave_a_text_and_words_stay_apart():
    assert unmarked("no marks  here ") == "no marks  here "
    assert unmarked("[E1]Ann[/E1]weds [E2] Bob [/E2]!").split() == ["Ann", "weds", "Bob", "!"]


def test_one_pair_is_marked_in_either_order():
    text = "Ann Lee sings in Rome"
    assert marked(text, (0, 7), (17, 21)) == "[E1] Ann Lee [/E1] sings in [E2] Rome [/E2]"
    assert marked(text, (17, 21), (0, 7)) == "[E2] Ann Lee [/E2] sings in [E1] Rome [/E1]"


@pytest.mark.parametrize(
    ("head", "tail", "told"),
    [
        ((0, 14), (4, 8), "[E1] New [E2] York [/E2] Times [/E1]"),
        ((0, 8), (4, 14), "[E1] New [E2] York [/E1] Times [/E2]"),
        ((0, 8), (0, 14), "[E1] [E2] New York [/E1] Times [/E2]"),
        ((9, 14), (0, 14), "[E2] New York [E1] Times [/E1] [/E2]"),
        ((9, 14), (0, 8), "[E2] New York [/E2] [E1] Times [/E1]"),
    ],
)
def test_marks_that_nest_or_overlap_are_read_as_they_were_set(head, tail, told):
    text = "New York Times"
    assert marked(text, head, tail).split() == told.split()
    pair = read_marks(marked(text, head, tail), RULES).pair
    words = [(0, 3), (4, 8), (9, 14)]
    assert [(words[a][0], words[b - 1][1]) for a, b in (pair.head, pair.tail)] == [head, tail]


def test_earlier_marks_are_replaced():
    text = "[E1] Ann [/E1] met [E2] Bob [/E2] and Carl"
    at = {name: (text.index(name), text.index(name) + len(name)) for name in ("Bob", "Carl")}
    told = marked(text, at["Bob"], at["Carl"])
    assert told.split() == "Ann met [E1] Bob [/E1] and [E2] Carl [/E2]".split()

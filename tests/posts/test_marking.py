"""Marks set around one pair of a text, whatever marks stood there before."""

import pytest

from mmdemo.datasets.schema import WordRules
from mmdemo.posts.marking import marked, unmarked
from mmdemo.posts.marks import read_marks

RULES = WordRules()


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

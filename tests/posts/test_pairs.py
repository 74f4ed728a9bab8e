"""Marks of any number of pairs, which may nest and overlap."""

import pytest

from mmdemo.datasets.schema import WordRules
from mmdemo.posts.pairs import read_pairs, read_whole
from mmdemo.types import InputError, Pair

RULES = WordRules()


def pairs(text: str) -> list[tuple]:
    return [(pair.head, pair.tail) for pair in read_pairs(text, RULES).pairs]


def test_without_marks_all_pairs_are_asked():
    question = read_whole("Ann weds Bob", RULES)
    assert question.ask.relations == "all" and question.ask.entities
    assert question.post.tokens == ("Ann", "weds", "Bob")


def test_the_first_head_goes_with_the_first_tail():
    text = "[E1] Ann [/E1] weds [E2] Bob [/E2] , [E2] Rome [/E2] has [E1] Eve [/E1]"
    assert pairs(text) == [((0, 1), (2, 3)), ((6, 7), (4, 5))]


def test_a_single_head_goes_with_each_tail_and_a_single_tail_with_each_head():
    assert pairs("[E1] A [/E1] [E2] b [/E2] [E2] c [/E2]") == [((0, 1), (1, 2)), ((0, 1), (2, 3))]
    assert pairs("[E1] A [/E1] [E1] b [/E1] [E2] c [/E2]") == [((0, 1), (2, 3)), ((1, 2), (2, 3))]


def test_spans_nest_and_overlap():
    assert pairs("[E1] New York [E2] Times [/E2] [/E1]") == [((0, 3), (2, 3))]
    assert pairs("[E1] a [E2] b [/E1] c [/E2]") == [((0, 2), (1, 3))]


def test_words_know_their_place_in_the_text_with_its_marks():
    text = "[E1] Ann [/E1] weds [E2] Bob [/E2]"
    question = read_whole(text, RULES)
    assert [text[a:b] for a, b in question.post.offsets] == ["Ann", "weds", "Bob"]
    assert question.ask.relations == (Pair(head=(0, 1), tail=(2, 3)),)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (" ", "the text is empty"),
        ("[E1] a [/E1] b", r"lack a tail as \[E2\]"),
        ("[E2] a [/E2] b", r"lack a head as \[E1\]"),
        ("[E1] a b", r"\[E1\] is never closed; put \[/E1\]"),
        ("a [/E2]", "closes a mark that is not open"),
        ("[E1] a [E1] b [/E1] [/E1]", "opens twice"),
        ("[E1][/E1] [E2] b [/E2]", "marks no word"),
        ("[E1] [E2] a [/E2] [/E1]", "mark the same words"),
        ("[E1] a [/E1] [E1] b [/E1] [E2] c [/E2] [E2] d [/E2] [E2] e [/E2]", "2 heads .* and 3 tails"),
        ("[E1] a [/E1]" + "[E2] b [/E2]" * 4001, "4,001 pairs; at most 4,000"),
        ("x" * 200_001, "200,001 characters"),
        ("half \ud83d of a pair", "half of a surrogate pair"),
    ],
)
def test_what_cannot_be_paired_is_one_sentence(text, match):
    with pytest.raises(InputError, match=match):
        read_whole(text, RULES)

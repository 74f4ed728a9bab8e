"""Scores to answers: what comes out is always valid, and is the likeliest valid answer."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmdemo.datasets.bio import spans_of, tags_of
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.decode import (
    best_tags,
    decode_entities,
    decode_relations,
    looks_untrained,
    softmax,
    span_confidence,
)
from mmdemo.types import Entity, Pair

PAIR = Pair(head=(0, 1), tail=(2, 3))

TAGS = find_dataset("twitter2017").tags
SMALL = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
NAN = float("nan")


def is_valid_bio(tags) -> bool:
    """I-X stands only after B-X or I-X."""
    return all(
        not tag.startswith("I-") or before in (f"B-{tag[2:]}", tag)
        for before, tag in zip(["O", *tags], tags, strict=False)
    )


def certain(tags: list[str], known=TAGS, p: float = 0.9) -> np.ndarray:
    """Probabilities that favour the given tags."""
    rows = np.full((len(tags), len(known)), (1 - p) / (len(known) - 1))
    for row, tag in zip(rows, tags, strict=True):
        row[known.index(tag)] = p
    return rows


def probabilities(width: int, most: int = 12):
    unit = st.floats(0, 1, allow_subnormal=False)
    return st.integers(0, most).flatmap(lambda words: arrays(float, (words, width), elements=unit))


# ---------------------------------------------------------------- best_tags


@given(probabilities(len(TAGS)), st.data())
def test_tags_are_always_valid(rows, data):
    unseen = data.draw(arrays(bool, len(rows)))
    rows[unseen] = np.nan
    tags = best_tags(rows, TAGS)
    assert len(tags) == len(rows) and is_valid_bio(tags)


@given(probabilities(len(SMALL), most=4))
def test_tags_are_the_likeliest_valid_ones(rows):
    def score(path):
        return sum(np.log(max(row[SMALL.index(tag)], 1e-12)) for row, tag in zip(rows, path, strict=True))

    best = max(score(path) for path in product(SMALL, repeat=len(rows)) if is_valid_bio(path))
    assert score(best_tags(rows, SMALL)) == pytest.approx(best)


def test_an_orphan_i_becomes_valid_by_what_is_likeliest():
    rows = np.array([[0.55, 0.40, 0.05, 0.0, 0.0], [0.05, 0.05, 0.90, 0.0, 0.0]])
    assert best_tags(rows, SMALL) == ["B-PER", "I-PER"]  # 0.40 x 0.90 beats 0.55 x 0.05


@given(st.lists(st.sampled_from(TAGS), max_size=10).filter(is_valid_bio))
def test_certain_tags_come_back(tags):
    assert best_tags(certain(tags), TAGS) == tags


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (["B-PER", None, "I-PER"], ["B-PER", "I-PER", "I-PER"]),  # inside a span
        (["B-PER", None, None, "I-PER"], ["B-PER", "I-PER", "I-PER", "I-PER"]),
        (["B-PER", None, "O"], ["B-PER", "O", "O"]),  # after one
        (["O", None, "B-PER"], ["O", "O", "B-PER"]),  # before one
        ([None, "B-PER", None], ["O", "B-PER", "O"]),
        (["B-PER", None, "B-LOC"], ["B-PER", "O", "B-LOC"]),
        ([None, None], ["O", "O"]),
    ],
)
def test_unseen_words_take_what_their_neighbours_need(seen, expected):
    rows = certain([tag or "O" for tag in seen])
    rows[[tag is None for tag in seen]] = np.nan
    assert best_tags(rows, TAGS) == expected


def test_a_span_never_starts_on_an_unseen_word():
    rows = np.array([[NAN] * 5, [0.05, 0.10, 0.85, 0.0, 0.0]])
    assert best_tags(rows, SMALL) == ["O", "B-PER"]


def test_no_words_no_tags():
    assert best_tags(np.zeros((0, len(TAGS))), TAGS) == []
    assert decode_entities(np.zeros((0, len(TAGS))), [], TAGS) == ()


# ---------------------------------------------------------------- entities


@st.composite
def entities(draw):
    """Entities of a post of 12 words: in order, not overlapping, perhaps touching."""
    found, start = [], 0
    while start < 12 and draw(st.booleans()):
        start += draw(st.integers(0, 3))
        end = start + draw(st.integers(1, 3))
        if end > 12:
            break
        found.append(Entity(start=start, end=end, label=draw(st.sampled_from(["PER", "LOC", "ORG", "MISC"]))))
        start = end
    return tuple(found)


@given(entities())
def test_decoding_undoes_encoding(gold):
    words = [f"w{i}" for i in range(12)]
    found = decode_entities(certain(tags_of(gold, 12)), words, TAGS)
    assert [(e.start, e.end, e.label) for e in found] == [(e.start, e.end, e.label) for e in gold]
    assert [e.text for e in found] == [" ".join(words[e.start : e.end]) for e in gold]
    assert all(0.6 < e.score <= 0.9 for e in found)


def test_an_unseen_word_joins_a_span_from_inside_only():
    rows = certain(["B-PER", "I-PER", "I-PER", "O"])
    rows[1] = rows[3] = np.nan
    (entity,) = decode_entities(rows, ["Ann", "\ufe0f", "Lee", "http://t.co/x"], TAGS)
    assert (entity.start, entity.end, entity.text) == (0, 3, "Ann \ufe0f Lee")
    assert entity.score == pytest.approx(0.81)


def test_confidence_is_the_chance_that_exactly_this_span_is_right():
    rows = np.zeros((4, len(TAGS)))
    rows[1, TAGS.index("B-LOC")] = 0.9
    rows[2, TAGS.index("I-LOC")] = 0.4
    rows[3, TAGS.index("I-LOC")] = 0.25
    assert span_confidence(rows, 1, 2, "LOC", TAGS) == pytest.approx(0.54)  # 0.9, and no LOC goes on: 0.6
    assert span_confidence(rows, 1, 3, "LOC", TAGS) == pytest.approx(0.27)  # 0.9 x 0.4 x 0.75
    assert span_confidence(rows, 1, 4, "LOC", TAGS) == pytest.approx(0.09)  # the text ends: 0.9 x 0.4 x 0.25
    rows[2] = np.nan
    assert span_confidence(rows, 1, 3, "LOC", TAGS) == pytest.approx(0.675)  # 0.9 x 0.75
    assert span_confidence(rows, 1, 2, "LOC", TAGS) == pytest.approx(0.9)


@given(probabilities(len(TAGS)))
def test_confidence_is_a_probability(rows):
    found = decode_entities(rows, ["w"] * len(rows), TAGS)
    assert all(0 <= entity.score <= 1 for entity in found)
    assert [(e.start, e.end, e.label) for e in found] == spans_of(best_tags(rows, TAGS))


# ---------------------------------------------------------------- relations


def test_the_likeliest_relations_come_first():
    found = decode_relations(np.array([0.1, 0.5, 0.1, 0.3]), ["a", "b", "c", "d"], PAIR, top=3)
    assert [(r.label, r.score) for r in found] == [("b", 0.5), ("d", 0.3), ("a", 0.1)]
    assert {r.pair for r in found} == {PAIR}


def test_there_are_no_more_relations_than_classes():
    assert len(decode_relations(np.array([0.5, 0.5]), ["a", "b"], PAIR)) == 2


# ---------------------------------------------------------------- softmax, chance


def test_softmax_by_hand():
    assert softmax(np.log([1.0, 2.0, 5.0])) == pytest.approx([0.125, 0.25, 0.625])
    assert softmax(np.log([1.0, 9.0]), temperature=2) == pytest.approx([0.25, 0.75])  # sqrt(9) = 3
    assert softmax(np.array([1000.0, 1000.0])) == pytest.approx([0.5, 0.5])


@given(arrays(np.float32, (3, 5), elements=st.floats(-1e4, 1e4, width=32)), st.floats(0.05, 20))
def test_softmax_gives_probabilities_and_temperature_keeps_the_order(logits, temperature):
    rows = softmax(logits, temperature)
    assert rows.sum(-1) == pytest.approx(1) and (rows >= 0).all()
    assert (np.take_along_axis(rows, logits.argmax(-1)[:, None], -1)[:, 0] == rows.max(-1)).all()
    assert (softmax(logits, 2 * temperature).max(-1) <= rows.max(-1) + 1e-9).all()


def test_chance_looks_untrained():
    assert looks_untrained(np.full(23, 1 / 23))
    report = np.full(23, (1 - 0.046) / 22)  # the report's own example: 4.6 % over 23 classes
    report[3] = 0.046
    assert looks_untrained(report)
    assert not looks_untrained(np.array([0.6, *[0.4 / 22] * 22]))
    assert not looks_untrained(certain(["O", "O"]))
    one_sure_word = np.full((3, 9), 1 / 9)
    one_sure_word[1] = [0.9, *[0.1 / 8] * 8]
    assert not looks_untrained(one_sure_word)

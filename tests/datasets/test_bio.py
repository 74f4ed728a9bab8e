"""mmdemo.datasets.bio: spans and tags are each other's inverse, and read as seqeval reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from mmdemo.datasets.bio import spans_of, tags_of
from mmdemo.types import Entity, InputError
from tests.made_up import ENTITY_LABELS, odd_dataset

TAGS = st.lists(st.sampled_from(odd_dataset().tags), max_size=12)


@st.composite
def span_lists(draw: st.DrawFn) -> tuple[list[tuple[int, int, str]], int]:
    spans, place = [], 0
    for gap, length, kind in draw(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(ENTITY_LABELS)),
            max_size=5,
        )
    ):
        spans.append((place + gap, place + gap + length, kind))
        place += gap + length
    return spans, place + draw(st.integers(0, 2))


def entities(spans: list[tuple[int, int, str]]) -> list[Entity]:
    return [Entity(start=start, end=end, label=kind) for start, end, kind in spans]


@given(span_lists())
def test_spans_of_inverts_tags_of(case: tuple[list[tuple[int, int, str]], int]) -> None:
    spans, length = case
    tags = tags_of(entities(spans), length)
    assert len(tags) == length
    assert spans_of(tags) == spans


@given(TAGS)
def test_spans_are_those_of_seqeval_default(tags: list[str]) -> None:
    """seqeval's ends are inclusive, ours half-open."""
    assert spans_of(tags) == [(start, end + 1, kind) for kind, start, end in get_entities(tags)]


@given(TAGS)
def test_every_tag_sequence_becomes_valid_bio(tags: list[str]) -> None:
    clean = tags_of(entities(spans_of(tags)), len(tags))
    assert spans_of(clean) == spans_of(tags)
    for before, tag in zip(["O", *clean], clean, strict=False):
        assert tag[0] != "I" or before[1:] == tag[1:]


def test_orphan_and_type_switch_open_a_span() -> None:
    assert spans_of(["I-PER", "O", "B-LOC", "I-ORG", "I-ORG"]) == [
        (0, 1, "PER"),
        (2, 3, "LOC"),
        (3, 5, "ORG"),
    ]


@pytest.mark.parametrize("tag", ["B", "B-", "X-PER", "PER", ""])
def test_bad_tag_is_named(tag: str) -> None:
    with pytest.raises(InputError, match="is not O, B-TYPE or I-TYPE"):
        spans_of(["O", tag])


@pytest.mark.parametrize(
    "spans", [[(0, 3, "PER")], [(1, 1, "PER")], [(-1, 1, "PER")], [(0, 2, "PER"), (1, 2, "LOC")]]
)
def test_bad_span_is_refused(spans: list[tuple[int, int, str]]) -> None:
    with pytest.raises(InputError, match="span"):
        tags_of(entities(spans), 2)

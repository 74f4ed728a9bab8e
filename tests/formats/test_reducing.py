"""What a format cannot hold is left out of a post and told; all else goes out and comes back."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdemo.formats.shared.reducing import reduced
from mmdemo.formats.shared.sameness import compare
from mmdemo.formats.table import FORMATS
from mmdemo.types import Ask, Entity, Post, Question, Relation
from tests.made_up import odd_dataset, questions

ODD_SET = odd_dataset()
BAND, TEAM = Entity(start=0, end=3, label="band"), Entity(start=1, end=2, label="a-b")
PART = Relation(head=(0, 1), tail=(2, 3), label="part-of")


def row(tokens: str = "one two three", ref: str = "p1", **more: object) -> Question:
    post = Post(text=tokens, tokens=tuple(tokens.split(" ")), id=ref, **more)
    return Question(post=post, ask=Ask(relations="all"))


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(questions(), max_size=3, unique_by=lambda one: one.post.id))
def test_what_is_left_reads_back(tmp_path: Path, name: str, rows: list[Question]) -> None:
    found = FORMATS[name]
    kept = {}
    for one in rows:
        made = reduced(one, found)
        assert (made.row is None) is bool(made.why)
        assert bool(made.without) is (made.row is not None and made.row != one)
        if made.row is not None:
            kept[found.name_of(made.row) if not found.ordered else len(kept)] = made.row
    path = tmp_path / f"file{found.suffix}"
    if path.is_dir():
        shutil.rmtree(path)
    found.write(path, list(kept.values()), ODD_SET)
    compare(list(kept.values()), found.read(path, ODD_SET), found)


CASES = [
    ("conll", row(entities=(TEAM, BAND)), "1 entity that shares words"),
    ("conll", row(entities=(BAND,), relations=(PART,)), "1 relation"),
    ("conll", row("a\tb c d"), "the blanks, tabs or line breaks within words, written as no-break spaces"),
    ("mnre", row(entities=(BAND, TEAM), relations=(PART,)), "2 entities"),
    ("spacy", row("one  two three"), "1 empty word"),
    ("brat", row(ref="é" * 60), "its whole id; it is called ééééééééééééééé-"),
    ("label-studio", row(" two "), "2 empty words"),
]


@pytest.mark.parametrize(("name", "what", "says"), CASES)
def test_only_what_does_not_fit_is_left_out_and_named(name: str, what: Question, says: str) -> None:
    made = reduced(what, FORMATS[name])
    assert made.row is not None and len(made.without) == 1 and made.without[0].startswith(says)


def test_of_entities_that_share_words_the_longest_stays_and_relations_stay_with_it() -> None:
    both = row(entities=(TEAM, BAND), relations=(PART,))
    made = reduced(both, FORMATS["conll"])
    assert made.row is not None and made.row.post.entities == (BAND,)
    assert reduced(both, FORMATS["mnre"]).row.post.relations == (PART,)  # type: ignore[union-attr]
    assert reduced(both, FORMATS["jsonl"]).row is both


def test_spans_move_with_the_words_that_stay() -> None:
    end = Entity(start=2, end=3, label="band")
    gone = Entity(start=1, end=2, label="band")
    made = reduced(row("one  three", entities=(end, gone)), FORMATS["spacy"])
    assert made.row is not None and made.row.post.tokens == ("one", "three")
    assert [(e.start, e.end) for e in made.row.post.entities or ()] == [(1, 2)]


def test_a_post_of_which_nothing_fits_says_why() -> None:
    made = reduced(row(entities=(BAND,)), FORMATS["mnre"])
    assert made.row is None and made.why == "MNRE holds only posts with a relation"

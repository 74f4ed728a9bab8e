"""read(write(x)) == x for every export format, and a reason for each post that a format cannot hold."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdemo.datasets.bio import ENTITY_TYPES, RELATIONS
from mmdemo.formats import label_studio
from mmdemo.formats.offsets import joined, words
from mmdemo.formats.table import FORMATS, find_format
from mmdemo.review.export import compare, unfit
from mmdemo.review.records import Answer, Labelled, Link
from mmdemo.types import Entity, InputError, Pair, Post

NASTY = (
    "\ufe0f",
    "\xa0",
    "\u2028",
    "IMGID:7",
    "👩\u200d👧",
    "#",
    "<img onerror=x>",
    "${x}",
    "{{x}}",
    "\u202e",
    "=1+1",
)
PRINTED = st.characters(exclude_characters="\t\n\r ", exclude_categories=["Cs"])
TOKEN = st.sampled_from(NASTY) | st.text(PRINTED, min_size=1, max_size=5)
ODD = st.sampled_from(["a b", "", "\t", "a\nb", "\r", "\ufeffx"])
ID = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@st.composite
def spans(draw: st.DrawFn, length: int) -> tuple[int, int]:
    start = draw(st.integers(0, length - 1))
    return start, draw(st.integers(start + 1, length))


@st.composite
def answered(draw: st.DrawFn) -> Labelled:
    """A post with any entities and relations, overlaps and odd words included."""
    tokens = tuple(draw(st.lists(TOKEN | ODD, min_size=1, max_size=7)))
    places = draw(st.lists(spans(len(tokens)), max_size=3, unique=True))
    entities = tuple(
        Entity(start=s, end=e, label=draw(st.sampled_from(ENTITY_TYPES["twitter2017"]))) for s, e in places
    )
    entities = entities if draw(st.booleans()) else ()
    relation = st.builds(
        Link, head=spans(len(tokens)), tail=spans(len(tokens)), label=st.sampled_from(RELATIONS)
    )
    links = tuple(draw(st.lists(relation, max_size=2, unique=True))) if draw(st.booleans()) else ()
    pair = draw(st.none() | st.builds(Pair, head=spans(len(tokens)), tail=spans(len(tokens))))
    text = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=9))
    post = Post(text=text, tokens=tokens, pair=pair, id=draw(ID), image_id=draw(st.none() | ID))
    return Labelled(post=post, answer=Answer(entities=entities, links=links))


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=st.lists(answered(), max_size=3))
def test_what_fits_reads_back(tmp_path: Path, name: str, items: list[Labelled]) -> None:
    """`unfit` must name every post that would not come back, or this fails."""
    found = FORMATS[name]
    problems = unfit(items, found)
    fit = [item for item in items if item.post.id not in problems]
    path = tmp_path / f"file{found.suffix}"
    if path.is_dir():
        shutil.rmtree(path)  # brat writes into a new folder only; the examples share tmp_path
    found.write(path, fit)
    compare(fit, found.read(path, "twitter2017"), found)


def post(ref: str = "p1", tokens: str = "Kevin Durant visits Oakland", **fields: str) -> Post:
    return Post(text=tokens, tokens=tuple(tokens.split(" ")), id=ref, **fields)


PERSON, PLACE = Entity(start=0, end=2, label="PER"), Entity(start=3, end=4, label="LOC")
NESTED = Entity(start=1, end=2, label="ORG")
LIVES = Link(head=(0, 2), tail=(3, 4), label="/per/loc/place_of_residence")

CASES = [
    ("conll", post(), Answer(entities=(PERSON, NESTED)), "no overlapping entities"),
    ("conll", post(), Answer(links=(LIVES,)), "no relations"),
    ("conll", post(tokens="a\tb c d e"), Answer(), "tab or line break"),
    ("mnre", post(), Answer(entities=(PERSON,), links=(LIVES,)), "no entities"),
    ("mnre", post(), Answer(), "only posts with a relation"),
    ("spacy", post(), Answer(links=(LIVES,)), "no relations"),
    ("spacy", post(tokens="a  b"), Answer(), "is empty"),
    ("spacy", post(), Answer(entities=(PERSON, NESTED)), "no overlapping"),
    ("brat", Post(text="", tokens=("a b",), id="p1"), Answer(), "holds one"),
    ("brat", post(ref="é" * 60), Answer(), "too long"),
    ("label-studio", post(tokens="a  b"), Answer(), "is empty"),
]


@pytest.mark.parametrize(("name", "what", "answer", "says"), CASES)
def test_what_a_format_cannot_hold(name: str, what: Post, answer: Answer, says: str) -> None:
    (problem,) = unfit([Labelled(post=what, answer=answer)], FORMATS[name]).values()
    assert says in problem


def test_one_name_for_two_posts_is_refused() -> None:
    """MNRE's photos show several posts; CoNLL knows a post by its photo alone."""
    items = [Labelled(post=post(ref, image_id="7"), answer=Answer()) for ref in ("a", "b")]
    assert list(unfit(items, FORMATS["conll"])) == ["b"] and unfit(items, FORMATS["jsonl"]) == {}


def test_files_look_as_their_tools_expect(tmp_path: Path) -> None:
    item = Labelled(post=post(), answer=Answer(entities=(PERSON, PLACE), links=(LIVES,)))
    FORMATS["brat"].write(tmp_path / "brat", [item])
    assert (tmp_path / "brat" / "p1.ann").read_text() == (
        "T1\tPER 0 12\tKevin Durant\nT2\tLOC 20 27\tOakland\nR1\tper-loc-place_of_residence Arg1:T1 Arg2:T2\n"
    )
    FORMATS["label-studio"].write(tmp_path / "x.json", [item])
    (task,) = json.loads((tmp_path / "x.json").read_text())
    first, _, relation = task["annotations"][0]["result"]
    assert first["value"] == {"start": 0, "end": 12, "text": "Kevin Durant", "labels": ["PER"]}
    assert (relation["from_id"], relation["labels"]) == (first["id"], ["/per/loc/place_of_residence"])
    assert '<Label value="PER"/>' in label_studio.config("twitter2017")
    entities = Labelled(post=item.post, answer=Answer(entities=(PLACE,)))
    FORMATS["spacy"].write(tmp_path / "x.jsonl", [entities])
    doc = json.loads((tmp_path / "x.jsonl").read_text())
    assert doc["ents"] == [{"start": 20, "end": 27, "label": "LOC"}] and doc["tokens"][3]["end"] == 27


def test_marks_made_elsewhere_widen_to_words() -> None:
    _, places = joined(("Kevin", "Durant", "!"))
    assert words(places, 1, 8, "x") == (0, 2) and words(places, 5, 9, "x") == (1, 2)
    for start, end in ((5, 6), (3, 3), (99, 100), ("0", 2), (-1, 3)):
        with pytest.raises(InputError, match="where no word is"):
            words(places, start, end, "x")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("label-studio", "{", "not JSON"),
        ("label-studio", "{}", "not a list"),
        ("label-studio", '[{"data": {}}]', "task 1 is not a task that mmdemo exported"),
        ("label-studio", '[{"data": {"tokens": ["a"]}, "annotations": [{"result": [{"type": "relation", '
         '"from_id": "x", "to_id": "y"}]}]}]', "task 1 is not a task"),
        ("label-studio", '[{"data": {"tokens": ["a"]}, "annotations": [{"result": [{"id": "x", '
         '"type": "labels", "value": {"start": 0, "end": 1, "labels": [{}]}}]}]}]', "task 1"),
        ("spacy", "[1]", "line 1 is not a spaCy Doc"),
        ("spacy", '{"text": "a", "tokens": [], "ents": []}', "line 1 has no words"),
        ("spacy", '{"text": "a", "tokens": [{"start": 0, "end": 1}], "ents": [{"start": 4, "end": 5, '
         '"label": "PER"}]}', "no word is"),
    ],
)  # fmt: skip
def test_damaged_files_are_one_sentence(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / "x").write_text(content)
    with pytest.raises(InputError, match=says):
        FORMATS[name].read(tmp_path / "x", "twitter2017")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("T1\tPER 0 2;4 5\tab", "discontinuous"),
        ("T1\tPER 70 72\tab", "no word is"),
        (f"T1\tPER 0 {'9' * 5000}\tab", "not one span"),
        ("R1\tper-loc-place_of_residence Arg1:T1 Arg2:T2", "not a relation between two spans"),
    ],
)
def test_damaged_standoff_is_one_sentence(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "a.txt").write_text("Kevin Durant")
    (tmp_path / "a.ann").write_text(line + "\n")
    with pytest.raises(InputError, match=says):
        FORMATS["brat"].read(tmp_path, "twitter2017")


def test_unknown_formats_are_named() -> None:
    with pytest.raises(InputError, match="unknown format 'pickle'; known: conll"):
        find_format("pickle")

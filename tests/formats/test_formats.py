"""read(write(x)) == x for every format that is written, and a reason for each post that one cannot hold."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdemo.datasets.schema import Dataset, EntityType, RelationType
from mmdemo.formats.format import Format
from mmdemo.formats.shared.offsets import joined, words
from mmdemo.formats.shared.sameness import compare, unfit
from mmdemo.formats.table import FORMATS, SOURCES, find_format
from mmdemo.formats.tools import label_studio
from mmdemo.types import Ask, Entity, InputError, Post, Question, Relation
from tests.made_up import ENTITY_LABELS, RELATION_LABELS, odd_dataset, questions

ODD_SET = odd_dataset()
SMALL = Dataset(
    name="small",
    title="Small",
    tasks=("entities", "relations"),
    entities=tuple(EntityType(label=label) for label in ("person", "place", "team")),
    relations=(RelationType(label="/person/place/lives_in"),),
)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(questions(), max_size=3))
def test_what_fits_reads_back(tmp_path: Path, name: str, rows: list[Question]) -> None:
    """`unfit` must name every post that would not come back, or this fails. With the record and without."""
    found = FORMATS[name]
    problems = unfit(rows, found)
    fit = [row for row in rows if row.post.id not in problems]
    path = tmp_path / f"file{found.suffix}"
    if path.is_dir():
        shutil.rmtree(path)  # brat writes into a new folder only; the examples share tmp_path
    found.write(path, fit, ODD_SET)
    for dataset in (ODD_SET, None):
        compare(fit, found.read(path, dataset), found)


@pytest.mark.parametrize("name", [name for name, found in FORMATS.items() if found.holds == "everything"])
def test_every_label_is_held(tmp_path: Path, name: str) -> None:
    entities = tuple(Entity(start=0, end=2, label=label) for label in ENTITY_LABELS)
    relations = tuple(Relation(head=(0, 1), tail=(1, 2), label=label) for label in RELATION_LABELS)
    post = Post(text="a b", tokens=("a", "b"), id="1", entities=entities, relations=relations)
    rows = [Question(post=post, ask=Ask())]
    found = FORMATS[name]
    assert unfit(rows, found) == {}
    found.write(tmp_path / "x", rows, ODD_SET)
    compare(rows, found.read(tmp_path / "x", ODD_SET), found)


def test_what_only_reads_says_so(tmp_path: Path) -> None:
    only_read = SOURCES.keys() - FORMATS.keys()
    assert only_read
    for name in only_read:
        with pytest.raises(InputError, match="only read"):
            SOURCES[name].write(tmp_path / "x", [], SMALL)


def test_names_are_those_of_the_table() -> None:
    for name, found in SOURCES.items():
        assert found.name == name and found.title and found.holds


# ---------------------------------------------------------------- what a format cannot hold


PERSON, PLACE = Entity(start=0, end=2, label="person"), Entity(start=3, end=4, label="place")
NESTED = Entity(start=1, end=2, label="team")
LIVES = Relation(head=(0, 2), tail=(3, 4), label="/person/place/lives_in")


def row(
    ref: str = "p1",
    tokens: str = "Kevin Durant visits Oakland",
    entities: tuple[Entity, ...] = (),
    relations: tuple[Relation, ...] = (),
    image_id: str | None = None,
) -> Question:
    post = Post(
        text=tokens,
        tokens=tuple(tokens.split(" ")),
        id=ref,
        image_id=image_id,
        entities=entities,
        relations=relations,
    )
    return Question(post=post, ask=Ask())


BLANK = Question(post=Post(text="", tokens=("a b",), id="p1"), ask=Ask())

CASES = [
    ("conll", row(entities=(PERSON, NESTED)), "no overlapping entities"),
    ("conll", row(relations=(LIVES,)), "no relations"),
    ("conll", row(tokens="a\tb c d e"), "tab or line break"),
    ("mnre", row(entities=(PERSON,), relations=(LIVES,)), "no entities"),
    ("mnre", row(), "only posts with a relation"),
    ("spacy", row(relations=(LIVES,)), "no relations"),
    ("spacy", row(tokens="a  b"), "is empty"),
    ("spacy", row(entities=(PERSON, NESTED)), "no overlapping"),
    ("brat", BLANK, "holds one"),
    ("brat", row(ref="é" * 60), "too long"),
    ("brat", row(entities=(replace(PERSON, label="a\nb"),)), "labels"),
    ("label-studio", row(tokens="a  b"), "is empty"),
    ("doccano", row(tokens="a  b"), "is empty"),
]


@pytest.mark.parametrize(("name", "what", "says"), CASES)
def test_what_a_format_cannot_hold(name: str, what: Question, says: str) -> None:
    (problem,) = unfit([what], FORMATS[name]).values()
    assert says in problem


def test_one_name_for_two_posts_is_refused_where_the_name_alone_tells_them_apart() -> None:
    rows = [row("a"), row("a", tokens="other words")]
    assert list(unfit(rows, FORMATS["brat"])) == ["a"]


def test_two_posts_of_one_photo_come_back_from_conll(tmp_path: Path) -> None:
    """A photo may show with several posts: CoNLL names each by it, and their order tells them apart."""
    rows = [row("a", image_id="7"), row("b", tokens="Ann sings", image_id="7")]
    found = FORMATS["conll"]
    assert unfit(rows, found) == {}
    found.write(tmp_path / "x.txt", rows, SMALL)
    back = found.read(tmp_path / "x.txt", SMALL)
    compare(rows, back, found)
    with pytest.raises(InputError, match="does not read back"):
        compare(rows[::-1], back, found)


# ---------------------------------------------------------------- as other tools write and expect


def test_files_look_as_their_tools_expect(tmp_path: Path) -> None:
    whole = row(entities=(PERSON, PLACE), relations=(LIVES,))
    FORMATS["brat"].write(tmp_path / "brat", [whole], SMALL)
    assert (tmp_path / "brat" / "p1.ann").read_text() == (
        "T1\tperson 0 12\tKevin Durant\nT2\tplace 20 27\tOakland\nR1\tperson-place-lives_in Arg1:T1 Arg2:T2\n"
    )
    assert "person-place-lives_in | /person/place/lives_in" in (tmp_path / "brat/visual.conf").read_text()
    FORMATS["label-studio"].write(tmp_path / "x.json", [whole], SMALL)
    (task,) = json.loads((tmp_path / "x.json").read_text())
    first, _, relation = task["annotations"][0]["result"]
    assert first["value"] == {"start": 0, "end": 12, "text": "Kevin Durant", "labels": ["person"]}
    assert (relation["from_id"], relation["labels"]) == (first["id"], ["/person/place/lives_in"])
    FORMATS["spacy"].write(tmp_path / "x.jsonl", [row(entities=(PLACE,))], SMALL)
    doc = json.loads((tmp_path / "x.jsonl").read_text())
    assert doc["ents"] == [{"start": 20, "end": 27, "label": "place"}] and doc["tokens"][3]["end"] == 27
    FORMATS["doccano"].write(tmp_path / "x.jsonl", [whole], SMALL)
    line = json.loads((tmp_path / "x.jsonl").read_text())
    assert line["entities"][1] == {"id": 2, "label": "place", "start_offset": 20, "end_offset": 27}
    assert line["relations"] == [{"id": 1, "from_id": 1, "to_id": 2, "type": "/person/place/lives_in"}]
    FORMATS["dygie"].write(tmp_path / "x.json", [whole], SMALL)
    line = json.loads((tmp_path / "x.json").read_text())
    assert line["ner"] == [[0, 1, "person"], [3, 3, "place"]]  # inclusive ends
    assert line["relations"] == [[0, 1, 3, 3, "/person/place/lives_in"]]


def test_the_setup_for_label_studio_escapes_labels() -> None:
    setup = label_studio.config(ODD_SET)
    assert '<Label value="band"/>' in setup and '<Label value="SPAN-2"/>' in setup
    assert "<script>" not in setup and "&lt;script&gt;" in setup


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def facts(found: Question) -> tuple[object, ...]:
    """Words, entities and relations of a row, short enough to compare by eye."""
    post = found.post
    entities = [(" ".join(post.tokens[e.start : e.end]), e.label) for e in post.entities or ()]
    relations = [(r.head, r.tail, r.label) for r in post.relations or ()]
    return post.tokens, entities, relations


RAW = "Obama's plane, in Paris."
RAW_WORDS = ("Obama", "'", "s", "plane", ",", "in", "Paris", ".")
RAW_ENTITIES = [("Obama", "person"), ("Paris", "place")]


def test_brat_of_elsewhere(tmp_path: Path) -> None:
    written(tmp_path / "a.txt", RAW + "\n")
    written(
        tmp_path / "a.ann",
        "T1\tperson 0 5\tObama\nT2\tplace 18 23\tParis\nR1\tin Arg1:T1 Arg2:T2\n#1\tx T1\n",
    )
    written(tmp_path / "b.txt", "Nothing here.")
    left = Counter[str]()
    one, two = FORMATS["brat"].read(tmp_path, None, left)
    assert facts(one) == (RAW_WORDS, RAW_ENTITIES, [((0, 1), (6, 7), "in")])
    assert (two.post.entities, two.post.tokens) == (None, ("Nothing", "here", "."))
    assert left == {"events, attributes and notes of brat": 1}
    assert one.post.text[slice(*(one.post.offsets[6] or ()))] == "Paris"


def test_label_studio_of_elsewhere(tmp_path: Path) -> None:
    marks = [
        {"id": "x", "type": "labels", "value": {"start": 0, "end": 5, "labels": ["person"]}},
        {"id": "y", "type": "labels", "value": {"start": 18, "end": 23, "labels": ["place"]}},
        {"type": "relation", "from_id": "y", "to_id": "x", "direction": "left", "labels": ["in"]},
        {"id": "c", "type": "choices", "value": {"choices": ["good"]}},
    ]
    task = {
        "id": 7,
        "data": {"tweet": RAW, "image": "/data/upload/1/a.jpg?x=1"},
        "annotations": [{"result": marks}],
    }
    left = Counter[str]()
    (one,) = FORMATS["label-studio"].read(written(tmp_path / "x.json", json.dumps([task])), None, left)
    assert facts(one) == (RAW_WORDS, RAW_ENTITIES, [((0, 1), (6, 7), "in")])
    assert (one.post.id, one.post.image_id) == ("7", "a.jpg")
    assert left == {"annotations of the type 'choices'": 1}


@pytest.mark.parametrize(
    "stated",
    [
        {"label": [[0, 5, "person"], [18, 23, "place"]]},
        {"labels": [[0, 5, "person"], [18, 23, "place"]], "Comments": []},
        {"entities": [{"id": 3, "label": "person", "start_offset": 0, "end_offset": 5},
                      {"id": 4, "label": "place", "start_offset": 18, "end_offset": 23}], "relations": []},
    ],
)  # fmt: skip
def test_doccano_of_elsewhere(tmp_path: Path, stated: dict) -> None:
    path = written(tmp_path / "x.jsonl", json.dumps({"id": 5, "text": RAW, **stated}))
    (one,) = FORMATS["doccano"].read(path)
    assert facts(one) == (RAW_WORDS, RAW_ENTITIES, []) and one.post.id == "5"


def test_documents_become_a_post_a_sentence(tmp_path: Path) -> None:
    line = {
        "doc_key": "d",
        "sentences": [["Ann", "met", "Bob"], ["Bob", "left"]],
        "ner": [[[0, 0, "person"], [2, 2, "person"]], [[3, 3, "person"]]],
        "relations": [[[0, 0, 2, 2, "met", "", True]], [[0, 0, 3, 3, "met"]]],
        "clusters": [],
    }
    path = written(tmp_path / "x.json", json.dumps(line))
    left = Counter[str]()
    one, two = FORMATS["dygie"].read(path, None, left)
    assert facts(one) == (
        ("Ann", "met", "Bob"),
        [("Ann", "person"), ("Bob", "person")],
        [((0, 1), (2, 3), "met")],
    )
    assert (two.post.id, facts(two)[1:]) == ("d:2", ([("Bob", "person")], []))
    assert left == {"relations across sentences": 1}
    with pytest.raises(InputError, match="line 1 sentence 2 holds relations across sentences"):
        FORMATS["dygie"].read(path)


def test_crossre_reads_whole(shared_data: Path) -> None:
    """The figures are the study's own (CrossRE, music): 100, 350 and 399 sentences."""
    rows = [
        SOURCES["dygie"].read(shared_data / "crossre" / f"music-{split}.json")
        for split in ("train", "dev", "test")
    ]
    assert [len(split) for split in rows] == [100, 350, 399]
    posts = [found.post for split in rows for found in split]
    entities = Counter(e.label for post in posts for e in post.entities or ())
    assert len(entities) == 14 and entities["magazine"] == 1  # the study's 13, and a slip
    assert len({r.label for post in posts for r in post.relations or ()}) == 17
    assert all(found.ask == Ask(entities=True, relations="all") for split in rows for found in split)
    twice = [
        post for post in posts if len({r.pair for r in post.relations or ()}) < len(post.relations or ())
    ]
    assert twice, "pairs with two relations are kept"


def test_marks_made_elsewhere_widen_to_words() -> None:
    _, places = joined(("Kevin", "Durant", "!"))
    assert words(places, 1, 8, "x") == (0, 2) and words(places, 5, 9, "x") == (1, 2)
    for start, end in ((5, 6), (3, 3), (99, 100), ("0", 2), (-1, 3)):
        with pytest.raises(InputError, match="where no word is"):
            words(places, start, end, "x")


# ---------------------------------------------------------------- labels


def labelled(path: Path, *labels: str) -> tuple[Format, Path]:
    found = FORMATS["conll"]
    text = "\n".join(f"IMGID:{number}\nx\tB-{label}\n" for number, label in enumerate(labels))
    return found, written(path / "x.txt", text)


def test_unknown_labels_are_counted_and_explained(tmp_path: Path) -> None:
    found, path = labelled(tmp_path, "city", "city", "person", "River")
    with pytest.raises(InputError) as error:
        found.read(path, SMALL)
    said = str(error.value)
    assert "unknown entity labels 'city' (2 times), 'River' (once)" in said
    assert "Small knows person, place, team" in said and '[map], such as "city" = "team"' in said


def test_the_map_renames_and_leaves_out(tmp_path: Path) -> None:
    mapped = replace(SMALL, label_map=(("city", "place"), ("River", "")))
    found, path = labelled(tmp_path, "city", "person", "River")
    left = Counter[str]()
    rows = found.read(path, mapped, left)
    assert [facts(one)[1] for one in rows] == [[("x", "place")], [("x", "person")], []]
    assert left == {"entity label 'River', by [map]": 1}


def test_mapped_tags_follow_their_entities(tmp_path: Path) -> None:
    path = written(tmp_path / "x.txt", "IMGID:1\nLake\tO\nWater\tI-city\nBob\tI-River\n")
    mapped = replace(SMALL, label_map=(("city", "place"), ("River", "")))
    (one,) = FORMATS["conll"].read(path, mapped, Counter())
    assert one.post.tags == ("O", "I-place", "O")


def test_labels_of_a_kind_that_the_record_lacks(tmp_path: Path) -> None:
    """A set with both tasks may be used for its entities alone."""
    FORMATS["dygie"].write(tmp_path / "x.json", [row(entities=(PERSON,), relations=(LIVES,))], SMALL)
    entities = replace(SMALL, tasks=("entities",), relations=())
    left = Counter[str]()
    (one,) = FORMATS["dygie"].read(tmp_path / "x.json", entities, left)
    assert one.post.relations == () and left.total() == 1
    with pytest.raises(InputError, match="relation labels, of which Small has none"):
        FORMATS["dygie"].read(tmp_path / "x.json", entities)


# ---------------------------------------------------------------- damaged files


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("label-studio", "{", "not JSON"),
        ("label-studio", "{}", "line 1 is not a task of Label Studio"),
        ("label-studio", '[{"data": {}}]', "task 1 has None where text should be"),
        ("label-studio", "[1]", "line 1 is not a JSON object"),
        ("label-studio", '[{"data": {"text": "a"}}, 1]', "task 2 is not a JSON object"),
        ("label-studio", '[{"data": {"text": "a"}}', "is not JSON from task 2 on"),
        ("label-studio", '[{"data": {"tokens": ["a"]}, "annotations": [{"result": [{"type": "relation", '
         '"from_id": "x", "to_id": "y", "labels": ["l"]}]}]}]', "task 1 is not a relation between two spans"),
        ("label-studio", '[{"data": {"tokens": ["a"]}, "annotations": [{"result": [{"id": "x", '
         '"type": "labels", "value": {"start": 0, "end": 1, "labels": [{}]}}]}]}]', "task 1"),
        ("label-studio", '[{"data": {"tokens": ["a"], "offsets": [1, 2]}}]', "task 1 has offsets"),
        ("spacy", "[1]", "line 1 is not a JSON object"),
        ("spacy", '{"text": "a"}', "line 1 is not a spaCy Doc"),
        ("spacy", '{"text": "a", "tokens": [], "ents": []}', "line 1 has no words"),
        ("spacy", '{"text": "a", "tokens": [{"start": 0, "end": 1}], "ents": [{"start": 4, "end": 5, '
         '"label": "person"}]}', "no word is"),
        ("doccano", '{"id": 1}', "line 1 is not a line of doccano"),
        ("doccano", '{"text": "a", "label": [[0, 1]]}', "line 1 has 'label' that are no spans"),
        ("doccano", '{"text": "a", "label": [[3, 9, "person"]]}', "no word is"),
        ("doccano", '{"text": " ", "label": []}', "text without words"),
        ("doccano", '{"text": "a", "entities": [], "relations": [{"from_id": 1, "to_id": 2, "type": "x"}]}',
         "not a relation between two spans"),
        ("dygie", "{}", "neither 'sentence' nor 'sentences'"),
        ("dygie", '{"sentence": []}', "no list of words"),
        ("dygie", '{"sentence": ["a"], "ner": [[0, 1, "person"]]}', "has the span"),
        ("dygie", '{"sentence": ["a"], "ner": [["0", 0, "person"]]}', "not two numbers"),
        ("dygie", '{"sentence": ["a"], "ner": [[0, 0]]}', "ner that are not rows of at least 3"),
        ("dygie", '{"sentence": ["a"], "relations": {}}', "relations that are not rows"),
        ("dygie", '{"sentences": [["a"]], "ner": []}', "not one list of ner for each sentence"),
        ("dygie", '{"sentences": []}', "no list of sentences"),
    ],
)  # fmt: skip
def test_damaged_files_are_one_sentence(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / "x").write_text(content)
    with pytest.raises(InputError, match=says):
        FORMATS[name].read(tmp_path / "x", SMALL)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("T1\tperson 0 2;4 5\tab", "discontinuous"),
        ("T1\tperson 70 72\tab", "line 1 holds a mark of 'ab' where another text stands"),
        ("T1\tperson 70 72", "no word is"),
        (f"T1\tperson 0 {'9' * 5000}\tab", "not one span"),
        ("R1\tlives Arg1:T1 Arg2:T2", "not a relation between two spans"),
        ("R1", "not a relation between two spans"),
    ],
)
def test_damaged_standoff_is_one_sentence(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "a.txt").write_text("Kevin Durant")
    (tmp_path / "a.ann").write_text(line + "\n")
    with pytest.raises(InputError, match=says):
        FORMATS["brat"].read(tmp_path, SMALL)


def test_discontinuous_entities_are_counted_with_their_relations(tmp_path: Path) -> None:
    written(tmp_path / "a.txt", "left and right lung of Ann")
    written(tmp_path / "a.ann", "T1\tplace 0 4;15 19\tx\nT2\tperson 23 26\tAnn\nR1\tof Arg1:T1 Arg2:T2\n")
    left = Counter[str]()
    (one,) = FORMATS["brat"].read(tmp_path, None, left)
    assert facts(one)[1:] == ([("Ann", "person")], [])
    assert left == {"a discontinuous entity": 1, "relations of a discontinuous entity": 1}


def test_unknown_formats_are_named() -> None:
    with pytest.raises(InputError, match=f"unknown format 'pickle'; known: {', '.join(FORMATS)}"):
        find_format("pickle")

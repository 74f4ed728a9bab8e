"""Entities and relations of a post in one answer: what predict says of each, with ids, and what was asked."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mmdemo.answer import predict as answering
from mmdemo.answer.extract import extract, extract_many
from mmdemo.answer.extract_json import extraction_json
from mmdemo.answer.extraction import scoring
from mmdemo.cells import catalogue
from mmdemo.cells.checkpoint import cell_folder
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.posts.pairs import read_whole
from mmdemo.types import Ask, Entity, InputError, Pair, PhotoWords, Question
from tests.tiny import build_cell

TWEET = "Kevin Durant enters Oracle Arena in Oakland tonight"
NAMED = [
    Entity(start=0, end=2, label="PER"),
    Entity(start=3, end=5, label="LOC"),
    Entity(start=6, end=7, label="LOC"),
]


@pytest.fixture(autouse=True)
def tiny(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))


@pytest.fixture
def photo() -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8))


def cell(dataset: str):
    return catalogue.find_cell(dataset, "roberta-resnet50", "film", "tiny")


def read(text: str = TWEET, image=None, dataset: str = "twitter2017"):
    return read_whole(text, find_dataset(dataset).words, image)


def found(text: str = TWEET, image=None, **options):
    return extract(read(text, image), cell("twitter2017"), cell("mnre"), **options)


def test_entities_are_those_that_predict_finds(photo):
    question = read(image=photo)
    answer = extract(question, cell("twitter2017"), cell("mnre"))
    alone = answering.predict(Question(post=question.post, ask=Ask()), cell("twitter2017"))
    assert alone.entities
    assert [(e.start, e.end, e.label, e.score) for e in answer.entities] == [
        (e.start, e.end, e.label, e.score) for e in alone.entities
    ]
    assert [e.id for e in answer.entities] == [f"e{i}" for i in range(len(alone.entities))]
    for one in answer.entities:
        assert TWEET[one.start_char : one.end_char] == one.text and one.source == "found"
        assert one.runner_up.label != one.label and 0 <= one.score + one.runner_up.score <= 1
    assert answer.warnings == alone.warnings and answer.image_used


@pytest.mark.parametrize("with_photo", [True, False])
def test_marked_pairs_have_the_relations_that_predict_tells(photo, with_photo):
    image = photo if with_photo else None
    text = "[E1] Kevin Durant [/E1] enters [E2] Oracle Arena [/E2] in [E2] Oakland [/E2]"
    answer = found(text, image, with_none=True)
    question = read(text, image)
    alone = answering.predict(replace(question, ask=replace(question.ask, entities=False)), cell("mnre"))
    told = [*answer.relations, *answer.none]
    assert answer.pairs_asked == answer.pairs_answered == 2 and len(told) == 2
    by_id = {e.id: e.span for e in answer.entities}
    for one in told:
        pair = Pair(head=by_id[one.head], tail=by_id[one.tail])
        wanted = [r for r in alone.relations if r.pair == pair]
        assert [top.label for top in one.top] == [r.label for r in wanted]
        assert [top.score for top in one.top] == pytest.approx([r.score for r in wanted], abs=1e-5)
        assert one.label == wanted[0].label
    assert {answer.entity(one.head).source for one in told} == {"marked"}


def test_all_pairs_that_the_types_allow_are_answered():
    answer = found(entities=NAMED, with_none=True)
    mnre = find_dataset("mnre")
    allowed = {
        (a, b)
        for a, one in enumerate(NAMED)
        for b, other in enumerate(NAMED)
        if a != b and len(mnre.relations_between(one.label, other.label)) > 1
    }
    assert (answer.pairs_possible, answer.pairs_asked) == (6, len(allowed)) and 0 < len(allowed) < 6
    told = {(one.head, one.tail) for one in (*answer.relations, *answer.none)}
    assert told == {(f"e{a}", f"e{b}") for a, b in allowed}
    assert answer.none_count == len(answer.none)
    for one in answer.relations:
        ends = answer.entity(one.head).label, answer.entity(one.tail).label
        assert one.label in mnre.relations_between(*ends)
    assert [(e.source, e.score) for e in answer.entities] == [("stated", None)] * 3


def test_none_is_counted_and_listed_on_request():
    assert found(entities=NAMED).none == ()
    assert found(entities=NAMED).none_count == found(entities=NAMED, with_none=True).none_count


def test_posts_answered_together_are_answered_as_alone(photo):
    questions = [read(), read("Ann loves Bob in Paris", photo), read("[E1] Ann [/E1] [E2] Bob [/E2]")]
    together = extract_many(questions, cell("twitter2017"), cell("mnre"), with_none=True)
    for question, one in zip(questions, together, strict=True):
        alone = extract(question, cell("twitter2017"), cell("mnre"), with_none=True)
        assert [e.span for e in one.entities] == [e.span for e in alone.entities]
        for ours, theirs in zip((*one.relations, *one.none), (*alone.relations, *alone.none), strict=True):
            assert (ours.head, ours.tail, ours.label) == (theirs.head, theirs.tail, theirs.label)
            assert ours.score == pytest.approx(theirs.score, abs=1e-5)


def test_words_that_the_two_datasets_part_otherwise_are_matched_by_their_characters():
    text = "[E1] Ann's dog [/E1] isn't in [E2] Bob's house [/E2]"
    question = read(text)
    assert question.post.tokens != read(text, dataset="mnre").post.tokens
    answer = extract(question, cell("twitter2017"), cell("mnre"), with_none=True)
    own = read(text, dataset="mnre")
    alone = answering.predict(replace(own, ask=replace(own.ask, entities=False)), cell("mnre"))
    (one,) = (*answer.relations, *answer.none)
    assert [top.score for top in one.top] == pytest.approx([r.score for r in alone.relations], abs=1e-5)
    head = answer.entity(one.head)
    assert text[head.start_char : head.end_char] == "Ann's dog"


def test_it_can_be_stopped_and_tells_how_far_it_is(monkeypatch):
    monkeypatch.setattr(scoring, "MOST_PAIRS", 2)
    names = [Entity(start=i, end=i + 1, label="PER") for i in range(4)]
    told: list[tuple[int, int]] = []
    options = {"entities": names, "progress": lambda done, total: told.append((done, total))}
    whole = found(**options, with_none=True)
    assert told == [(done, 12) for done in range(2, 13, 2)] and not whole.stopped
    told.clear()
    part = found(**options, should_stop=lambda: told[-1][0] >= 4)
    assert told == [(2, 12), (4, 12)]
    assert part.stopped and (part.pairs_asked, part.pairs_answered) == (12, 4)


def test_pairs_that_stand_close_together_come_first(monkeypatch):
    monkeypatch.setattr(scoring, "MOST_PAIRS", 6)
    names = [Entity(start=i, end=i + 1, label="PER") for i in range(4)]
    part = found(entities=names, should_stop=lambda: True, with_none=True)
    places = [(int(one.head[1:]), int(one.tail[1:])) for one in (*part.relations, *part.none)]
    assert places and {abs(head - tail) for head, tail in places} == {1}


def test_of_many_pairs_each_is_read_with_the_words_nearest_to_it(monkeypatch):
    read_lengths: list[int] = []
    collate = scoring.collate

    def noted(examples):
        read_lengths.extend(len(example.text.ids) for example in examples)
        return collate(examples)

    monkeypatch.setattr(scoring, "collate", noted)
    text = " ".join(f"Ann{i}" for i in range(40))
    names = [Entity(start=i, end=i + 1, label="PER") for i in range(14)]
    few = found(text, entities=names[:13])
    assert few.pairs_asked == 156 and not few.narrow and max(read_lengths) > scoring.NARROW
    read_lengths.clear()
    many = found(text, entities=names)
    assert many.pairs_asked == 182 and many.narrow and max(read_lengths) <= scoring.NARROW


def test_one_cell_with_both_tasks_answers_both(tmp_path, monkeypatch, tiny_zoo):
    mnre = find_dataset("mnre")
    both = replace(mnre, name="both", title="Both", tasks=("entities", "relations"))
    (tmp_path / "lite").symlink_to(tiny_zoo / "lite")
    config = ModelConfig(dataset=both, preset="tiny")
    build_cell(tmp_path, config, own_trunk=True)
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path))
    assert cell_folder(tmp_path, config).is_dir()
    own = catalogue.find_cell("both", config.model, config.fusion, "tiny")
    answer = extract(read(), own, entities=NAMED)
    assert answer.entities_by == answer.relations_by == own.name and answer.pairs_answered


@pytest.mark.parametrize("in_text", [False, True])
def test_what_a_photo_says_is_read_for_each_pair(tmp_path, monkeypatch, tiny_zoo, in_text):
    (tmp_path / "lite").symlink_to(tiny_zoo / "lite")
    for dataset in ("twitter2017", "mnre"):
        config = ModelConfig(
            dataset=find_dataset(dataset), preset="tiny", photo_words=True, words_in_text=in_text
        )
        build_cell(tmp_path, config, own_trunk=True)
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tmp_path))
    text = "[E1] Ann [/E1] met [E2] Bob [/E2]"
    words = (PhotoWords(source="ocr", text="PADRES win"), PhotoWords(source="described", text="a crowd"))
    question = read_whole(text, find_dataset("twitter2017").words, None, words)
    answer = extract(question, cell("twitter2017"), cell("mnre"), with_none=True)
    asked = replace(question, ask=replace(question.ask, entities=False))
    alone = answering.predict(asked, cell("mnre"))
    (one,) = (*answer.relations, *answer.none)
    assert [top.score for top in one.top] == pytest.approx([r.score for r in alone.relations], abs=1e-5)
    assert answer.photo_words_used and alone.photo_words_used
    unsaid = answering.predict(replace(asked, post=replace(asked.post, photo_words=())), cell("mnre"))
    assert unsaid.relations[0].score != pytest.approx(alone.relations[0].score, abs=1e-5)


def test_without_a_relation_cell_only_entities_are_told():
    answer = extract(read(), cell("twitter2017"))
    assert answer.entities and answer.relations == () and answer.relations_by == "" and not answer.pairs_asked


def test_each_words_tag_is_told_on_request():
    assert found().words == ()
    words = found(with_words=True).words
    assert [word.text for word in words] == TWEET.split()
    assert all(word.tag == "O" or word.tag[1] == "-" for word in words)
    assert all(0 < word.score <= 1 for word in words)
    long = found("Oakland " * 300, with_words=True, should_stop=lambda: True).words
    assert len(long) == 300 and long[-1].score is None and long[0].score is not None


def test_json_has_ids_places_and_counts():
    answer = json.loads(json.dumps(extraction_json(found(entities=NAMED, with_none=True, with_words=True))))
    assert [e["id"] for e in answer["entities"]] == ["e0", "e1", "e2"]
    assert TWEET[answer["entities"][1]["start_char"] : answer["entities"][1]["end_char"]] == "Oracle Arena"
    told = [*answer["relations"], *answer.get("none", [])]
    assert told and all({"head", "tail", "label", "score"} <= one.keys() for one in told)
    assert answer["pairs"]["possible"] == 6 and answer["pairs"]["answered"] == answer["pairs"]["asked"]
    assert len(answer["words"]) == len(answer["tokens"]) == len(answer["offsets"])
    assert answer["entities_by"] == cell("twitter2017").name and answer["relations_by"] == cell("mnre").name


@pytest.mark.parametrize(
    ("entities", "match"),
    [
        ([Entity(start=0, end=99, label="PER")], "words 0-99 are not words of the post"),
        ([Entity(start=0, end=1, label="STARSHIP")], "'STARSHIP' is no entity label of Twitter2017"),
        ([Entity(start=0, end=1, label="PER"), Entity(start=0, end=1, label="LOC")], "have the same words"),
    ],
)
def test_stated_entities_that_do_not_fit_are_one_sentence(entities, match):
    with pytest.raises(InputError, match=match):
        found(entities=entities)


def test_cells_of_the_other_task_are_one_sentence():
    with pytest.raises(InputError, match="tells relations; it does not find entities"):
        extract(read(), cell("mnre"))
    with pytest.raises(InputError, match="finds entities; it does not tell relations"):
        extract(read(), cell("twitter2017"), cell("twitter2015"))


def test_of_a_crowd_of_entities_the_closest_pairs_are_asked_and_it_is_said():
    text = " ".join(["Ann"] * 70)
    names = [Entity(start=i, end=i + 1, label="PER") for i in range(70)]
    answer = found(text, entities=names, should_stop=lambda: True)
    assert (answer.pairs_possible, answer.pairs_asked) == (4830, 4000)
    assert any("4,830 pairs of entities: the 4,000 that stand closest" in one for one in answer.warnings)

"""The Extract tab's handlers on tiny cells: answers, edits, one pair, reasons, review, links."""

from types import SimpleNamespace

import gradio as gr
import pytest

from mmdemo.answer.extraction.records import Extraction
from mmdemo.posts.pairs import read_whole
from mmdemo.types import Entity
from mmdemo.ui.extract import answering, handlers, pickers, reasons, sending
from mmdemo.ui.extract import tab as extract_tab
from mmdemo.ui.extract.answering import STOPS, Progress, answers
from mmdemo.ui.review import calls
from mmdemo.ui.serve.uploads import found_again
from mmdemo.ui.shell.permalink import read_link

ENTITIES, RELATIONS = "tiny/twitter2017/blip/film", "tiny/mnre/blip/film"
TWEET = "Kevin Durant enters Oracle Arena"
VISIT = SimpleNamespace(session_hash="ann")
STATED = [
    {"id": "e0", "start": 0, "end": 2, "label": "PER", "score": 0.9},
    {"id": "e1", "start": 3, "end": 5, "label": "LOC", "score": 0.8},
]
KEPT = {"text": TWEET, "entities_by": ENTITIES, "relations_by": RELATIONS, "entities": STATED}


@pytest.fixture(autouse=True)
def tiny(tiny_zoo, monkeypatch, tmp_path):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    monkeypatch.setenv("MMDEMO_REVIEWS", str(tmp_path / "reviews.sqlite3"))
    yield
    calls.close_store()


def form(text=TWEET, photo=None, said=None):
    return ENTITIES, RELATIONS, text, photo, said


def event(**data):
    return gr.EventData(None, data)


def last(text=TWEET):
    *_, shown = handlers.run(*form(text), request=VISIT)
    return shown


def test_a_post_is_answered_in_all_places():
    answer, pair, below, told = last()
    assert 'data-word="4"' in answer and pair == "" and "read without a photo" in below
    assert (told["entities_by"], told["relations_by"]) == (ENTITIES, RELATIONS)
    assert told["words"] and "mended" not in told


def test_marks_ask_about_their_pairs_alone():
    told = last("[E1] Kevin [/E1] met [E2] Ann [/E2] and [E2] Bob [/E2]")[3]
    assert told["pairs"]["asked"] == 2


@pytest.mark.parametrize("text", ["", " ", "[E1] Ann [/E1]", None])
def test_what_cannot_be_asked_is_one_sentence(text):
    answer, pair, below, told = last(text)
    assert 'role="alert"' in answer and (pair, below, told) == ("", "", None)


def test_a_failure_is_logged_and_tells_nothing(monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(answering.extracting, "extract", broken)
    answer = last()[0]
    assert 'role="alert"' in answer and "secret" not in answer and "secret detail" in caplog.text


def test_relations_follow_an_edit_and_the_other_scores_stay():
    given = {"act": "type", "entity": "e1", "label": "ORG"}
    answer, pair, _, told = handlers.edit(KEPT, *form(), event=event(**given))
    assert [(e["label"], e["score"], e["source"]) for e in told["entities"]] == [
        ("PER", 0.9, "found"),
        ("ORG", None, "stated"),
    ]
    assert told["mended"] and "by you" in answer and pair == ""
    assert told["pairs"]["asked"] == 1, "of a person and an organisation, one way alone"
    removed = handlers.edit(told, *form(), event=event(act="remove", entity="e0"))[3]
    assert removed["pairs"]["asked"] == 0 and len(removed["entities"]) == 1


def test_an_edit_that_cannot_be_leaves_the_answer_alone():
    given = {"act": "bounds", "entity": "e0", "start": 0, "end": 99}
    answer, pair, below, told = handlers.edit(KEPT, *form(), event=event(**given))
    assert 'role="alert"' in pair and all("value" not in kept for kept in (answer, below, told))


@pytest.mark.parametrize("score", [7, -0.1, float("nan")])
def test_a_score_that_is_no_probability_is_refused(score):
    forged = {**KEPT, "entities": [{**STATED[0], "score": score}, STATED[1]]}
    given = {"act": "type", "entity": "e1", "label": "ORG"}
    assert "not a probability" in handlers.edit(forged, *form(), event=event(**given))[1]


def test_two_entities_are_asked_for_their_relation_in_either_direction():
    for head, tail, text in (("e0", "e1", "Kevin Durant"), ("e1", "e0", "Oracle Arena")):
        html = handlers.pair(KEPT, *form(), event=event(head=head, tail=tail))
        assert html.count("<li>") == 5 and html.index(text) < html.index("<em>")
    assert 'role="alert"' in handlers.pair(KEPT, *form(), event=event(head="e0", tail="e0"))
    assert 'role="alert"' in handlers.pair(KEPT, *form(), event=event(head="e0", tail="e7"))


def test_an_answer_follows_its_photos_words_with_mended_entities_and_no_other_text():
    words = [{"source": "described", "text": "a game", "score": None, "box": None, "by": ""}]
    said = {"state": "read", "photo": "", "parts": words}
    answered = {**KEPT, "photo_words": [], "mended": True}
    told = handlers.ask_again(answered, *form(said=said))[3]
    assert [one["text"] for one in told["photo_words"]] == ["a game"]
    assert [(e["start"], e["end"]) for e in told["entities"]] == [(0, 2), (3, 5)]
    for same in (handlers.ask_again(answered, *form("else", said=said)), handlers.ask_again(None, *form())):
        assert same == (gr.skip(),) * 4


def test_a_long_answer_shows_how_far_it_is_and_can_be_stopped(monkeypatch):
    monkeypatch.setattr(answering, "EVERY", 0.0)
    cells = pickers.chosen_cells(ENTITIES, RELATIONS)
    question = read_whole(" ".join(f"Name{i}" for i in range(15)), cells.entities.dataset.words)
    stated = tuple(Entity(start=i, end=i + 1, label="PER") for i in range(15))
    whole = list(answers(question, cells, stated, "bob"))
    assert isinstance(whole[-1], Extraction) and not whole[-1].stopped and whole[-1].pairs_asked == 210
    assert all(isinstance(one, Progress) and one.total == 210 for one in whole[:-1])

    real = answering.extracting.extract

    def stopped_at_once(*args, **given):
        STOPS.stop("ann")
        return real(*args, **given)

    monkeypatch.setattr(answering.extracting, "extract", stopped_at_once)
    *_, found = answers(question, cells, stated, "ann")
    assert found.stopped and 0 < found.pairs_answered < 210
    assert STOPS._asked == {}


def test_who_answers_is_said_and_an_entity_cell_with_both_tasks_does_both():
    line = pickers.by_line(ENTITIES, RELATIONS)
    assert "Entities by" in line and "relations by" in line
    assert 'role="alert"' in pickers.by_line("tiny/nowhere/blip/film", RELATIONS)
    assert 'role="alert"' in pickers.by_line(["x"], None)
    assert pickers.follow(ENTITIES, RELATIONS) == gr.skip()


# --- reasons ------------------------------------------------------------------------------------


def lead(**given):
    return reasons.lead(KEPT, *form(), event=event(**given))


def test_an_entity_and_a_word_lead_to_the_entity_cell():
    preset, dataset, model, fusion, text, photo, _, target, tab = lead(of="entity", entity="e1")
    assert (preset, dataset, model, fusion["value"]) == ("tiny", "twitter2017", "blip", "film")
    assert (text, photo, target["value"]) == (TWEET, None, 3)
    assert tab.selected == "why-tab"
    assert lead(of="word", word="2")[7]["value"] == 2


def test_a_relation_leads_to_the_relation_cell_with_its_pair_marked():
    _, dataset, _, _, text, *_ = lead(of="relation", head="e1", tail="e0", label="None")
    assert dataset == "mnre" and text == "[E2] Kevin Durant [/E2] enters [E1] Oracle Arena [/E1]"


@pytest.mark.parametrize("given", [{}, {"of": "word", "word": "x"}, {"of": "entity", "entity": "e7"}])
def test_what_is_not_there_has_no_reason(given):
    with pytest.raises(gr.Error):
        lead(**given)


# --- review and links ---------------------------------------------------------------------------


def test_an_answer_goes_to_a_queue_once_with_its_entities():
    queue, html = sending.send("Ann", " mine ", KEPT, *form())
    assert queue == "mine" and "Added to" in html
    (found,) = calls.store().reviews([1], "Ann")
    assert [(e.start, e.end, e.label) for e in found.suggestion.answer.entities] == [
        (0, 2, "PER"),
        (3, 5, "LOC"),
    ]
    assert "It is in" in sending.send("Ann", "mine", KEPT, *form())[1]


@pytest.mark.parametrize(("name", "kept"), [("", KEPT), ("Ann", None), ("Ann", {**KEPT, "entities": [7]})])
def test_what_cannot_be_sent_is_one_sentence(name, kept):
    queue, html = sending.send(name, "mine", kept, *form())
    assert queue is None and 'role="alert"' in html


def test_a_link_fills_in_the_question_and_says_when_its_photo_is_gone(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    here, gone = "a" * 64, "b" * 64
    (tmp_path / here).mkdir()
    (tmp_path / here / "photo.png").write_bytes(b"a photo")
    query = {"tab": "extract", "entities": ENTITIES, "relations": "lite/../x/y", "text": TWEET, "photo": here}
    entities, relations, text, photo, told = extract_tab.from_link(read_link(query))
    assert (entities["value"], text["value"]) == (ENTITIES, TWEET) and "value" not in relations
    assert photo["value"] == str(tmp_path / here / "photo.png") and "value" not in told
    *_, photo, told = extract_tab.from_link(read_link({**query, "photo": gone}))
    assert "value" not in photo and "not kept here any more" in told


@pytest.mark.parametrize("token", ["", "../etc", "a" * 63, "a" * 64, "A" * 64, "/" * 64])
def test_a_link_names_no_file_but_an_upload(token, monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert found_again(token) is None

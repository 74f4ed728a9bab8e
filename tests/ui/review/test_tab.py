"""What the Review tab's calls answer: a real store, no browser. What a browser sends may be forged."""

import base64
import io
import json

import gradio as gr
import pytest
from gradio.helpers import special_args
from PIL import Image

from mmdemo.datasets.discovery import find_dataset, reviewed_as
from mmdemo.datasets.looks import looks_of
from mmdemo.review.records import Answer, Suggestion
from mmdemo.review.store.reviews import open_store
from mmdemo.types import Ask, Entity, Pair, Post, Question, Relation
from mmdemo.ui.review import calls as review_calls
from mmdemo.ui.review import editor
from mmdemo.ui.review import files as review_files
from mmdemo.ui.review import photo as review_photo
from mmdemo.ui.review.calls import CALLS
from mmdemo.ui.review.page import page_facts

HOSTILE = "<img src=x onerror=1> ${x} {{7*7}} =1+1 \u202eevil a" + "\u0301" * 5000
TWEETS, PAIRS = reviewed_as(find_dataset("twitter2017")), find_dataset("mnre")
ANN = {"name": "Ann", "queue": "may"}
SPANS = {"entities": [{"start": 0, "end": 2, "label": "PER"}], "links": []}


@pytest.fixture
def store(tmp_path, monkeypatch):
    found = open_store(tmp_path / "reviews.sqlite3")
    monkeypatch.setattr(review_calls, "store", lambda: found)
    found.make_queue("may", TWEETS)
    photo = tmp_path / "photo.png"
    Image.new("RGB", (2000, 10)).save(photo)
    tweets = ("Kevin Durant enters Oracle Arena", HOSTILE, "Ann sings")
    found.add("may", [post(f"p{i}", t, photo) for i, t in enumerate(tweets)])
    keys = found.unsuggested("may", "tiny")
    entity = Entity(start=0, end=2, label="PER", text="Kevin Durant", score=0.9)
    found.suggest([(keys[0], Suggestion(answer=Answer(entities=(entity,)), checkpoint="tiny"))])
    yield found
    found.close()


def post(name, text, image=None, pair=None):
    """A post whose entities are asked for, or the relation of a pair."""
    asked = Ask(entities=pair is None, relations=() if pair is None else (pair,))
    return Question(post=Post(text=text, tokens=tuple(text.split()), image=image, id=name), ask=asked)


def ask(what, /, **sent):
    """A call as a browser makes it: through JSON both ways."""
    call = next(call for call in CALLS if call.__name__ == f"review_{what}")
    return json.loads(json.dumps(call(json.loads(json.dumps({**ANN, **sent})))))


def opened(**sent):
    return ask("next", **sent)["post"]


def test_a_post_comes_with_its_words_labels_and_open_suggestion(store):
    found = opened()
    assert [word[0] for word in found["words"]] == ["Kevin", "Durant", "enters", "Oracle", "Arena"]
    assert found["labels"] == list(TWEETS.entity_labels) and found["gaps"][:2] == ["", " "]
    span = {"start": 0, "end": 2, "label": "PER"}
    assert found["answer"]["spans"] == [{**span, "score": 0.9, "state": "open", "was": span}]


def test_hostile_text_is_text_and_what_it_hides_is_named(store):
    words = opened(leave=opened()["id"])["words"]
    assert words[0] == ["<img"] and words[3] == ["${x}"] and words[4] == ["{{7*7}}"]
    assert words[6] == [["U+202E"], "evil"] and words[7][-1] == ["+4,995 combining marks"]
    assert "\u202e" not in json.dumps(ask("list"), ensure_ascii=False)


def test_an_id_that_would_reorder_the_line_is_named(store):
    ids = ("\u202e<img>live", "Z" + "\u0301" * 5000)
    store.make_queue("ids", TWEETS)
    store.add("ids", [post(name[:300], "Ann sings") for name in ids])
    rows = ask("list", queue="ids")["rows"]
    assert rows[0]["ref"] == "U+202E<img>live" and rows[1]["ref"].count("\u0301") == 5
    assert opened(queue="ids")["ref"] == rows[0]["ref"], "drafts are told apart by it"


def test_a_correction_is_saved_and_shows_how_each_part_came_out(store):
    found = opened()
    answer = {"entities": [{"start": 0, "end": 1, "label": "PER"}, {"start": 3, "end": 5, "label": "LOC"}]}
    saved = ask("save", id=found["id"], version=found["version"], answer=answer, seconds=2.5)
    assert saved["ok"] and saved["status"] == "corrected"
    spans = ask("open", id=found["id"])["post"]["answer"]["spans"]
    assert [(s["state"], s["score"]) for s in spans] == [("changed", 0.9), ("added", None)]
    assert ask("list")["counts"] == {"corrected": 1, "open": 2}
    assert ask("undo")["posts"][0]["status"] == "open"
    assert ask("redo")["posts"][0]["status"] == "corrected"


def test_a_rejected_part_can_be_seen_afterwards(store):
    found = opened()
    ask("save", id=found["id"], version=0, answer={"entities": []})
    assert [s["state"] for s in ask("open", id=found["id"])["post"]["answer"]["spans"]] == ["rejected"]


def test_who_comes_second_sees_the_first_ones_answer_and_nothing_is_overwritten(store):
    found = opened()
    store.release(found["id"], "Ann")
    ask("save", name="Bob", id=found["id"], version=0, answer=SPANS)
    late = ask("save", id=found["id"], version=0, answer={"entities": []})
    assert late["conflict"] and "Bob" in late["problem"] and late["post"]["reviewer"] == "Bob"
    assert store.reviews([found["id"]], "Ann")[0].decision.reviewer == "Bob"


def test_a_post_somebody_has_can_be_looked_at_and_is_passed_over(store):
    first = opened()
    assert ask("open", name="Bob", id=first["id"])["post"]["holder"] == "Ann"
    assert opened(name="Bob")["id"] != first["id"]
    assert not ask("save", name="Bob", id=first["id"], version=0, answer=SPANS)["ok"]


def test_bulk_acceptance_is_undone_as_one(store):
    row = ask("list")["rows"][0]
    done = ask("bulk", posts=[{"id": row["id"], "version": row["version"]}, {"id": 999, "version": 0}])
    assert [p["status"] for p in done["posts"]] == ["accepted"] and done["kept"] == 1
    assert ask("list", filters={"status": "accepted", "low": "80", "reviewer": "Ann"})["total"] == 1
    assert [p["status"] for p in ask("undo")["posts"]] == ["open"]


def test_bulk_acceptance_goes_by_what_the_page_showed(store):
    row = ask("list")["rows"][0]
    posts = [{key: row[key] for key in ("id", "version", "checkpoint")}]
    low = Entity(start=0, end=1, label="ORG", score=0.31)
    store.suggest([(row["id"], Suggestion(answer=Answer(entities=(low,)), checkpoint="tiny"))])
    assert ask("bulk", posts=posts, least=0.9)["kept"] == 1
    store.suggest([(row["id"], Suggestion(answer=Answer(entities=(low,)), checkpoint="another"))])
    assert ask("bulk", posts=posts)["kept"] == 1 and store.progress("may").decided == 0
    assert ask("bulk", posts=posts[:1], least=2)["problem"] == "The threshold is not a number from 0 to 1."
    posts = [{"id": row["id"], "version": 0, "checkpoint": "another"}]
    assert ask("bulk", posts=posts, least=0.3)["posts"][0]["status"] == "accepted"


def test_an_undo_says_which_posts_it_means(store):
    one, two = opened(), opened(name="Bob")
    for found in (one, two):
        store.release(found["id"], "Bob")
        ask("save", id=found["id"], version=0, answer=SPANS)
    refused = ask("undo", expect=[one["id"]])
    assert not refused["ok"] and refused["another"] and refused["posts"] == [] and refused["kept"] == 0
    assert "another one" in refused["problem"] and store.progress("may").decided == 2
    assert ask("undo", expect=[two["id"]])["posts"] == [{"id": two["id"], "version": 2, "status": "open"}]
    assert ask("redo", expect=[one["id"]])["another"]
    assert ask("redo", expect=[two["id"]])["posts"][0]["id"] == two["id"]


def test_a_photo_is_shown_as_models_see_it(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (40, 20), "red").save(tmp_path / "a.jpg", exif=turned)
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "b.png")
    shown = []
    for name in ("a.jpg", "b.png"):
        data = base64.b64decode(review_photo.data_uri(tmp_path / name).partition(",")[2])
        shown.append(Image.open(io.BytesIO(data)))
    assert shown[0].size == (20, 40) and shown[1].getpixel((5, 5)) == (255, 255, 255)


def test_a_photo_reaches_the_browser_as_small_new_pixels(store):
    found = ask("photo", id=opened()["id"])
    assert found["photo"].startswith("data:image/jpeg;base64,") and len(found["photo"]) < 20_000
    assert str(store.photos) not in json.dumps(opened())


FORGED = [
    {"answer": {"entities": [{"start": 0, "end": 99, "label": "PER"}]}},
    {"answer": {"entities": [{"start": -1, "end": 1, "label": "PER"}]}},
    {"answer": {"entities": [{"start": 0, "end": 1, "label": "<b>"}]}},
    {"answer": {"links": [{"head": [0, 1], "tail": [0, 9], "label": "/per/per/peer"}]}},
    {"answer": {"entities": [{"start": 0, "end": 1, "label": "PER"}] * 2000}},
    {"answer": "x" * 1_500_000},
    {"answer": None},
    {"id": 10**30},
    {"id": "1; drop table posts"},
    {"id": 999},
    {"version": -1},
    {"version": "0"},
    {"seconds": -5},
    {"seconds": "soon"},
    {"verdict": "admin"},
    {"mode": "root"},
    {"queue": "another"},
    {"queue": ["may"]},
    {"name": ""},
    {"name": "A|B"},
    {"name": {"x": 1}},
    {"unknown": 1},
    {"filters": {"order": "; drop"}},
    {"posts": [1]},
    {"posts": [{"id": 1, "version": 0, "checkpoint": 1}]},
    {"least": "NaN"},
    {"least": True},
    {"expect": 1},
    {"expect": ["1"]},
]


@pytest.mark.parametrize("forged", FORGED, ids=lambda f: str(f)[:40])
def test_a_forged_request_is_refused_in_one_sentence_and_logged(store, forged, caplog):
    found = opened()
    reply = ask("save", **{"id": found["id"], "version": 0, "answer": SPANS, **forged})
    assert not reply["ok"] and reply["problem"].count(".") <= 3 and "Traceback" not in reply["problem"]
    assert len(reply["problem"]) < 300 and "refused" in caplog.text
    assert store.progress("may").decided == 0


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        "x",
        3,
        {"page": -1},
        {"filters": [1]},
        {"filters": {"low": "NaN"}},
        {"filters": {"low": 10**400}},
    ],
)
def test_nonsense_is_refused(store, sent):
    for call in CALLS:
        if call.__name__ != "review_start" or not isinstance(sent, dict):
            answer = call(sent)
            assert answer["ok"] is False and answer["problem"] != review_calls.FAILED


def test_a_huge_body_is_refused_before_it_is_looked_at(store):
    class Request:
        headers = {"content-length": "3000000"}

    assert "3,000,000" in review_calls.review_save({}, None, Request())["problem"]


def test_a_crash_tells_nothing(store, monkeypatch, caplog):
    monkeypatch.setattr(review_calls, "row_json", lambda *_: 1 / 0)
    assert ask("list") == {"ok": False, "problem": review_calls.FAILED}
    assert "ZeroDivisionError" in caplog.text


# --- names ---------------------------------------------------------------------------------------


def profile(name):
    return gr.OAuthProfile({"name": name, "preferred_username": name, "profile": "", "picture": ""})


def test_on_a_space_the_name_is_that_of_the_login_whatever_is_sent(store, monkeypatch):
    found = opened()
    monkeypatch.setenv("SPACE_ID", "a/b")
    sent = {**ANN, "id": found["id"], "version": 0, "answer": SPANS}
    assert "sign in" in review_calls.review_save(sent, None)["problem"].lower()
    store.release(found["id"], "Ann")
    assert review_calls.review_save(sent, profile("eve"))["ok"]
    assert store.reviews([found["id"]], "x")[0].decision.reviewer == "eve"


def test_on_a_space_nobody_looks_at_posts_without_a_login(store, monkeypatch):
    sent = {**ANN, "id": opened()["id"]}
    looks = (review_calls.review_list, review_calls.review_photo, review_calls.review_open)
    assert review_calls.review_list({**sent, "name": ""}, None)["ok"]  # at home whoever opens the page may
    monkeypatch.setenv("SPACE_ID", "a/b")
    for look in looks:
        assert look(sent, None)["problem"].startswith("Sign in with Hugging Face")
    start = review_calls.review_start(sent, None)
    assert start["closed"] and start["queue"] is None and start["facets"]["queues"] == []
    assert "sign in" in review_files.show_agreement(sent["queue"], "Ann", None)[1].lower()
    assert review_calls.review_list(sent, profile("eve"))["ok"]
    assert not review_calls.review_start(sent, profile("eve"))["closed"]


@pytest.mark.parametrize("text", ["\ud83d", "a\0b"])
def test_a_filter_that_no_database_takes_is_refused_in_a_sentence(store, text):
    assert "no post can hold" in ask("list", filters={"text": text})["problem"]


def test_gradio_passes_the_login_and_the_request_in():
    for call in CALLS:
        assert special_args(call, [{}], None, None)[0] == [{}, None, None]


# --- relations and double review -----------------------------------------------------------------


@pytest.fixture
def relations(store):
    store.make_queue("june", PAIRS)
    asked = post("r1", "Lauren Bacall on the set of Key Largo", pair=Pair(head=(0, 2), tail=(6, 8)))
    store.add("june", [asked])
    return store


def test_the_question_of_a_relation_waits_for_its_label(relations):
    found = opened(queue="june")
    (link,) = found["answer"]["links"]
    assert (link["head"], link["tail"], link["label"], link["state"]) == ([0, 2], [6, 8], None, "open")
    answer = {"links": [{"head": [0, 2], "tail": [6, 8], "label": "/per/misc/present_in"}]}
    assert ask("save", queue="june", id=found["id"], version=0, answer=answer)["ok"]


def test_a_relation_that_the_types_do_not_allow_is_refused(relations):
    entities = [{"start": 0, "end": 2, "label": "LOC"}]
    links = [{"head": [0, 2], "tail": [6, 8], "label": "/per/misc/present_in"}]
    found = opened(queue="june")
    reply = ask(
        "save", queue="june", id=found["id"], version=0, answer={"entities": entities, "links": links}
    )
    assert "does not fit" in reply["problem"]


def test_a_dispute_shows_both_answers_without_names_and_is_settled(store):
    store.make_queue("twice", TWEETS, double=True)
    store.add("twice", [post("d", "Kevin Durant wins")])
    blank = {"entities": []}
    for name, answer in (("Ann", SPANS), ("Bob", blank)):
        found = opened(queue="twice", name=name)
        assert found["answer"]["spans"] == []  # blind
        assert ask("save", queue="twice", name=name, id=found["id"], version=0, answer=answer)["ok"]
    settle = {"queue": "twice", "mode": "settle", "name": "Cid"}
    found = opened(**settle)
    assert [side["only"] for side in found["disputed"]] == [
        [["Kevin Durant: PER"]],
        [["has nothing that the other lacks"]],
    ]
    assert "Ann" not in json.dumps(found) and "Bob" not in json.dumps(found)
    assert ask("list", **settle)["total"] == 1
    done = ask("save", **settle, id=found["id"], version=found["version"], answer=SPANS)
    assert done["ok"] and ask("list", **settle)["total"] == 0


def test_who_settles_a_dispute_that_has_changed_gets_it_as_it_is_now(store):
    store.make_queue("twice", TWEETS, double=True)
    store.add("twice", [post("d", "Kevin Durant wins")])
    key = store.page("twice", "Ann").reviews[0].key
    store.decide("twice", key, "Ann", SPANS, version=0)
    store.decide("twice", key, "Bob", {"entities": []}, version=0)
    settle = {"queue": "twice", "mode": "settle", "name": "Cid", "id": key, "answer": SPANS}
    seen = ask("open", **settle)["post"]["version"]
    other = {"entities": [{"start": 0, "end": 1, "label": "PER"}]}
    store.decide("twice", key, "Bob", other, version=1)
    late = ask("save", **settle, version=seen)
    assert late["conflict"] and "A reviewer has changed one of the two answers" in late["problem"]
    assert late["post"]["disputed"][1]["only"] == [["Kevin: PER"]]
    assert "Bob" not in json.dumps(late) and store.history(key)[-1].kind == "decide"
    assert ask("save", **settle, version=late["post"]["version"])["ok"]
    store.undo("twice", "Cid")
    store.decide("twice", key, "Bob", SPANS, version=2)
    settled = ask("save", **settle, version=late["post"]["version"])
    assert "is not in dispute any more" in settled["problem"] and "conflict" not in settled


# --- the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [TWEETS, PAIRS], ids=lambda scheme: scheme.name)
def test_every_label_has_a_guideline_a_name_and_a_look(scheme):
    facts = page_facts(scheme)
    assert [row["label"] for row in facts["relations"]] == list(scheme.relation_labels)
    assert set(facts["names"]) == set(scheme.relation_labels) and facts["none"] == scheme.none
    assert set(facts["guidelines"]) == {*scheme.entity_labels, *scheme.relation_labels}
    assert all(facts["guidelines"].values())
    assert facts["looks"].items() >= {name: vars(look) for name, look in looks_of(scheme).items()}.items()


def test_without_a_queue_there_are_no_labels():
    assert page_facts(None)["relations"] == [] and json.dumps(page_facts(None))


def test_no_template_holds_an_expression():
    assert "${" not in editor.SHELL and "{{" not in editor.SHELL


def test_scripts_write_text_never_html():
    for script in editor.ASSETS.glob("*.js"):
        code = script.read_text(encoding="utf-8")
        for risky in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("):
            assert risky not in code, f"{script.name}: {risky}"


def test_links_keep_their_states(relations):
    found = opened(queue="june")
    pair = Relation(head=(0, 2), tail=(6, 8), label="/per/misc/present_in", score=0.7)
    relations.suggest([(found["id"], Suggestion(answer=Answer(links=(pair,)), checkpoint="tiny"))])
    other = {"links": [{"head": [0, 2], "tail": [6, 8], "label": "None"}]}
    assert ask("save", queue="june", id=found["id"], version=0, answer=other)["ok"]
    (link,) = ask("open", queue="june", id=found["id"])["post"]["answer"]["links"]
    assert (link["label"], link["state"], link["score"], link["was"]["label"]) == (
        "None",
        "changed",
        0.7,
        "/per/misc/present_in",
    )


def test_the_store_opens_once_with_its_backup_and_closes_with_it(tmp_path, monkeypatch):
    said = []

    class Kept:
        def close(self):
            said.append("pushed")

    monkeypatch.setenv("MMDEMO_REVIEWS", str(tmp_path / "reviews.sqlite3"))
    monkeypatch.setattr(review_calls, "backup_from_environment", lambda store: said.append(store) or Kept())
    review_calls.close_store()
    assert said == [], "nothing was open"
    assert review_calls.store() is review_calls.store() and said == [review_calls.store()]
    review_calls.close_store()
    assert said[1:] == ["pushed"]

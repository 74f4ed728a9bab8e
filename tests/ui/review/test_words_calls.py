"""The desk's calls about the words of a photo: a real store, no browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio.helpers import special_args

from mmdemo.formats.shared.photo_words import words_json
from mmdemo.review.store.reviews import Store, open_store
from mmdemo.types import PhotoWords, Post
from mmdemo.ui.review import calls as review_calls
from mmdemo.ui.review.calls import FAILED
from mmdemo.ui.review.words_calls import WORDS_CALLS
from tests.review.conftest import TWEETS, question

HOSTILE = "<script>alert(1)</script> ${x} {{7*7}} \u202egnp.exe a" + "\u0301" * 99
SIGN = PhotoWords(source="ocr", text=HOSTILE, score=0.5, box=(0.0, 0.0, 0.5, 1.0), by="rapidocr")
CALLS = {call.__name__: call for call in WORDS_CALLS}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    found = open_store(tmp_path / "reviews.sqlite3")
    monkeypatch.setattr(review_calls, "store", lambda: found)
    found.make_queue("may", TWEETS)
    found.add(
        "may", [question(Post(text="Ann sings", tokens=("Ann", "sings"), id="p1", photo_words=(SIGN,)))]
    )
    yield found
    found.close()


def ask(what: str, /, **sent: Any) -> dict[str, Any]:
    """A call as a browser makes it: through JSON both ways."""
    body = {"name": "Ann", "queue": "may", "id": 1, "photo_version": 0, **sent}
    return json.loads(json.dumps(CALLS[f"review_{what}"](json.loads(json.dumps(body)))))


def words(store: Store) -> list[str]:
    return [one.text for one in store.reviews([1], "Ann")[0].post.photo_words]


def test_a_post_on_the_desk_brings_the_words_of_its_photo(store: Store) -> None:
    """Texts as they are, for scripts that make text nodes of them; and cut into what may be shown."""
    sent = {"name": "Ann", "queue": "may"}
    post = json.loads(json.dumps(review_calls.review_next(sent)))["post"]
    (one,) = post["photo_words"]
    shown = one.pop("shown")
    assert one == words_json([SIGN])[0] and post["photo_version"] == 0
    assert ["U+202E"] in shown and any(isinstance(part, list) and "combining" in part[0] for part in shown)
    assert "\u202e" not in "".join(part for part in shown if isinstance(part, str))


def test_words_are_changed_described_and_taken_back(store: Store) -> None:
    found = ask("change_words", photo_words=[words_json([SIGN])[0] | {"text": "PADRES"}])
    assert found["ok"] and found["photo_version"] == 1
    assert [(one["text"], one["by"], one["score"]) for one in found["photo_words"]] == [
        ("PADRES", "Ann", None)
    ]
    found = ask("describe", photo_version=1, description="A sign.")
    assert [one["text"] for one in found["photo_words"]] == ["PADRES", "A sign."] == words(store)
    assert ask("undo_words", photo_version=2)["photo_version"] == 3 and words(store) == ["PADRES"]
    assert ask("undo_words", photo_version=3)["ok"] and words(store) == [HOSTILE]
    again = ask("undo_words", photo_version=4)
    assert not again["ok"] and "nothing to take back" in again["problem"]


def test_what_was_sent_back_untouched_is_untouched(store: Store) -> None:
    """The desk sends `shown` along, which says nothing."""
    sent = [{**words_json([SIGN])[0], "shown": ["anything"]}]
    assert ask("change_words", photo_words=sent)["photo_version"] == 0
    assert store.photo_history(1) == ()


def test_somebody_was_faster(store: Store) -> None:
    store.describe_photo("may", 1, "Bob", "A sign.", version=0)
    reply = ask("describe", description="A wall.")
    assert not reply["ok"] and reply["conflict"] and "somebody has changed" in reply["problem"].lower()
    assert reply["photo_version"] == 1 and reply["photo_words"][1]["text"] == "A sign."
    assert ask("describe", photo_version=1, description="A wall.")["ok"]


FORGED = [
    {"photo_words": "PADRES"},
    {"photo_words": [{"source": "ocr", "text": 3}]},
    {"photo_words": [{"source": "ocr", "text": "a" * 5_000}]},
    {"photo_words": [{"source": "ocr", "text": "a"}] * 5_000},
    {"photo_words": [{"source": "ocr", "text": "\ud83d"}]},
    {"photo_words": [{"source": "<b>", "text": "a"}]},
    {"photo_version": None},
    {"photo_version": "0"},
    {"photo_version": -1},
    {"id": 999},
    {"id": None},
    {"queue": "another"},
    {"name": ""},
    {"unknown": 1},
]


@pytest.mark.parametrize("forged", FORGED, ids=lambda f: str(f)[:40])
def test_a_forged_change_is_refused_in_one_sentence_and_logged(
    store: Store, forged: dict, caplog: pytest.LogCaptureFixture
) -> None:
    reply = ask("change_words", **{"photo_words": [], **forged})
    assert not reply["ok"] and reply["problem"] != FAILED and "Traceback" not in reply["problem"]
    assert len(reply["problem"]) < 300 and "refused" in caplog.text
    assert words(store) == [HOSTILE] and store.photo_history(1) == ()


@pytest.mark.parametrize("description", [None, 3, ["A sign."], "a" * 5_000, "\ud83d"])
def test_a_forged_description_is_refused(store: Store, description: object) -> None:
    reply = ask("describe", description=description)
    assert not reply["ok"] and reply["problem"] != FAILED and words(store) == [HOSTILE]


@pytest.mark.parametrize("sent", [None, [], "x", 3])
def test_nonsense_is_refused(store: Store, sent: object) -> None:
    for call in WORDS_CALLS:
        assert call(sent)["problem"] != FAILED


def test_on_a_space_the_name_is_that_of_the_login(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "a/b")
    sent = {"name": "Ann", "queue": "may", "id": 1, "photo_version": 0, "description": "A sign."}
    assert "sign in" in CALLS["review_describe"](sent, None)["problem"].lower()
    eve = gr.OAuthProfile({"name": "eve", "preferred_username": "eve", "profile": "", "picture": ""})
    assert CALLS["review_describe"](sent, eve)["ok"]
    assert store.photo_history(1)[0].reviewer == "eve"


def test_gradio_passes_the_login_and_the_request_in() -> None:
    for call in WORDS_CALLS:
        assert special_args(call, [{}], None, None)[0] == [{}, None, None]

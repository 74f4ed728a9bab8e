"""The named endpoints over HTTP: JSON or a file out, a sentence for bad input, no photo but an upload."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from mmdemo.formats.table import find_format
from mmdemo.review.records import Answer
from mmdemo.review.store.reviews import open_store
from mmdemo.types import Entity, Post
from tests.browser.live import fusions_ready
from tests.review.conftest import TWEETS, question

HOSTILE = "<script>alert(1)</script> ${x} {{7*7}} \u202egnp.exe"
#: By these keys an answer is found in the text again.
PLACES = {"dataset", "text", "tokens", "offsets"}

STARS = "Lauren Bacall and Humphrey Bogart on the set of Key Largo"


def call(url: str, *data: Any, endpoint: str = "predict") -> tuple[str, Any]:
    """Gradio's two steps: send the values, then read the event ("complete" or "error") and its data."""
    body = json.dumps({"data": data}).encode()
    headers = {"Content-Type": "application/json"}
    sent = urllib.request.Request(f"{url}/gradio_api/call/{endpoint}", body, headers)
    with urllib.request.urlopen(sent, timeout=60) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{url}/gradio_api/call/{endpoint}/{event}", timeout=120) as reply:
        lines = reply.read().decode().splitlines()
    kind = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")][-1]
    found = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")][-1]
    return kind, json.loads(found)


def test_entities_as_json(app_url):
    tweet = "Kevin Durant enters Oracle Arena"
    kind, data = call(app_url, "twitter2017", "roberta-resnet50", "film", tweet, None, "lite")
    assert kind == "complete"
    told = {"entities", "image_used", "photo_words", "photo_words_used", "checkpoint", "warnings"}
    assert set(data[0]) == told | PLACES
    (entity, *_) = data[0]["entities"]
    assert set(entity) == {"text", "label", "start", "end", "score", "start_char", "end_char"}
    assert tweet[entity["start_char"] : entity["end_char"]] == entity["text"]


def test_words_of_the_photo_come_back_as_they_are(app_url):
    """By place as by name; requests of before there were such words end without them (as above)."""
    asked = ("twitter2017", "roberta-resnet50", "film", "Ann met Bob", None, "lite")
    sign = {"source": "ocr", "text": HOSTILE, "score": 0.5, "box": [0, 0, 0.5, 1], "by": "x"}
    kind, data = call(app_url, *asked, HOSTILE)
    assert kind == "complete"
    assert [(one["source"], one["text"]) for one in data[0]["photo_words"]] == [("described", HOSTILE)]
    assert data[0]["photo_words_used"] is False
    _, data = call(app_url, *asked, ["A sign.", "A wall."])
    assert [one["text"] for one in data[0]["photo_words"]] == ["A sign.", "A wall."]
    kind, data = call(app_url, *asked, None, [sign])
    assert kind == "complete" and data[0]["photo_words"] == [sign]
    for said in ((3, None), (None, "PADRES"), (None, [{}]), ("a" * 3000, None)):
        kind, data = call(app_url, *asked, *said)
        assert kind == "error" and "Traceback" not in json.dumps(data)


def test_entities_and_relations_by_place_may_end_before_the_words_of_the_photo(app_url):
    kind, data = call(app_url, STARS, None, None, None, False, False, "lite", endpoint="extract")
    assert kind == "complete" and [entity["id"] for entity in data[0]["entities"][:2]] == ["e0", "e1"]


def test_bad_input_is_one_sentence(app_url):
    kind, data = call(app_url, "mnre", "roberta-resnet50", "film", "no marks here", None, "lite")
    assert kind == "error"
    assert "E1" in json.dumps(data) and "Traceback" not in json.dumps(data)


def test_no_file_of_the_server_can_be_named_as_photo(app_url):
    photo = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    kind, data = call(app_url, "twitter2017", "roberta-resnet50", "film", "Ann met Bob", photo, "lite")
    assert kind == "error"
    assert "photo" not in json.dumps(data)  # refused before our opener saw it


def test_an_unknown_choice_is_refused(app_url):
    kind, _ = call(app_url, "../../etc", "roberta-resnet50", "film", "Ann met Bob", None, "lite")
    assert kind == "error"


def test_a_fusion_of_joint_models_alone_can_be_asked(app_url):
    kind, data = call(
        app_url, "twitter2017", "vilt", "native", "Kevin Durant enters Oracle Arena", None, "lite"
    )
    assert kind == "complete" and data[0]["checkpoint"] == "lite/twitter2017/vilt/native"


# ---------------------------------------------------------------- by gradio_client


@pytest.fixture(scope="module")
def client(app_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Gradio's own client, with the names that docs/api.md uses."""
    client = Client(app_url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))
    yield client
    client.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("photo") / "photo.jpg"
    Image.effect_noise((80, 60), 90).convert("RGB").save(file)
    return handle_file(file)


def test_the_client_needs_to_name_a_dataset_and_a_text_only(client, photo):
    bare = client.predict(dataset="twitter2017", text="Kevin Durant", api_name="/predict")
    assert bare["checkpoint"] == "lite/twitter2017/roberta-resnet50/film" and not bare["image_used"]
    seen = client.predict(dataset="twitter2017", text="Kevin Durant", photo=photo, api_name="/predict")
    assert seen["image_used"]
    row = client.predict(dataset="twitter2017", text="Kevin Durant", photo=photo, api_name="/compare")
    assert len(row["answers"]) == len(fusions_ready("twitter2017"))
    said = {"description": "A player.", "photo_words": [{"source": "ocr", "text": "PADRES"}]}
    for name in ("/predict", "/compare"):
        told = client.predict(dataset="twitter2017", text="Kevin Durant", **said, api_name=name)
        assert [one["text"] for one in told["photo_words"]] == ["PADRES", "A player."]


def test_explaining_names_the_views(client, photo):
    asked = {"dataset": "twitter2017", "text": "Kevin Durant", "photo": photo, "description": "A player."}
    told = client.predict(**asked, api_name="/explain")
    assert told["prediction"]["photo_words"][0]["text"] == "A player."
    assert told["prediction"]["image_used"] and told["counterfactuals"][0]["name"] == "without the photo"


@pytest.fixture(scope="module")
def decided(reviews: Path, client: Client) -> str:
    """The name of a queue of the running app in which Ann has decided one of two posts."""
    store = open_store(reviews)
    try:
        store.make_queue("may", TWEETS)
        posts = [
            Post(text=text, tokens=tuple(text.split()), id=text[:3]) for text in ("Ann sings", "Oslo rains")
        ]
        store.add("may", [question(post) for post in posts])
        key = store.page("may", "Ann").reviews[0].key
        found = store.open(key, "Ann")
        answer = Answer(entities=(Entity(start=0, end=1, label="PER", text="Ann"),))
        store.decide("may", key, "Ann", answer, version=found.version)
    finally:
        store.close()
    return "may"


def export(client: Client, **asked: Any) -> Path:
    return Path(client.predict(**{"reviewer": "Ann"} | asked, api_name="/review_export"))


def test_what_people_decided_can_be_exported(client, decided, tmp_path):
    file = export(client, queue=decided, format="jsonl")
    [item] = find_format("jsonl").read(file, TWEETS)
    assert item.post.tokens == ("Ann", "sings")
    assert [(e.text, e.label) for e in item.post.entities] == [("Ann", "PER")]
    shutil.unpack_archive(export(client, queue=decided, format="brat"), tmp_path)
    assert {path.suffix for path in tmp_path.rglob("*.*")} == {".ann", ".conf", ".txt"}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"queue": "no such", "format": "jsonl"}, "queue"),
        (
            {"queue": "may", "format": "jsonl", "reviewer": ""},
            "the reviewer's name must have 1 to 80 characters",
        ),
        ({"queue": "may", "format": "../../etc"}, "unknown format"),
        ({"queue": "may", "format": "mnre"}, "the format mnre cannot hold 1 post"),
        ({"queue": ["may"], "format": ["jsonl"]}, "not text"),
    ],
)
def test_a_refused_export_is_one_sentence_that_names_no_folder(client, decided, reviews, asked, sentence):
    with pytest.raises(AppError, match=sentence) as refused:
        export(client, **asked)
    told = str(refused.value)
    assert len(told.splitlines()) == 1 and str(reviews.parent) not in told and "Traceback" not in told

"""The app's one public endpoint over HTTP: JSON out, one sentence for bad input, no file but an upload."""

import json
import urllib.request
from typing import Any


def call(url: str, *data: Any) -> tuple[str, Any]:
    """Gradio's two steps: send the values, then read the event ("complete" or "error") and its data."""
    body = json.dumps({"data": data}).encode()
    headers = {"Content-Type": "application/json"}
    sent = urllib.request.Request(f"{url}/gradio_api/call/predict", body, headers)
    with urllib.request.urlopen(sent, timeout=60) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{url}/gradio_api/call/predict/{event}", timeout=120) as reply:
        lines = reply.read().decode().splitlines()
    kind = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")][-1]
    found = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")][-1]
    return kind, json.loads(found)


def test_entities_as_json(app_url):
    tweet = "Kevin Durant enters Oracle Arena"
    kind, data = call(app_url, "twitter2017", "roberta-resnet50", "film", tweet, None, "lite")
    assert kind == "complete"
    assert set(data[0]) == {"entities", "image_used", "checkpoint", "warnings"}
    assert set(data[0]["entities"][0]) == {"text", "label", "start", "end", "score"}


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

"""Headers on every answer, and a SIGTERM that lets the running answer finish: a small app as a process."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from mmdemo.types import InputError
from mmdemo.ui import server
from mmdemo.ui.safe import public, sentence

ROOT = Path(__file__).resolve().parents[2]
APP = """
    import os, time
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr
    from mmdemo.ui import server

    def slow(text):
        while not os.path.exists(os.environ["GO_ON"]):
            time.sleep(0.05)
        return text.upper()

    with gr.Blocks() as demo:
        box = gr.Textbox()
        box.submit(slow, box, box, api_name="slow")
    server.serve(demo.queue(), {"server_name": "127.0.0.1", "quiet": True})
"""


def post(url: str, body: dict | None = None) -> dict:
    data = json.dumps(body or {"data": ["hi"]}).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def test_sigterm_lets_the_running_answer_finish_and_takes_no_new_one(tmp_path):
    from tests.browser.live import free_port

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "HF_HUB_OFFLINE": "1"}
    environment["GO_ON"] = str(tmp_path / "go on")
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(APP)], cwd=ROOT, env=environment, stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 300
        while True:
            try:
                with urllib.request.urlopen(url, timeout=5) as reply:
                    headers = {name.lower(): value for name, value in reply.headers.items()}
                break
            except OSError:
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.3)
        assert "object-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"

        event = post(f"{url}/gradio_api/call/slow")["event_id"]
        answers = []

        def wait() -> None:
            with urllib.request.urlopen(f"{url}/gradio_api/call/slow/{event}", timeout=30) as reply:
                answers.append(reply.read().decode())

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(urllib.error.HTTPError) as refused:
            while time.monotonic() < deadline:  # until the signal has been seen
                post(f"{url}/gradio_api/call/slow")
                time.sleep(0.1)
        assert refused.value.code == 503 and b"restarting" in refused.value.read()
        assert answers == []
        (tmp_path / "go on").touch()
        waiting.join(30)
        assert answers and "event: complete" in answers[0] and "HI" in answers[0]
        assert process.wait(timeout=30) == 0, process.stderr.read().decode()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_on_a_space_the_hub_may_frame_the_page():
    there = server.security_headers(on_space=True)["content-security-policy"]
    assert "frame-ancestors 'self' https://huggingface.co" in there
    assert "huggingface" not in server.security_headers(on_space=False)["content-security-policy"]


def test_a_drain_that_takes_too_long_gives_up():
    gate = server.Gate()
    gate.change(+1)
    assert gate.drain(0.6) is False
    gate.change(-1)
    assert gate.drain(5) is True


@pytest.mark.parametrize("place", ["/proc/uploads", "/dev/null/uploads"])
def test_a_folder_that_cannot_be_written_is_a_sentence(monkeypatch, place):
    monkeypatch.setenv("GRADIO_TEMP_DIR", place)
    with pytest.raises(InputError, match="cannot be written .*; set GRADIO_TEMP_DIR"):
        server.check_places()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("the file /srv/a b/zoo/lite/config.json is missing", "the file …/lite/config.json is missing"),
        ("there is no checkpoint lite/mnre/x in /srv/a b/zoo", "there is no checkpoint lite/mnre/x in …"),
        (f"{ROOT}/mmdemo/x.json and {Path.home()}/y", "…/mmdemo/x.json and …/y"),
        ("the relation /per/org/member_of is unknown", "the relation /per/org/member_of is unknown"),
        ("the photo 'x.jpg' is damaged", "the photo 'x.jpg' is damaged"),
    ],
)
def test_no_folder_of_the_server_is_shown(monkeypatch, message, shown):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", "/srv/a b/zoo")
    assert public(message) == shown
    assert "/srv" not in sentence(message)

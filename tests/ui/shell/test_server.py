"""The whole app as a process with no home and a full disk: it answers, hides its folders, and drains."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mmdemo.types import InputError
from mmdemo.ui.shell import server
from mmdemo.ui.shell.safe import public, sentence
from tests import forking
from tests.browser.live import free_port

ROOT = Path(__file__).resolve().parents[3]
NO_HOME = "/proc/no-home"  # nobody can make it, not even root
DISK = 65_536  # bytes of the largest file
HELD = "Wait for Kevin Durant"
HANGS = 300  # seconds after which a busy machine is no excuse any more
#: The real page; the disk takes no file over 64 kB, and a post that says so waits for the test.
APP = """
    import os, resource, time
    from pathlib import Path
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from mmdemo.answer import predict as predicting
    from mmdemo.ui.shell import layout
    from mmdemo.ui.shell import server

    folder, predict = Path(os.environ["TEST_FOLDER"]), predicting.predict
    disk = int(os.environ["TEST_DISK"])

    def slowly(question, cell):
        if question.post.text.startswith("Wait"):
            (folder / "begun").touch()
            while not (folder / "go on").exists():
                time.sleep(0.02)
        return predict(question, cell)

    predicting.predict = slowly
    server.DRAIN_SECONDS = 300  # so that a busy machine is not taken for an answer without end
    resource.setrlimit(resource.RLIMIT_FSIZE, (disk, disk))
    server.serve(layout.build(), layout.launch_settings())
"""


@dataclass(frozen=True, kw_only=True)
class App:
    """The running process, where it listens, and the folder that it shares with the test."""

    process: subprocess.Popen[bytes]
    url: str
    folder: Path

    def post(self, path: str, data: bytes, kind: str = "application/json") -> tuple[int, str]:
        headers = {"Content-Type": kind}
        request = urllib.request.Request(f"{self.url}/gradio_api{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=HANGS) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def ask(self, text: str) -> str:
        """Start a prediction; the event to wait for."""
        body = json.dumps({"data": ["twitter2017", "roberta-resnet50", "film", text, None, "lite"]})
        status, reply = self.post("/call/predict", body.encode())
        assert status == 200, reply
        return str(json.loads(reply)["event_id"])

    def answer(self, event: str) -> str:
        with urllib.request.urlopen(f"{self.url}/gradio_api/call/predict/{event}", timeout=HANGS) as reply:
            return str(reply.read().decode())

    def told(self, endpoint: str, data: Any) -> str:
        """All that the endpoint says of these values: heartbeats alone, without end, are no answer."""
        status, reply = self.post(f"/call/{endpoint}", json.dumps({"data": data}).encode())
        if status != 200:
            return reply
        event, deadline, lines = json.loads(reply)["event_id"], time.monotonic() + HANGS, []
        with urllib.request.urlopen(
            f"{self.url}/gradio_api/call/{endpoint}/{event}", timeout=HANGS
        ) as stream:
            for line in stream:
                lines.append(line.decode())
                assert time.monotonic() < deadline, f"{endpoint} hangs at {str(data)[:200]}"
        assert {"event: complete\n", "event: error\n"} & set(lines)
        return "".join(lines)

    def upload(self, size: int) -> tuple[int, str]:
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
        body = head.encode() + os.urandom(size) + f"\r\n--{edge}--\r\n".encode()
        return self.post("/upload", body, f"multipart/form-data; boundary={edge}")


def until(happened: Any, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + HANGS
    while not happened():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder, port = tmp_path_factory.mktemp("app"), free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MMDEMO_", "MPLCONFIG"))}
    environment |= {"HOME": NO_HOME, "MMDEMO_REVIEWS": f"{NO_HOME}/reviews.sqlite3", "HF_HUB_OFFLINE": "1"}
    environment |= {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder / "uploads")}
    environment |= {"TEST_FOLDER": str(folder), "TEST_DISK": str(DISK)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(APP)], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    found = App(process=process, url=f"http://127.0.0.1:{port}", folder=folder)

    def listens() -> bool:
        try:
            with urllib.request.urlopen(found.url, timeout=5):
                return True
        except OSError:
            return False

    try:
        until(listens, process)
        yield found
    finally:
        process.kill()
        process.wait()


def test_every_answer_carries_a_policy_and_a_page_one_that_names_its_scripts(app):
    with urllib.request.urlopen(app.url, timeout=HANGS) as reply:
        page = reply.headers["content-security-policy"]
    with urllib.request.urlopen(f"{app.url}/config", timeout=HANGS) as reply:
        other = reply.headers["content-security-policy"]
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert page.count("'sha256-") > other.count("'sha256-") > 0
    scripts = next(part for part in page.split("; ") if part.startswith("script-src"))
    assert "'unsafe-inline'" not in scripts and "http" not in scripts and "*" not in page


def test_without_a_home_it_answers(app):
    answer = app.answer(app.ask("Kevin Durant enters Oracle Arena"))
    assert "event: complete" in answer and "Kevin Durant" in answer


def test_a_full_disk_costs_the_upload_alone_and_tells_no_folder(app):
    status, reply = app.upload(200_000)
    assert status >= 500 and str(app.folder) not in reply and "Traceback" not in reply
    assert app.upload(1000)[0] == 200
    assert "event: complete" in app.answer(app.ask("Ann met Bob in Paris"))


def test_reviews_that_cannot_be_kept_say_so_without_naming_a_folder(app):
    with urllib.request.urlopen(f"{app.url}/config", timeout=HANGS) as reply:
        parts = json.load(reply)["components"]
    editor = next(p["id"] for p in parts if p["props"].get("elem_id") == "review-editor")
    asked = {"component_id": editor, "session_hash": "s", "fn_name": "review_start", "data": {}}
    status, reply = app.post("/component_server", json.dumps(asked).encode())
    assert status == 200 and json.loads(reply)["ok"] is False
    assert "does not exist" in reply and NO_HOME not in reply


DEEP: Any = "deep"
for _ in range(200):
    DEEP = [DEEP]
#: Values that no field takes, or not in this way.
JUNK: list[Any] = [
    None,
    True,
    -1,
    1e308,
    10**400,
    float("nan"),
    "../../etc",
    "a" * 1_000_000,
    "😀" * 10_000,  # as many words, of which the model reads 126
    ["mnre"],
    DEEP,
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    {"path": "http://127.0.0.1:1/x.png", "meta": {"_type": "gradio.FileData"}},
]
CELL = ("roberta-resnet50", "film")
GOOD: dict[str, list[Any]] = {
    "predict": ["twitter2017", *CELL, "Ann met Bob", None, "lite"],
    "compare": ["twitter2017", "fusions", *CELL, "Ann met Bob", None, "lite"],
    "explain": ["twitter2017", *CELL, "Ann met Bob", None, None, "lite"],
    "review_export": ["may", "Ann", "jsonl", False, False],
    "extract": ["Ann met Bob", None, None, None, False, False, "lite"],
}
#: Fields that are looked into, not only looked up: they get all of it.
WORN = {"predict": [3, 4], "compare": [4, 5], "explain": [3, 5], "review_export": [0, 1], "extract": [0, 1]}


@pytest.mark.parametrize("endpoint", GOOD)
def test_junk_over_http_is_answered_soon_with_no_traceback_and_no_folder(app, endpoint):
    good = GOOD[endpoint]
    calls: list[Any] = [[], {}, None, "text", [None] * len(good), JUNK[: len(good)]]
    for turn, junk in enumerate(JUNK):
        for at in {turn % len(good), *WORN[endpoint]}:
            calls.append([*good[:at], junk, *good[at + 1 :]])
    for junk in calls:
        reply = app.told(endpoint, junk)
        assert len(reply) < 6_000 or "event: complete" in reply or "detail" in reply, (
            "it quotes what was sent"
        )
        for secret in ("Traceback", str(ROOT), str(app.folder), sys.prefix, "site-packages", "root:"):
            assert secret not in reply, (str(junk)[:300], reply[:500])
    assert "event: complete" in app.answer(app.ask("Ann met Bob in Paris")), "it still answers"


def test_a_log_on_a_full_disk_costs_no_answer(app):
    log = app.folder / "log"
    for _ in range(100):
        assert "event: error" in app.told("predict", []), "Gradio logs a traceback for each of these"
        if log.stat().st_size >= DISK:
            break
    assert log.stat().st_size == DISK
    assert "event: error" in app.told("predict", [])
    assert "event: complete" in app.told("predict", GOOD["predict"])


def test_sigterm_lets_the_running_answer_finish_and_takes_no_new_one(app):
    event = app.ask(HELD)
    answers: list[str] = []
    waiting = threading.Thread(target=lambda: answers.append(app.answer(event)))
    waiting.start()
    until((app.folder / "begun").exists, app.process)
    app.process.send_signal(signal.SIGTERM)
    # Until the signal has been seen, an empty upload is refused for another reason.
    until(lambda: app.post("/upload", b"")[0] == 503, app.process)
    status, reply = app.post("/call/predict", b'{"data": []}')
    assert status == 503 and "restarting" in reply
    assert answers == []
    (app.folder / "go on").touch()
    waiting.join(HANGS)
    assert "event: complete" in answers[0] and "Kevin Durant" in answers[0]
    assert app.process.wait(timeout=HANGS) == 0, (app.folder / "log").read_text()


# ---------------------------------------------------------------- a start that cannot be


def started(**changed: str) -> subprocess.CompletedProcess[str]:
    """``python app.py`` until it ends by itself."""
    environment = os.environ | {"MMDEMO_REVIEWS": f"{NO_HOME}/reviews.sqlite3", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [forking.python(), "app.py"],
        cwd=ROOT,
        env=environment | changed,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_an_uploads_folder_that_cannot_be_made_ends_the_start_with_a_sentence():
    done = started(GRADIO_TEMP_DIR=f"{NO_HOME}/uploads", GRADIO_SERVER_PORT=str(free_port()))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ") and "set GRADIO_TEMP_DIR" in done.stderr


def test_a_named_port_that_is_taken_ends_the_start_with_a_sentence(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = started(GRADIO_TEMP_DIR=str(tmp_path), GRADIO_SERVER_PORT=str(port))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"error: port {port} is taken")


def test_a_port_that_nobody_named_gives_way_to_the_next_and_says_so(monkeypatch, caplog):
    demo, asked = SimpleNamespace(server_port=7861), {}
    demo.launch = asked.update
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    monkeypatch.setattr(server.http_server, "INITIAL_PORT_VALUE", 7860)
    server._launch(demo, {})
    assert asked == {"server_port": None}
    assert "port 7860 is taken by another program; the page is on port 7861 instead" in caplog.text


# ---------------------------------------------------------------- the parts


def test_a_drain_that_takes_too_long_gives_up():
    gate = server.Gate()
    gate.change(+1)
    assert gate.drain(0.1) is False and gate.closed
    gate.change(-1)
    assert gate.drain(0.1) is True


def test_a_folder_that_cannot_be_written_is_a_sentence(monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/dev/null/uploads")
    with pytest.raises(InputError, match="cannot be written .*; set GRADIO_TEMP_DIR"):
        server.check_uploads()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("the file /srv/a b/zoo/lite/config.json is missing", "the file …/lite/config.json is missing"),
        ("there is no checkpoint lite/mnre/x in /srv/a b/zoo", "there is no checkpoint lite/mnre/x in …"),
        (f"{ROOT}/mmdemo/x.json and {Path.home()}/y", "…/mmdemo/x.json and …/y"),
        ("the relation /per/org/member_of is unknown", "the relation /per/org/member_of is unknown"),
        ("the photo 'x.jpg' is damaged", "the photo 'x.jpg' is damaged"),
        (
            "the folder /srv/data/reviews.photos is full",
            "the folder …/reviews.photos is full",
        ),
        ("the folder /srv/photos cannot be written", "the folder … cannot be written"),
    ],
)
def test_no_folder_of_the_server_is_shown(monkeypatch, message, shown):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", "/srv/a b/zoo")
    monkeypatch.setenv("MMDEMO_REVIEWS", "/srv/data/reviews.sqlite3")
    monkeypatch.setenv("MMDEMO_REVIEW_PHOTOS", "/srv/photos")
    assert public(message) == shown
    assert "/srv" not in sentence(message)

"""The running app under attacks that stopped everybody: a photo, a lock, an upload costs others nothing."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import textwrap
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from tests import forking
from tests.browser.live import free_port

ROOT = Path(__file__).resolve().parents[3]
MB = 2**20
LOCKED = 90.0  # seconds that the store waits for a lock
#: The real page. A photo called held.jpg is decoded until the test says so; the uploads' bound is small.
APP = """
    import os, threading, time
    from pathlib import Path
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from mmdemo.posts import question
    from mmdemo.review.store import engine as store_engine
    from mmdemo.ui.shell import layout
    from mmdemo.ui.shell import server
    from mmdemo.ui.serve import bodies

    bodies.MOST_KEPT = 20 * 2**20
    bodies.MOST_UPLOADED = 40 * 2**20
    store_engine.PATIENCE = float(os.environ["TEST_LOCKED"])
    folder, open_image = Path(os.environ["TEST_FOLDER"]), question.open_image

    def slowly(source):
        if Path(str(source)).name == "held.jpg":
            (folder / "begun").touch()
            while not (folder / "go on").exists():
                time.sleep(0.02)
        return open_image(source)

    question.open_image = slowly
    (folder / "pid").write_text(str(os.getpid()))
    server.serve(layout.build(), layout.launch_settings())
"""
QUESTION = ["twitter2017", "roberta-resnet50", "film", "Ann met Bob in Paris", None, "lite"]


@dataclass(frozen=True, kw_only=True)
class App:
    """The running process, where it listens, its folder and its reviews."""

    process: subprocess.Popen[bytes]
    url: str
    folder: Path

    @property
    def reviews(self) -> Path:
        return self.folder / "reviews.sqlite3"

    @property
    def uploads(self) -> Path:
        return self.folder / "uploads"

    def post(self, path: str, data: bytes, kind: str = "application/json") -> tuple[int, str]:
        request = urllib.request.Request(f"{self.url}/gradio_api{path}", data, {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def form(self, path: str, fields: dict[str, str], *files: tuple[str, bytes]) -> tuple[int, str]:
        edge = uuid.uuid4().hex
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        for name, content in files:
            head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
            parts += [head.encode(), content, b"\r\n"]
        body = b"".join([*parts, f"--{edge}--\r\n".encode()])
        return self.post(path, body, f"multipart/form-data; boundary={edge}")

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        status, reply = self.form("/upload", {}, (name, content))
        assert status == 200, reply
        return {"path": json.loads(reply)[0], "meta": {"_type": "gradio.FileData"}}

    def ask(self, photo: dict[str, Any] | None = None) -> str:
        data = [*QUESTION[:4], photo, QUESTION[5]]
        status, reply = self.post("/call/predict", json.dumps({"data": data}).encode())
        assert status == 200, reply
        return str(json.loads(reply)["event_id"])

    def answer(self, event: str, timeout: float = 120) -> str:
        with urllib.request.urlopen(f"{self.url}/gradio_api/call/predict/{event}", timeout=timeout) as reply:
            return str(reply.read().decode())

    def part(self, **wanted: str) -> int:
        """The number of the page's component of which this is true."""
        with urllib.request.urlopen(f"{self.url}/config", timeout=60) as reply:
            parts = json.load(reply)["components"]
        return int(next(p["id"] for p in parts if all(p["props"].get(k) == v for k, v in wanted.items())))

    def review(self, what: str, editor: int, **sent: Any) -> dict[str, Any]:
        body = {"component_id": editor, "fn_name": f"review_{what}", "session_hash": "s", "data": sent}
        status, reply = self.post("/component_server", json.dumps(body).encode())
        assert status == 200, reply
        found: dict[str, Any] = json.loads(reply)
        return found


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One for all tests; the last one stops it."""
    tmp_path = tmp_path_factory.mktemp("app")
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MMDEMO_")}
    environment |= {"HF_HUB_OFFLINE": "1", "MMDEMO_REVIEWS": str(tmp_path / "reviews.sqlite3")}
    environment |= {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(tmp_path / "uploads")}
    environment |= {"TEST_FOLDER": str(tmp_path), "TEST_LOCKED": str(LOCKED)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [forking.python(), "-c", textwrap.dedent(APP)], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    found = App(process=process, url=f"http://127.0.0.1:{port}", folder=tmp_path)
    try:
        until(lambda: listens(found.url), process)
        yield found
    finally:
        process.kill()
        process.wait()


def listens(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def until(happened: Any, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while not happened():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)


def photo(app: App, name: str) -> dict[str, Any]:
    content = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(content, "JPEG")
    return app.upload(name, content.getvalue())


def quietly(call: Any, *given: Any) -> None:
    """A call whose server goes away."""
    try:
        call(*given)
    except (OSError, ValueError, HTTPException):
        pass


def test_a_held_database_stops_reviewers_alone(app):
    """For as long as the test's lock lasts, far below the patience that `APP` sets."""
    editor = app.part(elem_id="review-editor")
    assert app.review("start", editor)["ok"]
    assert "event: complete" in app.answer(app.ask()), "the model is loaded"
    other = sqlite3.connect(app.reviews, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with ThreadPoolExecutor(60) as reviewers:
            asked = [
                reviewers.submit(app.review, "leave", editor, name=f"r{key}", leave=key) for key in range(60)
            ]
            time.sleep(2)
            started = time.monotonic()
            try:
                assert "event: complete" in app.answer(app.ask())
                assert time.monotonic() - started < LOCKED / 2
            finally:
                other.execute("ROLLBACK")
            answers = [future.result() for future in asked]
    finally:
        other.close()
    problems = {answer.get("problem") for answer in answers}
    assert problems <= {None, "The reviews are busy; try again."} and None in problems
    assert app.review("leave", editor, name="Ann", leave=1)["ok"]


def memory(app: App) -> int:
    return int(psutil.Process(int((app.folder / "pid").read_text())).memory_info().rss)


def test_paintings_that_nobody_asks_about_do_not_stay(app):
    paint = app.part(elem_id="paint")
    fields = {"component_id": str(paint), "fn_name": "accept_blobs", "type": "layer", "index": "0"}

    def send(number: int, size: int, **more: str) -> int:
        who = {"session_hash": f"s{number}", "id": f"painting{number}"}
        return app.form("/component_server", {**fields, **who, **more}, ("blob.png", os.urandom(size)))[0]

    assert send(0, 7 * MB) == 200
    before = memory(app)
    for number in range(1, 60):
        assert send(number, 7 * MB) == 200
    assert memory(app) - before < 250 * MB, "59 x 7 MB came"
    assert send(0, 9 * MB) == 413
    assert send(0, 1, index="99999999") == 413
    assert send(0, 1, index="-1") == 413


def test_uploads_never_fill_the_disk_and_the_oldest_go(app):
    paths = [Path(app.upload(f"{number}.jpg", os.urandom(3 * MB))["path"]) for number in range(12)]
    until(lambda: not paths[5].exists(), app.process)  # what an upload deletes goes after its answer
    assert [path.exists() for path in paths] == [False] * 6 + [True] * 6
    kept = sum(file.stat().st_size for file in app.uploads.rglob("*") if file.is_file())
    assert kept <= 20 * MB
    files = [(f"{number}.jpg", os.urandom(10 * MB)) for number in range(5)]
    status, reply = app.form("/upload", {}, *files)
    assert status == 413 and json.loads(reply)["detail"].startswith("the request has more than 40 MB")
    after = sum(file.stat().st_size for file in app.uploads.rglob("*") if file.is_file())
    assert after <= 20 * MB, "what was refused half-way does not stay"
    assert "event: complete" in app.answer(app.ask(photo(app, "small.jpg")))


def test_a_huge_question_is_refused_unread(app):
    status, reply = app.post("/call/predict", b'{"data": ["' + b"a" * (33 * MB) + b'"]}')
    assert status == 413 and "more than 32 MB" in reply


def test_a_photo_that_takes_long_holds_up_neither_others_nor_a_stop(app):
    assert "event: complete" in app.answer(app.ask()), "the model is loaded"
    held = app.ask(photo(app, "held.jpg"))
    waiting = threading.Thread(target=lambda: quietly(app.answer, held), daemon=True)
    waiting.start()
    until((app.folder / "begun").exists, app.process)
    assert "event: complete" in app.answer(app.ask(), timeout=60)
    app.process.send_signal(signal.SIGTERM)
    # 20 s, and what a busy machine adds; it would wait for ever for a photo that is never decoded.
    assert app.process.wait(timeout=40) == 0

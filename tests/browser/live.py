"""A running app and a browser to drive it, for the browser tests and for taking screenshots."""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from mmdemo.cells.locate import SHIPPED, list_cells
from mmdemo.models.encoders.table import DEFAULT_MODEL
from tests import forking

ROOT = Path(__file__).resolve().parents[2]
#: Debian's browser. The one without any window of its own loads the page for half of the processor time.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
START_SECONDS = 300  # importing torch and gradio takes that long beside a training run
#: Milliseconds after which what does not come is missing. The first answer loads a model, perhaps beside a
#: training run on both cores.
WAIT = 180_000
expect.set_options(timeout=WAIT)
LONG = 10  # seconds after which a page is asked whether what Playwright takes for open is
T17, MNRE = "Twitter2017 · entities", "MNRE · relation of a marked pair"
TWEET = "Kevin Durant enters Oracle Arena in Oakland"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def fusions_ready(dataset: str) -> list[str]:
    """The fusions that a comparison of the app's first model answers with: those whose cell ships."""
    cells = (cell for cell in list_cells(SHIPPED) if cell.problem is None)
    return [c.fusion for c in cells if c.dataset.name == dataset and c.model == DEFAULT_MODEL]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_app(reviews: Path | None = None, **environment: str) -> Iterator[str]:
    """The address of ``app.py``, started for this block. $MMDEMO_TEST_URL names one that already runs.

    ``reviews`` is where its reviews lie; else in a file of its own. It speaks MCP where that is installed.
    With an ``environment`` of its own it is started whatever runs already.
    """
    if (url := os.environ.get("MMDEMO_TEST_URL")) and not environment:
        yield url.rstrip("/")
        return
    port = free_port()
    settings = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as folder:
        settings["MMDEMO_REVIEWS"] = str(reviews or f"{folder}/reviews.sqlite3")
        # Its own: an app that stops deletes its photos, and an equal photo of another app is the same file.
        settings["GRADIO_TEMP_DIR"] = f"{folder}/uploads"
        settings["MMDEMO_PRESET"] = "lite"  # which explains in a third of the time
        settings |= environment
        command = [forking.python(**settings), "app.py", *["--mcp"] * bool(importlib.util.find_spec("mcp"))]
        app = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + START_SECONDS
            while not _answers(url):
                if app.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"app.py did not start:\n{log.read().decode(errors='replace')}")
                time.sleep(0.5)
            yield url
        finally:
            app.terminate()
            try:
                app.wait(timeout=WAIT / 1000)  # what is being answered is answered still
            finally:
                app.kill()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=WAIT)
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, **settings: Any) -> Page:
    """A page of its own context, at 1280x800, whose waits are as patient as `expect`."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | settings)
    context.set_default_timeout(WAIT)
    context.add_init_script("performance.setResourceTimingBufferSize(10000)")  # for `Traffic`; 250 are few
    return context.new_page()


#: The addresses of what has ended in a page's own eyes, as often as it did.
ENDED = "performance.getEntriesByType('resource').map(entry => entry.name)"


class Traffic:
    """What a page has asked its server for, and what of it was answered."""

    def __init__(self, page: Page) -> None:
        self.pending: set[Request] = set()
        self.asked = Counter[str]()
        self.ended: list[str] = []
        page.on("request", lambda request: self._begin(request))  # a bound method is not accepted
        page.on("requestfinished", lambda request: self._end(request))
        page.on("requestfailed", lambda request: self._end(request))

    def _begin(self, request: Request) -> None:
        self.pending.add(request)
        self.asked[request.url] += 1

    def _end(self, request: Request) -> None:
        self.pending.discard(request)
        self.ended.append(request.url)

    def rest(self, page: Page, after: str = "") -> None:
        """Wait until an address with ``after`` in it has been answered, and nothing more comes for a while.

        Playwright's "networkidle" never comes: by one request, kept open, Gradio learns that a page left.
        """
        quiet, began = 0, time.monotonic()
        while quiet < 5 or not any(after in address for address in self.ended):
            asked = [request for request in self.pending if "/heartbeat/" not in request.url]
            waited = time.monotonic() - began
            told = self._look_up(page, asked) if asked and waited > LONG else self.ended
            assert waited < WAIT / 1000, f"the page did not come to rest: {told}"
            page.wait_for_timeout(100)
            quiet = 0 if asked else quiet + 1

    def _look_up(self, page: Page, asked: list[Request]) -> list[str]:
        """End what has ended in the page's own eyes; how often each of these has.

        Twice in some thousand, the stream of an answer that was there stayed open for minutes: here a lost
        event of Playwright's is told from an answer that is lost.
        """
        ended = Counter(page.evaluate(ENDED))
        for request in asked:
            if ended[request.url] >= self.asked[request.url]:
                self._end(request)
        return [f"{r.url}: {ended[r.url]} of {self.asked[r.url]} ended" for r in asked]


TRAFFIC: WeakKeyDictionary[Page, Traffic] = WeakKeyDictionary()


def open_page(page: Page, url: str, tab: str = "Predict") -> None:
    """Load the app, wait until it answers to clicks (its first event, which fills the forms, has ended), and
    show a tab: the one with the form that most tests fill, unless another is named."""
    traffic = TRAFFIC[page] = Traffic(page)
    page.goto(url)
    page.get_by_role("tab", name="Predict", exact=True).wait_for()
    page.wait_for_function("window.mmdemo !== undefined")
    traffic.rest(page, after="/queue/data")
    page.get_by_role("tab", name=tab, exact=True).click()
    if tab == "Predict":
        page.locator("#predict-go").wait_for()


def settle(page: Page) -> None:
    """Wait until everything that was asked is answered: photos are read, and answers have followed them."""
    TRAFFIC[page].rest(page)


def pick(page: Page, picker: str, option: str) -> None:
    """Choose an option of one of the pickers by its text."""
    box = page.get_by_label(picker, exact=True)
    box.click()
    page.get_by_role("option", name=option, exact=True).click()


def write(page: Page, text: str) -> None:
    page.locator("#predict-text textarea").fill(text)


def predict(page: Page) -> None:
    page.locator("#predict-go").click()


def upload(page: Page, path: Path) -> None:
    with page.expect_response(lambda r: "/upload" in r.url and r.request.method == "POST"):
        page.locator("#predict-photo input[type=file]").set_input_files(path)
    page.locator("#predict-photo img").wait_for(state="attached")


def select(page: Page, words: str) -> None:
    """Select words in the text box as a person would, then leave the box."""
    page.evaluate(
        """words => {
            const box = document.querySelector('#predict-text textarea');
            const at = box.value.indexOf(words);
            box.focus();
            box.setSelectionRange(at, at + words.length);
        }""",
        words,
    )


def expect_error(page: Page, pattern: str) -> None:
    alert = page.get_by_role("alert").filter(has_text=re.compile(pattern, re.IGNORECASE))
    expect(alert).to_be_visible()
    expect(alert).not_to_contain_text("Traceback")
    assert len(alert.inner_text().splitlines()) == 1

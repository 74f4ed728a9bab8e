"""The review desk alone: its scripts in an empty page, their calls answered by a store of this process.

No Gradio, no model and no second process: a test can put answers into any order, and starts in a second.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from mmdemo.ui.arcs import panel as arcs
from mmdemo.ui.photo import panel
from mmdemo.ui.review import calls, editor
from mmdemo.ui.review.words_calls import WORDS_CALLS
from tests.browser import live
from tests.browser.desk import Desk

CALLS = (*calls.CALLS, *WORDS_CALLS)
ADDRESS = "http://desk.test/"  # storage needs an origin; nothing is asked there
#: Calls named in `unsent`, and replies of those in `late`, wait, in `waiting`, until they are let go.
SERVER = """(names) => {
  Object.assign(window, {unsent: [], late: [], waiting: []});
  const wait = async (name, held) => {
    if (held.includes(name)) await new Promise((go) => window.waiting.push(go));
  };
  const call = (name) => async (body) => {
    await wait(name, window.unsent);
    const reply = await window.answer(name, body);
    await wait(name, window.late);
    return reply;
  };
  const server = Object.fromEntries(names.map((name) => [name, call(name)]));
  window.mmreview.mount(document.body, server);
}"""


class BareDesk(Desk):
    """One reviewer's desk."""

    def __init__(self, page: Page, reviewer: str = "") -> None:
        super().__init__(page)
        self.alarms: list[str] = []
        self.page.on("pageerror", lambda error: self.alarms.append(str(error)))
        head = arcs.head() + panel.head() + editor.head()
        body = f'<!doctype html>{head}<body class="gradio-container">{editor.SHELL}'
        self.page.route(
            f"{ADDRESS}**", lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8")
        )
        self.page.expose_function("answer", self._answer)
        self.page.goto(ADDRESS)
        self.page.evaluate("(name) => window.mmreview.session.rename(name)", reviewer)
        self.mount()

    def mount(self) -> None:
        """Start the desk; after a reload too."""
        self.page.evaluate(SERVER, [call.__name__ for call in CALLS])

    def _answer(self, name: str, body: Any) -> Any:
        answered: Callable[..., Any] = next(call for call in CALLS if call.__name__ == name)
        return json.loads(json.dumps(answered(body)))

    def hold(self, *calls: str, sent: bool = True) -> None:
        """Let the replies of these calls come late, or (not ``sent``) the calls themselves."""
        held = "late" if sent else "unsent"
        self.page.evaluate(f"(names) => (window.{held} = names)", [f"review_{name}" for name in calls])

    def held(self, count: int = 1) -> None:
        """Wait until so much is held."""
        self.page.wait_for_function("(count) => window.waiting.length >= count", arg=count)

    def let_go(self) -> None:
        """Hand out what is held, the latest first, and hold nothing any more."""
        self.page.evaluate("window.late = window.unsent = []")
        self.page.evaluate("window.waiting.splice(0).reverse().forEach((go) => go())")
        self.page.wait_for_timeout(150)  # for the scripts to hear of it, and to ask what they ask next

    def until(self, so: Callable[[], bool]) -> None:
        """Wait for something that the page does not show."""
        deadline = time.monotonic() + live.WAIT / 1000
        while not so():
            assert time.monotonic() < deadline, "it did not come to that"
            self.page.wait_for_timeout(20)

    def choose(self, queue: str) -> None:
        """Switch to a queue."""
        self.page.locator("select[name=queue]").select_option(queue)

"""The Review desk when answers come late, keys are held or names change: nothing lands elsewhere."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from mmdemo.datasets.discovery import default_for
from mmdemo.formats import jsonl
from mmdemo.types import Post
from tests.browser import live
from tests.browser.desk import Desk
from tests.review.conftest import question

pytestmark = pytest.mark.browser


class Desks:
    """Opens reviewers' browsers, and queues of posts for them."""

    def __init__(self, browser: Browser, url: str, folder: Path) -> None:
        self.browser, self.url, self.folder = browser, url, folder

    def open(self) -> Desk:
        context = self.browser.new_context(viewport={"width": 1280, "height": 800})
        desk = Desk(context.new_page())
        live.open_page(desk.page, self.url)
        desk.open()
        return desk

    def queue(self, desk: Desk, name: str, posts: int, reviewer: str | None = None) -> None:
        """A queue of that many posts of two words, on screen and its first post open."""
        file = self.folder / f"{name}.jsonl"
        tokens = [("Post", f"{name}{i}") for i in range(posts)]
        dataset = default_for("entities")
        rows = [question(Post(text=" ".join(t), tokens=t, id=f"{name}-{i}")) for i, t in enumerate(tokens)]
        jsonl.write(file, rows, dataset)
        desk.add([file], name, dataset, reviewer)
        expect(desk.words).to_contain_text(f"{name}0")  # the queue before may be as long
        expect(desk.facts).to_contain_text(f"Post 1 of {posts}")


@pytest.fixture
def desks(browser: Browser, app_url: str, tmp_path: Path) -> Iterator[Desks]:
    made = Desks(browser, app_url, tmp_path)
    before = list(browser.contexts)
    yield made
    for context in browser.contexts:
        if context not in before:
            context.close()


class Held:
    """Requests to the server that wait until they are let go; the others pass."""

    def __init__(self, page: Page, wanted: Callable[[dict], bool]) -> None:
        self.page, self.wanted, self.routes = page, wanted, list[Route]()
        page.route("**/component_server/**", self._answer)

    def _answer(self, route: Route) -> None:
        sent = json.loads(route.request.post_data or "{}")
        if self.wanted({**sent["data"], "call": sent["fn_name"]}):
            self.routes.append(route)
        else:
            route.continue_()

    def arrived(self) -> None:
        """Wait until one is there."""
        deadline = time.monotonic() + live.WAIT / 1000
        while not self.routes:
            assert time.monotonic() < deadline, "the page did not ask"
            self.page.wait_for_timeout(20)

    def let_go(self) -> None:
        """Answer those that wait, and those to come at once."""
        self.wanted = lambda _: False
        for route in self.routes:
            with self.page.expect_response(lambda r, asked=route.request: r.request == asked):
                route.continue_()
        self.page.wait_for_timeout(100)  # for the page's script to hear of it


def label_first_word(desk: Desk) -> None:
    desk.words.get_by_role("option").first.click()
    desk.press("1")


def correct(desk: Desk) -> None:
    """Label the first word and select nothing, so that A is about the post."""
    label_first_word(desk)
    expect(desk.spans).to_have_count(1)
    desk.words.press("Escape")
    expect(desk.page.get_by_role("button", name="Accept post")).to_be_enabled()


def test_undo_goes_back_to_the_queue_of_the_decision(desks):
    ann = desks.open()
    desks.queue(ann, "undo-june", 2, reviewer="Ann")
    desks.queue(ann, "undo-may", 2)
    correct(ann)
    ann.press("a")
    expect(ann.done).to_have_text("1 of 2 reviewed")
    ann.page.locator("select[name=queue]").select_option("undo-june")
    expect(ann.done).to_have_text("0 of 2 reviewed")
    expect(ann.words).to_contain_text("undo-june0")
    ann.press("u")
    ann.settled("Undone: accept a post")
    expect(ann.page.locator("select[name=queue]")).to_have_value("undo-may")
    expect(ann.facts).to_contain_text("Post 1 of 2")
    expect(ann.spans).to_have_count(1)  # the answer, to be changed
    expect(ann.done).to_have_text("0 of 2 reviewed")
    ann.page.locator("select[name=queue]").select_option("undo-june")
    expect(ann.facts).to_contain_text("Post 1 of 2")
    expect(ann.spans).to_have_count(0)


def test_a_post_is_free_for_others_once_its_queue_is_left(desks):
    ann, bo = desks.open(), desks.open()
    desks.queue(ann, "left-june", 2, reviewer="Ann")
    desks.queue(ann, "left-may", 1)
    bo.page.reload()
    bo.open()
    bo.page.locator("select[name=queue]").select_option("left-june")
    bo.page.get_by_role("button", name="Start reviewing").click()
    bo.name("Bo")
    expect(bo.words).to_contain_text("left-june0")
    expect(bo.facts).to_contain_text("Post 1 of 2")  # Ann had it open


def test_undo_leaves_a_decision_of_another_tab_alone(desks):
    ann = desks.open()
    desks.queue(ann, "tabs", 3, reviewer="Ann")
    ann.press("a")
    expect(ann.done).to_have_text("1 of 3 reviewed")
    expect(ann.facts).to_contain_text("Post 2 of 3")
    other = Desk(ann.page.context.new_page())
    live.open_page(other.page, desks.url)
    other.open()
    expect(other.facts).to_contain_text("Post 2 of 3")  # her own reservation is in nobody's way
    other.press("a")
    expect(other.done).to_have_text("2 of 3 reviewed")
    expect(other.facts).to_contain_text("Post 3 of 3")
    ann.press("u")
    expect(ann.page.locator(".mm-error")).to_contain_text("another")
    expect(ann.done).to_have_text("2 of 3 reviewed")
    other.press("u")
    expect(other.done).to_have_text("1 of 3 reviewed")
    ann.press("u")
    expect(ann.done).to_have_text("0 of 3 reviewed")


def test_the_list_is_that_of_the_last_filter(desks):
    ann = desks.open()
    desks.queue(ann, "filters", 3, reviewer="Ann")
    held = Held(
        ann.page, lambda sent: sent["call"] == "review_list" and sent["filters"]["text"] == "filters1"
    )
    ann.page.get_by_text("More filters").click()
    find = ann.page.get_by_label("Find")
    find.fill("filters1")
    find.press("Tab")
    held.arrived()
    find.fill("filters2")
    find.press("Tab")
    rows = ann.page.locator(".rv-row .rv-excerpt")
    expect(rows).to_have_text(["Post filters2"])
    held.let_go()
    expect(rows).to_have_text(["Post filters2"])


def test_the_post_is_the_last_one_that_was_clicked(desks):
    ann = desks.open()
    desks.queue(ann, "clicks", 3, reviewer="Ann")
    held = Held(ann.page, lambda sent: sent["call"] == "review_open")
    rows = ann.page.locator(".rv-row")
    rows.nth(1).click()
    held.arrived()
    rows.nth(2).click()
    held.let_go()
    expect(ann.facts).to_contain_text("Post 3 of 3")
    bo = desks.open()
    bo.page.get_by_role("button", name="Start reviewing").click()
    bo.name("Bo")
    expect(bo.facts).to_contain_text("Post 1 of 3")
    expect(bo.page.locator(".rv-row small", has_text="Ann is on it")).to_have_count(1)


def test_an_edit_during_a_decision_is_not_taken_for_a_draft_of_it(desks):
    ann = desks.open()
    desks.queue(ann, "edits", 2, reviewer="Ann")
    held = Held(ann.page, lambda sent: sent["call"] == "review_save")
    ann.words.press("a")  # wherever the import left the focus
    held.arrived()
    label_first_word(ann)
    expect(ann.spans).to_have_count(0)
    held.let_go()
    expect(ann.facts).to_contain_text("Post 2 of 2")
    expect(ann.done).to_have_text("1 of 2 reviewed")


def test_a_conflict_on_a_post_that_was_left_keeps_both_answers(desks):
    ann = desks.open()
    desks.queue(ann, "late", 2, reviewer="Ann")
    correct(ann)
    held = Held(ann.page, lambda sent: sent["call"] == "review_save")
    ann.press("a")
    held.arrived()
    ann.page.locator(".rv-row").nth(1).click()
    expect(ann.facts).to_contain_text("Post 2 of 2")
    bo = desks.open()
    bo.page.get_by_role("button", name="Start reviewing").click()
    bo.name("Bo")
    expect(bo.facts).to_contain_text("Post 1 of 2")
    bo.press("a")
    expect(bo.done).to_have_text("1 of 2 reviewed")
    held.let_go()
    expect(ann.page.locator(".mm-error")).to_be_visible()
    expect(ann.facts).to_contain_text("Post 2 of 2")
    expect(ann.spans).to_have_count(0)
    ann.press("u")
    expect(ann.facts).to_contain_text("Post 1 of 2")
    expect(ann.spans).to_have_count(1)


def test_a_held_key_decides_once(desks):
    ann = desks.open()
    desks.queue(ann, "held", 3, reviewer="Ann")
    ann.page.keyboard.down("a")
    for turn in range(2, 4):
        expect(ann.facts).to_contain_text("Post 2 of 3")
        ann.page.keyboard.down("a")  # without its release: a repeat
        ann.page.wait_for_timeout(100 * turn)
    ann.page.keyboard.up("a")
    expect(ann.done).to_have_text("1 of 3 reviewed")


def test_a_draft_is_its_reviewers(desks):
    ann = desks.open()
    desks.queue(ann, "names", 2, reviewer="Ann")
    label_first_word(ann)
    expect(ann.spans).to_have_count(1)
    ann.page.get_by_role("button", name="Change your name").click()
    ann.name("Bo")
    expect(ann.page.locator(".rv-who, [data-at=who]")).to_contain_text("Bo")
    expect(ann.facts).to_contain_text("Post 1 of 2")
    expect(ann.spans).to_have_count(0)
    expect(ann.page.get_by_role("button", name="Accept post")).to_be_enabled()  # Ann has given it back
    ann.page.get_by_role("button", name="Change your name").click()
    ann.name("Ann")
    expect(ann.spans).to_have_count(1)


def test_blocked_storage_leaves_the_desk_working(browser, app_url, tmp_path):
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty("
        "window, name, {get() { throw new DOMException('blocked', 'SecurityError'); }});"
    )
    desks = Desks(browser, app_url, tmp_path)
    desk = Desk(page)
    live.open_page(page, app_url)
    desk.open()
    desks.queue(desk, "blocked", 2, reviewer="Ann")
    desk.press("a")
    expect(desk.done).to_have_text("1 of 2 reviewed")
    page.context.close()

"""The Review desk when answers come late, keys are held or names change: nothing lands elsewhere."""

import pytest
from playwright.sync_api import expect

from mmdemo.datasets.discovery import default_for
from mmdemo.formats import jsonl
from mmdemo.review.store.reviews import Store
from mmdemo.types import Post, Question
from tests.browser import live
from tests.browser.bare import BareDesk
from tests.browser.desk import Desk
from tests.review.conftest import TWEETS, question

pytestmark = pytest.mark.browser


def posts_of(queue: str, count: int) -> list[Question]:
    """Posts of two words, one of which names the queue."""
    words = [("Post", f"{queue}{number}") for number in range(count)]
    return [question(Post(text=" ".join(pair), tokens=pair, id=pair[1])) for pair in words]


def add_queue(store: Store, name: str, count: int) -> None:
    store.make_queue(name, TWEETS)
    store.add(name, posts_of(name, count))


def label_first_word(desk: Desk) -> None:
    desk.words.get_by_role("option").first.click()
    desk.press("1")


def correct(desk: Desk) -> None:
    """Label the first word and select nothing, so that A is about the post."""
    label_first_word(desk)
    expect(desk.spans).to_have_count(1)
    desk.words.press("Escape")
    expect(desk.page.get_by_role("button", name="Accept post")).to_be_enabled()


def test_undo_goes_back_to_the_queue_of_the_decision(open_desk, store):
    add_queue(store, "june", 2)
    ann = open_desk(*posts_of("may", 2))
    correct(ann)
    ann.press("a")
    expect(ann.done).to_have_text("1 of 2 reviewed")
    ann.choose("june")
    expect(ann.done).to_have_text("0 of 2 reviewed")
    expect(ann.words).to_contain_text("june0")
    ann.press("u")
    ann.settled("Undone: accept a post")
    expect(ann.page.locator("select[name=queue]")).to_have_value("may")
    expect(ann.facts).to_contain_text("Post 1 of 2")
    expect(ann.spans).to_have_count(1)  # the answer, to be changed
    expect(ann.done).to_have_text("0 of 2 reviewed")
    ann.choose("june")
    expect(ann.facts).to_contain_text("Post 1 of 2")
    expect(ann.spans).to_have_count(0)


def test_a_post_is_free_for_others_once_its_queue_is_left(open_desk, store):
    add_queue(store, "june", 1)
    ann = open_desk(*posts_of("may", 2))
    expect(ann.words).to_contain_text("may0")
    ann.choose("june")
    expect(ann.words).to_contain_text("june0")
    bo = open_desk(reviewer="Bo")
    expect(bo.words).to_contain_text("may0")
    expect(bo.facts).to_contain_text("Post 1 of 2")  # Ann had it open


def test_undo_leaves_a_decision_of_another_tab_alone(open_desk):
    ann = open_desk(*posts_of("may", 3))
    ann.press("a")
    expect(ann.done).to_have_text("1 of 3 reviewed")
    expect(ann.facts).to_contain_text("Post 2 of 3")
    other = BareDesk(ann.page.context.new_page(), "Ann")
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
    assert other.alarms == []


def test_the_list_is_that_of_the_last_filter(open_desk):
    ann = open_desk(*posts_of("may", 3))
    ann.hold("list")
    ann.page.get_by_text("More filters").click()
    find = ann.page.get_by_label("Find")
    for asked, words in enumerate(("may1", "may2"), 1):
        find.fill(words)
        find.press("Tab")
        ann.held(asked)
    ann.let_go()  # what was asked for last is answered first
    rows = ann.page.locator(".rv-row .rv-excerpt")
    expect(rows).to_have_text(["Post may2"])
    ann.page.wait_for_timeout(150)
    expect(rows).to_have_text(["Post may2"])


def test_the_post_is_the_last_one_that_was_clicked(open_desk):
    ann = open_desk(*posts_of("may", 3))
    ann.hold("open")
    rows = ann.page.locator(".rv-row")
    rows.nth(1).click()
    ann.held()
    rows.nth(2).click()
    ann.let_go()
    expect(ann.facts).to_contain_text("Post 3 of 3")
    bo = open_desk(reviewer="Bo")
    expect(bo.facts).to_contain_text("Post 1 of 3")
    expect(bo.page.locator(".rv-row small", has_text="Ann is on it")).to_have_count(1)


def test_a_conflict_on_a_post_that_was_left_keeps_both_answers(open_desk):
    ann = open_desk(*posts_of("may", 2))
    correct(ann)
    ann.hold("save", sent=False)
    ann.press("a")
    ann.held()
    ann.page.locator(".rv-row").nth(1).click()
    expect(ann.facts).to_contain_text("Post 2 of 2")
    bo = open_desk(reviewer="Bo")
    expect(bo.facts).to_contain_text("Post 1 of 2")
    bo.press("a")
    expect(bo.done).to_have_text("1 of 2 reviewed")
    ann.let_go()
    expect(ann.page.locator(".mm-error")).to_be_visible()
    expect(ann.facts).to_contain_text("Post 2 of 2")
    expect(ann.spans).to_have_count(0)
    ann.press("u")
    expect(ann.facts).to_contain_text("Post 1 of 2")
    expect(ann.spans).to_have_count(1)


def test_a_held_key_decides_once(open_desk):
    ann = open_desk(*posts_of("may", 3))
    ann.page.keyboard.down("a")
    for turn in range(2, 4):
        expect(ann.facts).to_contain_text("Post 2 of 3")
        ann.page.keyboard.down("a")  # without its release: a repeat
        ann.page.wait_for_timeout(100 * turn)
    ann.page.keyboard.up("a")
    expect(ann.done).to_have_text("1 of 3 reviewed")


def test_a_draft_is_its_reviewers(open_desk):
    ann = open_desk(*posts_of("may", 2))
    label_first_word(ann)
    expect(ann.spans).to_have_count(1)
    ann.page.get_by_role("button", name="Change your name").click()
    ann.name("Bo")
    expect(ann.page.locator("[data-at=who]")).to_contain_text("Bo")
    expect(ann.facts).to_contain_text("Post 1 of 2")
    expect(ann.spans).to_have_count(0)
    expect(ann.page.get_by_role("button", name="Accept post")).to_be_enabled()  # Ann has given it back
    ann.page.get_by_role("button", name="Change your name").click()
    ann.name("Ann")
    expect(ann.spans).to_have_count(1)


def test_blocked_storage_leaves_the_desk_of_the_page_working(browser, app_url, tmp_path):
    page = live.new_page(browser)
    page.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty("
        "window, name, {get() { throw new DOMException('blocked', 'SecurityError'); }});"
    )
    desk = Desk(page)
    live.open_page(page, app_url, "Review")
    desk.open()
    file, dataset = tmp_path / "blocked.jsonl", default_for("entities")
    jsonl.write(file, posts_of("blocked", 2), dataset)
    desk.add([file], "blocked", dataset, "Ann")
    expect(desk.words).to_contain_text("blocked0")
    desk.press("a")
    expect(desk.done).to_have_text("1 of 2 reviewed")
    page.context.close()

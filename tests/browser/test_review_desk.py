"""The review desk where answers come late, reviewers change or nobody has signed in: all keeps its place."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from mmdemo.datasets.schema import EntityType
from mmdemo.review.records import Answer, Suggestion
from mmdemo.review.store.reviews import Store, open_store
from mmdemo.types import Entity, Post
from mmdemo.ui.review import calls as review_calls
from tests.browser.bare import BareDesk
from tests.review.conftest import TWEETS, question

pytestmark = pytest.mark.browser

Open = Callable[..., BareDesk]


@pytest.fixture
def store(tmp_path, monkeypatch) -> Iterator[Store]:
    """Queues "may" (three posts), "june" (two), "twice" (one, blind) and "none"."""
    found = open_store(tmp_path / "reviews.sqlite3")
    monkeypatch.setattr(review_calls, "store", lambda: found)
    for queue, count in (("none", 0), ("twice", 1), ("june", 2), ("may", 3)):
        found.make_queue(queue, TWEETS, double=queue == "twice")
        tokens = [("Ann", f"{queue}{i}") for i in range(count)]
        posts = [Post(text=" ".join(words), tokens=words, id=words[1]) for words in tokens]
        found.add(queue, [question(post) for post in posts])
    yield found
    found.close()


def label_first_word(desk: BareDesk) -> None:
    desk.words.get_by_role("option").first.click()
    desk.press("1", "Escape")
    expect(desk.spans).to_have_count(1)


def rename(desk: BareDesk, name: str) -> None:
    desk.page.get_by_role("button", name="Change your name").click()
    desk.name(name)
    expect(desk.page.locator("[data-at=who]")).to_contain_text(name)
    expect(desk.facts).to_contain_text("Post")


# --- whose it is ---------------------------------------------------------------------------------


def test_undo_and_redo_are_their_reviewers(open_desk):
    desk = open_desk()
    label_first_word(desk)
    rename(desk, "Bo")
    expect(desk.spans).to_have_count(0)
    desk.press("u")
    desk.settled("Nothing to undo")
    desk.press("Shift+U")
    desk.settled("Nothing to redo")
    expect(desk.spans).to_have_count(0)
    rename(desk, "Ann")
    expect(desk.spans).to_have_count(1)
    desk.press("u")
    expect(desk.spans).to_have_count(0)


def test_a_name_changed_in_another_tab_does_not_sign_what_this_one_decides(open_desk, store):
    desk = open_desk()
    desk.page.evaluate("localStorage.setItem('mmreview.name', '\"Bo\"')")
    expect(desk.page.locator("[data-at=who]")).to_contain_text("Ann")
    desk.press("a")
    expect(desk.done).to_have_text("1 of 3 reviewed")
    assert next(iter(store.decided("may"))).decision.reviewer == "Ann"


def test_drafts_and_steps_are_of_a_post_and_not_of_its_number(open_desk, store, tmp_path, monkeypatch):
    desk = open_desk()
    label_first_word(desk)
    with closing(open_store(tmp_path / "new.sqlite3")) as new:  # as where a Space has lost its disk
        new.make_queue("may", TWEETS)
        number = store.page("may", "Ann").reviews[0].key
        names = [*map(str, range(1, number)), "may0"]
        posts = [Post(text="Oslo", tokens=("Oslo",), id=name) for name in names]
        new.add("may", [question(post) for post in posts])
        monkeypatch.setattr(review_calls, "store", lambda: new)
        desk.page.reload()
        desk.mount()
        expect(desk.words).to_contain_text("Oslo")
        expect(desk.facts).not_to_contain_text("draft")
        desk.press("u")
        expect(desk.page.locator(".mm-error")).to_contain_text("This post has changed since")
        expect(desk.spans).to_have_count(0)


# --- undo finds its post again --------------------------------------------------------------------


def test_undo_goes_back_to_the_task_of_the_decision(open_desk):
    desk = open_desk()
    desk.choose("twice")
    expect(desk.facts).to_contain_text("Post 1 of 1")
    label_first_word(desk)
    desk.press("a")
    expect(desk.page.locator(".rv-note")).to_be_visible()
    desk.page.locator("select[name=mode]").select_option("settle")
    expect(desk.page.locator(".rv-rows")).to_contain_text("The queue is empty")
    desk.press("u")
    desk.settled("Undone: accept a post")
    expect(desk.page.locator("select[name=mode]")).to_have_value("review")
    expect(desk.spans).to_have_count(1)
    expect(desk.page.locator(".mm-error")).to_have_count(0)


def test_undo_goes_back_over_a_settled_dispute_from_another_task(open_desk, store):
    (post,) = store.page("twice", "Bo").reviews
    span = {"start": 0, "end": 1, "label": "PER"}
    for name, entities in (("Bo", [span]), ("Cid", [])):
        store.decide("twice", post.key, name, {"entities": entities, "links": []}, version=post.version)
    desk = open_desk()
    desk.choose("twice")
    desk.page.locator("select[name=mode]").select_option("settle")
    desk.page.get_by_role("button", name="Take review 2").click()
    expect(desk.spans).to_have_count(0)
    desk.press("a")
    expect(desk.done).to_have_text("1 of 1 reviewed")
    desk.page.locator("select[name=mode]").select_option("review")
    desk.press("u")
    desk.settled("Undone: accept a post")
    expect(desk.page.get_by_role("button", name="Take review 2")).to_be_visible()
    desk.press("u")
    desk.settled("Undone: take one of the two answers")
    expect(desk.spans).to_have_count(1)


def test_steps_of_an_older_page_are_forgotten(open_desk):
    desk = open_desk()
    old = '{"undo": [{"kind": "edit", "post": 1, "version": 0, "what": "x"}], "redo": []}'
    desk.page.evaluate("(old) => sessionStorage.setItem('mmreview.history', old)", old)
    desk.page.reload()
    desk.mount()
    expect(desk.facts).to_contain_text("of 3")
    desk.press("u")
    desk.settled("Nothing to undo")


# --- late answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("queue", "shown"), [("june", "Post 1 of 2"), ("none", "0 of 0 reviewed")])
def test_a_post_that_comes_late_is_not_shown_in_another_queue(open_desk, store, queue, shown):
    desk = open_desk()
    desk.hold("open")
    desk.page.locator(".rv-row").nth(1).click()
    desk.held()
    desk.choose(queue)
    expect(desk.page.locator(".rv-rows")).not_to_contain_text("may")
    desk.let_go()
    expect(desk.page.locator(".rv")).to_contain_text(shown)
    expect(desk.words.filter(has_text="may")).to_have_count(0)
    late = store.page("may", "Bo").reviews[1].key
    desk.until(lambda: store.reviews([late], "Bo")[0].lease is None)  # it was given back


def test_keys_and_filters_between_two_queues_break_nothing(open_desk):
    desk = open_desk()
    desk.hold("start")
    desk.choose("june")
    desk.held()
    desk.press("n")
    desk.page.locator("select[name=status]").select_option("open")
    desk.let_go()
    expect(desk.facts).to_contain_text("Post 1 of 2")


def test_an_edit_while_a_decision_is_sent_is_refused_in_words(open_desk, store):
    desk = open_desk()
    desk.hold("save")
    desk.press("a")
    desk.held()
    desk.words.get_by_role("option").first.click()
    desk.press("1")
    expect(desk.page.locator(".rv-note")).to_contain_text("still being saved")
    expect(desk.spans).to_have_count(0)
    desk.let_go()
    expect(desk.facts).to_contain_text("Post 2 of 3")
    assert next(iter(store.decided("may"))).answer.entities == ()


def test_a_decision_may_end_after_its_queue_was_left(open_desk, store):
    desk = open_desk()
    desk.hold("save", "start")
    desk.press("a")
    desk.held()
    desk.choose("june")
    desk.held(2)
    desk.let_go()  # "june" first
    expect(desk.facts).to_contain_text("Post 1 of 2")
    desk.choose("may")
    expect(desk.done).to_have_text("1 of 3 reviewed")
    desk.hold("save", "start")
    desk.press("a")
    desk.held()
    desk.choose("june")
    desk.held(2)
    desk.page.evaluate("window.waiting.reverse()")
    desk.let_go()  # the decision first
    expect(desk.facts).to_contain_text("Post 1 of 2")
    assert store.progress("may").decided == 2


# --- on a Space -----------------------------------------------------------------------------------


def test_who_has_not_signed_in_is_asked_to_and_nothing_else(open_desk, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "you/mmdemo")
    desk = open_desk(reviewer="")
    expect(desk.page.locator(".rv-empty")).to_contain_text(re.compile("Sign in.*signed in above"))
    expect(desk.page.locator("[role=alert]")).to_have_count(0)
    assert "may" not in desk.page.locator(".rv").inner_text()
    desk.press("n")
    assert desk.page.evaluate("window.mmreview.here()") == ["", ""]
    expect(desk.page.get_by_role("dialog")).to_have_count(0)  # a name is not what is asked for


# --- in bulk -------------------------------------------------------------------------------------


@pytest.fixture
def suggested(store: Store) -> Store:
    """A sure suggestion for each post of "may"."""
    for review in store.page("may", "Ann").reviews:
        entity = Entity(start=0, end=1, label="PER", text="Ann", score=0.99)
        store.suggest([(review.key, Suggestion(answer=Answer(entities=(entity,)), checkpoint="tiny"))])
    return store


def accept_in_bulk(desk: BareDesk, button: str) -> None:
    desk.page.get_by_role("button", name="Accept in bulk").click()
    desk.page.get_by_role("dialog").get_by_role("button", name=button).click()


def test_bulk_leaves_posts_alone_that_one_has_begun_to_correct(suggested, open_desk):
    desk = open_desk()
    desk.words.get_by_role("option").nth(1).click()
    desk.press("2", "Escape")
    expect(desk.spans).to_have_count(2)
    accept_in_bulk(desk, "Accept 2 posts")
    expect(desk.done).to_have_text("2 of 3 reviewed")
    expect(desk.facts).to_contain_text("Post 1 of 3")
    expect(desk.spans).to_have_count(2)
    expect(desk.facts).to_contain_text("draft")


def test_edits_before_a_bulk_acceptance_can_be_undone_after_it(suggested, open_desk):
    desk = open_desk()
    desk.words.get_by_role("option").nth(1).click()
    desk.press("2")
    expect(desk.spans).to_have_count(2)
    desk.press("Delete", "Escape")
    expect(desk.spans).to_have_count(1)  # as suggested, so that there is no draft
    accept_in_bulk(desk, "Accept 3 posts")
    expect(desk.done).to_have_text("3 of 3 reviewed")
    desk.press("u")
    expect(desk.done).to_have_text("0 of 3 reviewed")
    desk.settled("Undone: accept 3 posts")
    desk.press("u")
    expect(desk.spans).to_have_count(2)
    desk.press("u")
    expect(desk.spans).to_have_count(1)


def test_a_label_beyond_the_digits_has_a_letter(open_desk: Open, store: Store) -> None:
    """The tenth label of a dataset gets a free letter; the key that its record states is taken."""
    kinds = [EntityType(label=f"kind{i}") for i in range(1, 10)]
    own = replace(
        TWEETS,
        tasks=("entities",),
        relations=(),
        entities=(*kinds, EntityType(label="vessel"), EntityType(label="port", key="o")),
    )
    store.make_queue("ten", own)
    store.add("ten", [question(Post(text="Ann sails", tokens=("Ann", "sails"), id=i)) for i in "abc"])
    desk = open_desk()  # the newest queue
    for key, label in (("v", "vessel"), ("o", "port"), ("9", "kind9")):
        desk.words.get_by_role("option").first.click()
        desk.press(key, "Escape")
        expect(desk.spans).to_contain_text(label)

"""Entities that share words, by keys, mouse and touch; where nobody asks for both, the old one goes."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from mmdemo.review.records import Answer
from mmdemo.review.store.reviews import Store
from mmdemo.types import Entity, Post
from tests.browser.bare import BareDesk
from tests.browser.desk import swipe
from tests.review.conftest import question, stating

pytestmark = pytest.mark.browser

WORDS = tuple("The Uni of Oslo Lab opens".split())
OUTER = (1, 5, "ORG")
INNER = (3, 4, "LOC")
Open = Callable[..., BareDesk]


def answer(*spans: tuple[int, int, str]) -> Answer:
    return Answer(
        entities=tuple(Entity(start=s, end=e, label=x, text=" ".join(WORDS[s:e])) for s, e, x in spans)
    )


@pytest.fixture
def open_desk(open_desk: Open) -> Open:
    """Opens a desk on the post, with what a file suggests."""
    post = Post(text=" ".join(WORDS), tokens=WORDS, id="1")
    return lambda *spans, **context: open_desk(stating(question(post), answer(*spans)), **context)


def decided(desk: BareDesk, store: Store) -> list[tuple[int, int, str]]:
    """The entities of the accepted answer, once there is one."""
    desk.press("Escape", "a")
    desk.until(lambda: store.progress("may").decided == 1)
    [review] = store.decided("may")
    assert review.decision is not None
    return [(e.start, e.end, e.label) for e in review.decision.answer.entities]


def keep_button(desk: BareDesk) -> Any:
    return desk.page.get_by_role("button", name="Keep the entity there too")


def test_by_keys(open_desk, store):
    desk = open_desk(OUTER)
    desk.words.focus()
    desk.press(*["ArrowRight"] * 4, "+")
    desk.settled("“Uni of Oslo Lab” will stay")
    desk.press("2")
    expect(desk.spans).to_have_count(2)
    assert desk.spoken()[3] == "Oslo, LOC, added, within ORG, open"
    desk.press("u")
    expect(desk.spans).to_have_count(1)
    desk.press("Shift+U")
    assert decided(desk, store) == [OUTER, INNER]


def test_an_entity_around_another_by_the_mouse(open_desk, store):
    desk = open_desk(INNER)
    words = desk.words.get_by_role("option")
    words.nth(1).hover()
    desk.page.mouse.down()
    words.nth(4).hover()
    desk.page.mouse.up()
    keep_button(desk).click()
    expect(keep_button(desk)).to_have_attribute("aria-pressed", "true")
    desk.page.get_by_role("group", name="Labels").get_by_role("button", name="ORG").click()
    expect(desk.spans).to_have_count(2)
    expect(desk.words.locator(".rv-within")).to_have_count(1)
    expect(desk.words.locator(".rv-chip")).to_have_text(["LOC", "ORG"])
    desk.press("Escape")
    for chosen in (["Oslo"], ["Uni", "of", "Oslo", "Lab"], []):  # the inner, the outer, none
        words.nth(3).locator("bdi").click()
        expect(desk.words.locator("[aria-selected=true] bdi")).to_have_text(chosen)
    assert decided(desk, store) == [OUTER, INNER]


def test_an_entity_around_another_by_touch(open_desk, store):
    desk = open_desk(INNER, has_touch=True, viewport={"width": 390, "height": 844})
    words = desk.words.get_by_role("option")
    swipe(desk, words.nth(1).locator("bdi"), words.nth(4).locator("bdi"))
    keep_button(desk).tap()
    expect(keep_button(desk)).to_have_attribute("aria-pressed", "true")
    desk.page.get_by_role("group", name="Labels").get_by_role("button", name="ORG").tap()
    assert decided(desk, store) == [OUTER, INNER]


def test_without_asking_the_entity_in_the_way_goes(open_desk, store):
    desk = open_desk(OUTER)
    desk.words.focus()
    desk.press("+")
    desk.settled("Select words within an entity")
    desk.press(*["ArrowRight"] * 4, "+", "+")
    desk.settled("will give way")
    desk.press("2")
    assert decided(desk, store) == [INNER]

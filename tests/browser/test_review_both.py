"""Entities and relations of one post at the desk: arcs, and how many keys, clicks or taps a correction takes.

The post has four entities and three relations. Each test counts what a person does by doing it.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from mmdemo.review.records import Answer
from mmdemo.review.store.reviews import Store
from mmdemo.types import Entity, Post, Relation
from tests.browser.bare import BareDesk
from tests.browser.desk import swipe
from tests.review.conftest import question, stating

pytestmark = pytest.mark.browser

TEXT = "Mira Okafor and Jonas Lind play for Harbour FC in Tromso"
WORDS = tuple(TEXT.split())
ENTITIES = ((0, 2, "PER"), (3, 5, "PER"), (7, 9, "ORG"), (10, 11, "LOC"))
RELATIONS = (
    ((0, 2), (7, 9), "/per/org/member_of"),
    ((3, 5), (7, 9), "/per/org/member_of"),
    ((7, 9), (10, 11), "/org/loc/locate_at"),
)
WHOLE = Answer(
    entities=tuple(Entity(start=s, end=e, label=x, text=" ".join(WORDS[s:e])) for s, e, x in ENTITIES),
    links=tuple(Relation(head=head, tail=tail, label=label) for head, tail, label in RELATIONS),
)
Open = Callable[..., BareDesk]


@pytest.fixture
def open_desk(open_desk: Open) -> Open:
    """Opens a desk on the post, with an answer that a model or a file suggests."""
    post = question(Post(text=TEXT, tokens=WORDS, id="1"))
    return lambda answer=WHOLE, **context: open_desk(stating(post, answer), **context)


def decided(desk: BareDesk, store: Store) -> Answer:
    """The accepted answer, once there is one."""
    desk.until(lambda: store.progress("may").decided == 1)
    [review] = store.decided("may")
    assert review.decision is not None
    return review.decision.answer


def parts(answer: Answer) -> tuple[set[tuple[int, int, str]], set[tuple[Any, Any, str]]]:
    return (
        {(e.start, e.end, e.label) for e in answer.entities},
        {(link.head, link.tail, link.label) for link in answer.links},
    )


def arcs(desk: BareDesk) -> Locator:
    return desk.words.locator(".ar-arc")


def rows(desk: BareDesk) -> Locator:
    return desk.page.locator("[data-at=links] .rv-part")


def test_relations_stand_as_arcs_over_the_words_and_as_rows_below(open_desk: Open) -> None:
    desk = open_desk()
    expect(arcs(desk)).to_have_count(3)
    expect(rows(desk)).to_have_count(3)
    names = desk.words.locator(".ar-name").all_text_contents()
    assert names == ["member of", "member of", "locate at"]
    word = desk.words.get_by_role("option").first.bounding_box()
    for name in desk.words.locator(".ar-name").all():
        box, ground = name.bounding_box(), desk.words.bounding_box()
        assert box and word and ground
        assert ground["y"] <= box["y"] and box["y"] + box["height"] <= word["y"], (
            "names stand above the words"
        )


def test_one_key_accepts_entities_and_relations(open_desk: Open, store: Store) -> None:
    desk = open_desk()
    desk.press("a")
    assert parts(decided(desk, store)) == parts(WHOLE)


def test_a_relation_takes_three_keys_from_a_selected_entity_and_four_from_none(
    open_desk: Open, store: Store
) -> None:
    desk = open_desk(Answer(entities=WHOLE.entities))
    desk.press("l", "1", "3")
    card = desk.page.locator(".rv-link")
    expect(card).to_have_count(1)
    key = card.get_by_role("radio", name="member of").get_attribute("aria-keyshortcuts")
    desk.press(str(key), "Escape")
    expect(arcs(desk)).to_have_count(1)
    desk.press("ArrowDown", "ArrowDown")
    desk.press("l", "3", str(key), "Escape")
    expect(arcs(desk)).to_have_count(2)
    desk.press("a")
    assert parts(decided(desk, store))[1] == set(RELATIONS[:2])


def test_a_relation_of_which_there_is_one_name_gets_it(open_desk: Open) -> None:
    desk = open_desk(Answer(entities=WHOLE.entities))
    desk.press("l", "4", "3")  # a place and a club: no relation begins at a place and ends at a club
    expect(desk.page.locator(".rv-link header b")).to_have_text("Which relation?")
    desk.press("Escape", "u", "l", "3", "4")
    expect(desk.page.locator(".rv-link header b")).to_have_text("locate at")


def test_a_label_and_a_bound_take_two_keys_each(open_desk: Open, store: Store) -> None:
    desk = open_desk()
    desk.press("ArrowDown", "3")
    desk.press("u")
    desk.press("ArrowUp", "ArrowDown", "Shift+ArrowLeft", "Escape")
    desk.press("a")
    entities, _ = parts(decided(desk, store))
    assert (0, 1, "PER") in entities


def test_all_of_it_by_keys_from_an_empty_post(open_desk: Open, store: Store) -> None:
    desk = open_desk(Answer())
    keys = 0

    def press(*given: str) -> None:
        nonlocal keys
        desk.press(*given)
        keys += len(given)

    cursor = -1
    for start, end, label in ENTITIES:
        steps = start - cursor
        press(*["ArrowRight"] * steps, *["Shift+ArrowRight"] * (end - start - 1))
        press(str(desk.page.get_by_role("button", name=label).first.get_attribute("aria-keyshortcuts")))
        press("Escape")
        cursor = end - 1
    for head, tail, label in ((1, 3, "member of"), (2, 3, "member of"), (3, 4, "")):
        press("l", str(head), str(tail))
        if label:
            choice = desk.page.locator(".rv-link").get_by_role("radio", name=label)
            press(str(choice.get_attribute("aria-keyshortcuts")))
        press("Escape")
    press("a")
    assert parts(decided(desk, store)) == parts(WHOLE)
    assert keys < 50, f"{keys} keys"


def test_all_of_it_by_the_mouse_alone(open_desk: Open, store: Store) -> None:
    desk = open_desk(Answer())
    page, words = desk.page, desk.words.get_by_role("option")
    for start, end, label in ENTITIES:
        words.nth(start).hover()
        page.mouse.down()
        words.nth(end - 1).hover()
        page.mouse.up()
        page.get_by_role("button", name=label).first.click()
    for head, tail, label in ((0, 7, "member of"), (3, 7, "member of"), (7, 10, "")):
        words.nth(head).click()
        page.get_by_role("button", name="Relate").click()
        words.nth(tail).click()
        if label:
            page.locator(".rv-link").get_by_role("radio", name=label).click()
    desk.words.locator(".ar-name").last.click()
    expect(page.locator(".rv-link")).to_have_count(1)
    page.get_by_role("button", name="Accept post").click()
    assert parts(decided(desk, store)) == parts(WHOLE)


def test_all_of_it_by_touch(open_desk: Open, store: Store) -> None:
    desk = open_desk(Answer(), has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page, words = desk.page, desk.words.get_by_role("option")
    for start, end, label in ENTITIES:
        first, last = words.nth(start).locator("bdi"), words.nth(end - 1).locator("bdi")
        if start == 0:
            swipe(desk, first, last)
        else:
            first.tap()
        page.get_by_role("button", name=label).first.tap()
        if start and end - start > 1:  # the words may lie on two lines, where a swipe would scroll
            swipe(desk, desk.words.locator(".rv-grip[data-end=end]"), last)
    for head, tail, label in ((0, 7, "member of"), (3, 7, "member of"), (7, 10, "")):
        words.nth(head).tap()
        page.get_by_role("button", name="Relate").tap()
        words.nth(tail).tap()
        if label:
            page.locator(".rv-link").get_by_role("radio", name=label).tap()
    page.get_by_role("button", name="Accept post").tap()
    assert parts(decided(desk, store)) == parts(WHOLE)

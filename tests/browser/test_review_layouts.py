"""The review desk on other keyboards, for scripts that run to the left, and with relations drawn by keys."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from mmdemo.review.store.reviews import Store
from mmdemo.types import Post
from tests.browser.bare import BareDesk
from tests.review.conftest import question

pytestmark = pytest.mark.browser

Open = Callable[..., BareDesk]

LATIN = "Ann leads the New York Post"
ARABIC = "@quay وصلت ليلى إلى مرفأ طرابلس"


@pytest.fixture
def open_desk(open_desk: Open) -> Open:
    """Opens a desk on a queue of one post of these words."""
    return lambda text: open_desk(question(Post(text=text, tokens=tuple(text.split()), id="1")))


def press(desk: BareDesk, key: str, code: str, *, shift: bool = False) -> None:
    """A key as a keyboard of any layout sends it."""
    desk.page.evaluate(
        """([key, code, shiftKey]) => document.body.dispatchEvent(
             new KeyboardEvent("keydown", {key, code, shiftKey, bubbles: true, cancelable: true}))""",
        [key, code, shift],
    )


@pytest.mark.parametrize(
    ("key", "code"), [("&", "Digit1"), ("١", "Digit1"), ("+", "Digit1"), ("1", "Numpad1"), ("1", "Digit1")]
)
def test_digits_count_by_their_place(open_desk: Open, key: str, code: str) -> None:
    desk = open_desk(LATIN)
    desk.words.get_by_role("option").first.click()
    press(desk, key, code)
    expect(desk.spans).to_have_count(1)


def test_a_sign_that_shift_gives_is_no_digit(open_desk: Open) -> None:
    desk = open_desk(LATIN)
    desk.words.get_by_role("option").first.click()
    press(desk, "!", "Digit1", shift=True)
    press(desk, "Escape", "Escape")
    expect(desk.spans).to_have_count(0)


@pytest.mark.parametrize(
    ("key", "code", "done"),
    [
        ("ф", "KeyA", "1"),  # Russian
        ("ش", "KeyA", "1"),  # Arabic
        ("α", "KeyA", "1"),  # Greek
        ("a", "KeyQ", "1"),  # French: a Latin letter is itself
        ("q", "KeyA", "0"),
    ],
)
def test_letters_of_other_scripts_count_by_their_place(
    open_desk: Open, store: Store, key: str, code: str, done: str
) -> None:
    desk = open_desk(LATIN)
    press(desk, "Escape", "Escape")
    press(desk, key, code)
    if done == "1":
        desk.until(lambda: store.progress("may").decided == 1)
    else:
        desk.page.wait_for_timeout(300)
        assert store.progress("may").decided == 0


def test_the_help_opens_on_an_arabic_keyboard_and_tells_of_places(open_desk: Open) -> None:
    desk = open_desk(LATIN)
    press(desk, "؟", "Slash", shift=True)
    expect(desk.page.get_by_role("dialog", name="Keys")).to_contain_text("the one at its place")


def test_a_post_of_right_to_left_words_is_laid_out_so(open_desk: Open) -> None:
    """Its @name and links have no say; the list shows it so too; arrows go the way they point."""
    desk = open_desk(ARABIC)
    assert desk.words.evaluate("e => getComputedStyle(e).direction") == "rtl"
    boxes = [word.bounding_box() for word in desk.words.get_by_role("option").all()]
    places = [box["x"] for box in boxes if box]
    assert len(places) == len(ARABIC.split()) and places == sorted(places, reverse=True)
    assert desk.page.locator(".rv-excerpt").first.get_attribute("dir") == "rtl"
    desk.words.focus()
    desk.press("ArrowRight", "ArrowLeft", "ArrowLeft")
    expect(desk.words.locator(".rv-cursor")).to_have_attribute("data-word", "2")
    desk.press("ArrowRight")
    expect(desk.words.locator(".rv-cursor")).to_have_attribute("data-word", "1")
    desk.press("Shift+ArrowLeft")
    expect(desk.words.locator(".rv-chosen")).to_have_count(2)


def test_a_post_of_latin_words_stays_left_to_right(open_desk: Open) -> None:
    desk = open_desk("Ann meets ليلى in Oslo")
    assert desk.words.evaluate("e => getComputedStyle(e).direction") == "ltr"


def label(desk: BareDesk, word: int, length: int, key: str) -> None:
    """Label words by keys alone."""
    desk.press("Escape")
    desk.words.get_by_role("option").nth(word).click()
    desk.press(*["Shift+ArrowRight"] * (length - 1), key, "Escape")


def test_any_entity_is_related_to_any_other_by_keys(open_desk: Open) -> None:
    """Going there does not join the one next door; L does, wherever one is."""
    desk = open_desk("Ann Bob Cy Dora Eve")
    for place in range(5):
        label(desk, place, 1, "1")
    expect(desk.spans).to_have_count(5)
    desk.press("ArrowDown", "l", "ArrowDown", "ArrowDown", "ArrowDown")
    expect(desk.page.locator(".rv-link")).to_have_count(0)
    desk.press("l")
    expect(desk.page.locator(".rv-link")).to_have_count(1)
    assert [word.inner_text() for word in desk.words.locator(".rv-head, .rv-tail").all()] == ["Ann", "Dora"]


def test_a_pair_of_which_one_lies_in_the_other_is_marked_by_keys(open_desk: Open) -> None:
    desk = open_desk(LATIN)
    label(desk, 3, 3, "1")
    desk.press("ArrowDown", "l", "ArrowLeft", "l")
    expect(desk.page.locator(".rv-link")).to_have_count(1)
    heads = [word.get_attribute("data-word") for word in desk.words.locator(".rv-word.rv-head").all()]
    tails = [word.get_attribute("data-word") for word in desk.words.locator(".rv-word.rv-tail").all()]
    assert (heads, tails) == (["3", "4", "5"], ["4"])

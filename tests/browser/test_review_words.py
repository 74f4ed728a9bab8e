"""What a photo says, on the review desk: shown and boxed, corrected, taken back, by two people at once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from mmdemo.formats.shared.photo_words import words_json
from mmdemo.review.store.reviews import Store, open_store
from mmdemo.types import PhotoWords, Post
from mmdemo.ui.review import calls as review_calls
from tests.browser import hostile
from tests.browser.bare import BareDesk
from tests.review.conftest import TWEETS, question

pytestmark = pytest.mark.browser

SAID = (
    PhotoWords(source="ocr", text="PADERS", score=0.81, box=(0.1, 0.25, 0.5, 0.5), by="rapidocr"),
    PhotoWords(source="objects", text="football helmet", score=0.4, by="EfficientNet"),
    PhotoWords(source="described", text=f"{hostile.TEXT}\u202egnp", by=hostile.REVIEWER),
)
Open = Callable[..., BareDesk]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A queue of two posts, of which the first has a photo that says something; the second has none."""
    found = open_store(tmp_path / "reviews.sqlite3")
    monkeypatch.setattr(review_calls, "store", lambda: found)
    Image.new("RGB", (400, 200), "#d8d8d8").save(tmp_path / "sign.png")
    found.make_queue("may", TWEETS)
    posts = (
        Post(
            text="Ann sings",
            tokens=("Ann", "sings"),
            id="a",
            image=str(tmp_path / "sign.png"),
            photo_words=SAID,
        ),
        Post(text="Bo sings", tokens=("Bo", "sings"), id="b"),
    )
    found.add("may", [question(post) for post in posts])
    yield found
    found.close()


def fields(desk: BareDesk) -> Locator:
    return desk.page.locator(".rv-said .pw-part input")


def shows(desk: BareDesk, *texts: str) -> None:
    """Wait until these are the words of the photo."""
    expect(fields(desk)).to_have_count(len(texts))
    for field, text in zip(fields(desk).all(), texts, strict=True):
        expect(field).to_have_value(text)


def stored(store: Store, key: int = 1) -> list[PhotoWords]:
    return list(store.reviews([key], "Ann")[0].post.photo_words)


def change(desk: BareDesk, i: int, text: str) -> None:
    fields(desk).nth(i).fill(text)
    fields(desk).nth(i).press("Enter")


def free(store: Store, reviewer: str) -> None:
    """Let others have the post, as after a rest: the page on screen does not know."""
    store.release(1, reviewer)


def test_words_stand_below_the_photo_with_their_sources_and_boxes(open_desk: Open) -> None:
    desk = open_desk()
    shows(desk, *(one.text for one in SAID))
    expect(desk.page.locator(".rv-said .pw-source")).to_have_text(["text", "object", "described"])
    expect(desk.page.locator(".rv-said .pw-score")).to_have_text(["81%", "40%", ""])
    expect(desk.page.locator(".rv-photo .pw-box")).to_have_count(1)
    image = desk.page.locator(".rv-photo img").bounding_box()
    box = desk.page.locator(".pw-box").bounding_box()
    assert image and box
    assert box["x"] == pytest.approx(image["x"] + 0.1 * image["width"], abs=3)
    assert box["y"] == pytest.approx(image["y"] + 0.25 * image["height"], abs=3)
    fields(desk).first.focus()
    expect(desk.page.locator(".pw-box.pw-lit")).to_have_count(1)
    desk.page.locator(".rv-row").nth(1).click()
    expect(desk.words).to_contain_text("Bo")
    expect(desk.page.locator(".rv-said")).to_be_hidden()
    expect(desk.page.locator(".pw-box")).to_have_count(0)


def test_words_are_edited_left_out_added_and_taken_back(open_desk: Open, store: Store) -> None:
    desk = open_desk()
    undo = desk.page.get_by_role("button", name="Undo a change of the photo's words")
    expect(undo).to_be_hidden()
    change(desk, 0, "PADRES")
    desk.settled("Words of the photo changed")
    first = stored(store)[0]
    assert (first.text, first.source, first.score, first.by) == ("PADRES", "ocr", None, "Ann")
    assert first.box == SAID[0].box and stored(store)[1:] == list(SAID[1:])
    expect(fields(desk).first).to_be_focused()  # the next key is not one of the desk's
    desk.page.get_by_role("button", name="Leave out “football helmet”").click()
    shows(desk, "PADRES", SAID[2].text)
    add = desk.page.get_by_label("Describe the photo")
    add.fill("a jersey")
    add.press("Enter")
    shows(desk, "PADRES", SAID[2].text, "a jersey")
    expect(add).to_have_value("")
    assert stored(store)[-1] == PhotoWords(source="described", text="a jersey", by="Ann")
    for left in (
        ["PADRES", SAID[2].text],
        ["PADRES", "football helmet", SAID[2].text],
        [s.text for s in SAID],
    ):
        undo.click()
        shows(desk, *left)
    assert words_json(stored(store)) == words_json(SAID)
    undo.click()
    expect(desk.page.locator(".mm-error")).to_contain_text("nothing to take back")


def test_keys_of_the_desk_are_letters_in_these_fields(open_desk: Open, store: Store) -> None:
    desk = open_desk()
    add = desk.page.get_by_label("Describe the photo")
    add.focus()
    desk.page.keyboard.type("area 1 n?")
    desk.press("Tab")
    shows(desk, *(one.text for one in SAID), "area 1 n?")
    expect(desk.facts).to_contain_text("Post 1 of 2")
    expect(desk.done).to_have_text("0 of 2 reviewed")
    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    assert store.reviews([1], "Ann")[0].decision is None


def test_what_is_typed_elsewhere_stays_while_a_change_is_sent(open_desk: Open) -> None:
    desk = open_desk()
    desk.hold("change_words")
    change(desk, 0, "PADRES")
    desk.held()
    add = desk.page.get_by_label("Describe the photo")
    add.focus()
    desk.page.keyboard.type("a jer")
    desk.let_go()
    desk.settled("Words of the photo changed")
    desk.page.keyboard.type("sey")
    expect(add).to_have_value("a jersey")


def test_hostile_words_are_text(open_desk: Open) -> None:
    desk = open_desk()
    change(desk, 1, hostile.TEXT)
    desk.settled("Words of the photo changed")
    shows(desk, SAID[0].text, hostile.TEXT, SAID[2].text)
    shown = desk.page.locator(".rv-said-shown")
    expect(shown).to_contain_text("U+202E")  # a field would turn what follows it around
    assert "\u202e" not in shown.inner_text()
    assert desk.page.evaluate(hostile.BECAME) == []
    assert desk.page.evaluate("window.__xss") is None


def test_who_comes_second_is_told_and_sees_what_came_first(open_desk: Open, store: Store) -> None:
    ann = open_desk()
    shows(ann, *(one.text for one in SAID))
    free(store, "Ann")
    bo = open_desk(reviewer="Bo")
    change(bo, 0, "PADRES")
    bo.settled("Words of the photo changed")
    free(store, "Bo")
    change(ann, 0, "PANDERS")
    expect(ann.page.locator(".mm-error")).to_contain_text("omebody has changed the words of the photo")
    shows(ann, "PADRES", "football helmet", SAID[2].text)
    change(ann, 1, "helmet")
    shows(ann, "PADRES", "helmet", SAID[2].text)
    expect(ann.page.locator(".mm-error")).to_have_count(0)
    change(bo, 0, "PADRES 9")
    expect(bo.page.locator(".mm-error")).to_contain_text("omebody has changed the words of the photo")
    shows(bo, "PADRES", "helmet", SAID[2].text)
    bo.page.get_by_role("button", name="Undo a change of the photo's words").click()
    expect(bo.page.locator(".mm-error")).to_contain_text("Ann has changed the words of this photo since")


def test_a_description_is_added_to_what_somebody_else_wrote(open_desk: Open, store: Store) -> None:
    ann = open_desk()
    shows(ann, *(one.text for one in SAID))
    free(store, "Ann")
    store.describe_photo("may", 1, "Bo", "A crowd.", version=0)
    add = ann.page.get_by_label("Describe the photo")
    add.fill("A game.")
    add.press("Enter")
    shows(ann, *(one.text for one in SAID), "A crowd.", "A game.")
    expect(ann.page.locator(".mm-error")).to_have_count(0)
    assert [one.by for one in stored(store)[3:]] == ["Bo", "Ann"]


def test_a_post_that_somebody_has_can_only_be_looked_at(open_desk: Open) -> None:
    open_desk()
    bo = open_desk(reviewer="Bo")
    bo.page.locator(".rv-row").first.click()
    expect(bo.facts).to_contain_text("Ann is on it")
    shows(bo, *(one.text for one in SAID))
    for field in fields(bo).all():
        expect(field).to_be_disabled()
    expect(bo.page.get_by_label("Describe the photo")).to_be_disabled()

"""The Predict tab in a real browser, with the checkpoints that ship."""

import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser import live
from tests.browser.live import MNRE, T17, TWEET, expect_error, predict, select, upload, write

pytestmark = pytest.mark.browser


def test_entities_of_a_tweet_with_its_photo(page, tmp_path):
    photo = tmp_path / "photo.png"
    Image.new("RGB", (320, 240), "#336699").save(photo)
    live.pick(page, "Dataset", T17)
    upload(page, photo)
    write(page, TWEET)
    predict(page)
    result = page.locator("#predict-result")
    expect(result.locator(".mm-span").first).to_contain_text("Kevin Durant")
    expect(result.locator(".mm-chip").first).to_contain_text(re.compile(r"PER >?\d+\.\d%"))
    expect(result).to_contain_text("read with the photo")
    expect(page.locator("#card")).to_contain_text("Entity F1")
    page.get_by_text("Result as JSON").filter(visible=True).click()
    expect(page.locator("#result-json")).to_contain_text('"label"')


def test_a_relation_by_selecting_words_and_pressing_the_buttons(page):
    live.pick(page, "Dataset", MNRE)
    write(page, "Lauren Bacall on the set of Key Largo")
    select(page, "auren Baca")
    page.get_by_role("button", name="Mark as [E1]").click()
    select(page, "Key Largo")
    page.get_by_role("button", name="Mark as [E2]").press("Enter")
    box = page.locator("#predict-text textarea")
    expect(box).to_have_value("[E1] Lauren Bacall [/E1] on the set of [E2] Key Largo [/E2]")
    box.press("Control+Enter")
    bars = page.locator("#predict-result .mm-bars li")
    expect(bars).to_have_count(5)
    expect(page.locator("#predict-result .mm-chip")).to_have_text(["E1", "E2"])


def test_examples_answer_with_one_click(page):
    page.get_by_role("button", name="Relation").nth(1).click()
    expect(page.locator("#predict-result .mm-bars li")).to_have_count(5)
    expect(page.locator("#card")).to_contain_text("lite/mnre/")
    page.get_by_role("button", name="Entities").first.click()
    expect(page.locator("#predict-result .mm-span").first).to_be_visible()
    expect(page.locator("#predict-result")).to_contain_text("read with the photo")
    expect(page.locator("#card")).to_contain_text("lite/twitter")


def test_another_fusion_answers_under_its_own_name(page):
    write(page, TWEET)
    for fusion, title in (("concat", "Concatenation"), ("film", "FiLM")):
        live.pick(page, "Fusion", title)
        expect(page.locator("#card")).to_contain_text(f"roberta-resnet50/{fusion}")
        predict(page)
        expect(page.locator("#predict-result")).to_contain_text(f"roberta-resnet50/{fusion}")


def test_a_combination_that_is_not_ready_says_why(page):
    live.pick(page, "Dataset", "Twitter2015 · entities")
    card = page.locator("#card")
    expect(card).to_contain_text("twitter2015")
    if "Not ready" in card.inner_text():
        write(page, TWEET)
        predict(page)
        expect_error(page, r"\w{3,}")


# --- marks -------------------------------------------------------------------------------------


def test_mark_buttons_belong_to_relations_only(page):
    live.pick(page, "Dataset", T17)
    expect(page.get_by_role("button", name="Mark as [E1]")).to_be_hidden()
    live.pick(page, "Dataset", MNRE)
    expect(page.get_by_role("button", name="Mark as [E1]")).to_be_visible()
    expect(page.locator("#predict-text textarea")).to_have_attribute("placeholder", re.compile(r"\[E1\]"))


def test_marks_move_undo_and_clear(page):
    live.pick(page, "Dataset", MNRE)
    box = page.locator("#predict-text textarea")
    write(page, "Ann met Bob")
    select(page, "Ann")
    page.get_by_role("button", name="Mark as [E1]").click()
    select(page, "Bob")
    page.get_by_role("button", name="Mark as [E1]").click()
    expect(box).to_have_value("Ann met [E1] Bob [/E1]")
    box.press("Control+z")
    expect(box).to_have_value("[E1] Ann [/E1] met Bob")
    page.get_by_role("button", name="Clear marks").click()
    expect(box).to_have_value("Ann met Bob")


def test_marking_nothing_or_across_marks_explains_itself(page):
    live.pick(page, "Dataset", MNRE)
    write(page, "Ann met Bob")
    page.evaluate("document.querySelector('#predict-text textarea').setSelectionRange(3, 3)")
    page.evaluate("document.querySelector('#predict-text textarea').value = ''")
    page.get_by_role("button", name="Mark as [E1]").click()
    expect(page.locator("#mark-hint")).to_contain_text("Select the words")
    write(page, "[E1] Ann [/E1] met Bob")
    select(page, "Ann [/E1] met")
    page.get_by_role("button", name="Mark as [E2]").click()
    expect(page.locator("#mark-hint")).to_contain_text("touches the [E1] marks")


WRAPS = [
    ("Ann met Bob", 0, 3, "E1", "[E1] Ann [/E1] met Bob"),
    ("Ann met Bob", 1, 2, "E1", "[E1] Ann [/E1] met Bob"),
    ("Ann met Bob", 3, 4, "E1", None),
    ("Ann met Bob, Carl", 8, 8, "E2", "Ann met [E2] Bob [/E2], Carl"),
    ("Ann met Bob", 11, 11, "E2", "Ann met [E2] Bob [/E2]"),
    ("São Paulo rocks", 1, 7, "E1", "[E1] São Paulo [/E1] rocks"),
    ("[E1] Ann [/E1] met Bob", 15, 18, "E1", "Ann [E1] met [/E1] Bob"),
    ("[E1] Ann [/E1] met Bob", 5, 8, "E1", "[E1] Ann [/E1] met Bob"),
    ("[E1] Ann [/E1] met Bob", 5, 8, "E2", None),
    ("[E1] Ann [/E1] met Bob", 2, 2, "E2", None),
    ("[E1] Ann [/E1] met Bob", 0, 22, "E1", "[E1] Ann met Bob [/E1]"),
    ("", 0, 0, "E1", None),
]


def test_wrapping(page):
    call = "([t, s, e, n]) => window.mmdemo.wrap(t, s, e, n).text ?? null"
    assert [page.evaluate(call, list(row[:4])) for row in WRAPS] == [row[4] for row in WRAPS]

"""What a photo says, on the page: read after an upload, boxed, edited, left out; the answer follows."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, expect

from tests.browser.live import TWEET, pick, predict, upload, write

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)} {{x}}"


def sign(path: Path, text: str) -> Path:
    """A photo of a sign that says the text."""
    picture = Image.new("RGB", (640, 360), "#d8d8d8")
    ImageDraw.Draw(picture).text((60, 140), text, fill="black", font=ImageFont.load_default(72))
    picture.save(path)
    return path


def parts(page: Page) -> list[str]:
    return [box.input_value() for box in page.locator(".pw-part input").all()]


def test_words_of_a_photo_appear_are_boxed_edited_and_left_out(page, tmp_path):
    upload(page, sign(tmp_path / "sign.png", "PADRES"))
    write(page, TWEET)
    pick(page, "Size", "lite")
    predict(page)
    answer = page.locator("#result-json")
    page.get_by_text("Result as JSON").filter(visible=True).click()
    expect(page.locator(".pw-part input").first).to_have_value("PADRES")
    expect(page.locator("#predict-photo .pw-box")).to_have_count(1)
    picture, box = page.locator("#predict-photo img").bounding_box(), page.locator(".pw-box").bounding_box()
    assert picture["y"] < box["y"] and box["y"] + box["height"] < picture["y"] + picture["height"]
    expect(page.locator("#predict-result")).to_contain_text("which does not read what photos say")
    expect(answer).to_contain_text("PADRES")  # asked before it was read, and answered again

    first = page.locator(".pw-part input").first
    first.fill("a baseball jersey")
    first.press("Enter")
    expect(answer).to_contain_text("a baseball jersey")
    expect(answer).not_to_contain_text("PADRES")
    page.get_by_role("button", name="Leave out “a baseball jersey”").click()
    expect(answer).not_to_contain_text("a baseball jersey")
    assert "a baseball jersey" not in parts(page)


def test_a_description_is_text_whatever_it_holds(page):
    alarms: list[str] = []
    page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    write(page, TWEET)
    predict(page)
    page.get_by_text("Result as JSON").filter(visible=True).click()
    box = page.get_by_label("Describe the photo").filter(visible=True)
    box.fill(HOSTILE)
    box.press("Enter")
    expect(page.locator(".pw-part input").first).to_have_value(HOSTILE)
    expect(page.locator("#result-json")).to_contain_text("onerror")
    page.locator("#to-compare").click()
    expect(page.locator("#comparison")).to_contain_text("FiLM")
    assert alarms == []


def test_another_photo_takes_its_words_along(page, tmp_path):
    upload(page, sign(tmp_path / "one.png", "PADRES"))
    expect(page.locator(".pw-part input").first).to_have_value("PADRES")
    page.locator("#predict-photo").get_by_label("Clear").or_(
        page.locator("#predict-photo").get_by_label("Remove")
    ).first.click()
    expect(page.locator(".pw-part")).to_have_count(0)
    upload(page, sign(tmp_path / "two.png", "HERSHEY"))
    expect(page.locator(".pw-part input").first).to_have_value("HERSHEY")

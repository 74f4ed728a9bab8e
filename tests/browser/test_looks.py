"""The page on a phone, in light and in dark, and without the rest of the internet."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import live

pytestmark = pytest.mark.browser


def test_a_phone_needs_no_sideways_scrolling(page):
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_role("button", name="Relation").first.click()
    expect(page.locator("#predict-result .mm-bars li")).to_have_count(5)
    expect(page.locator("#predict-result .mm-result")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def luminance(colour: str) -> float:
    parts = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
    r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(browser, app_url, theme):
    page = live.new_page(browser)
    live.open_page(page, f"{app_url}/?__theme={theme}")
    page.get_by_role("button", name="Entities").first.click()
    expect(page.locator("#predict-result .mm-tweet")).to_be_visible()
    for inside in (".mm-tweet", ".mm-quiet", "h3"):
        colour = page.locator(f"#predict-result {inside}").first.evaluate("e => getComputedStyle(e).color")
        ground = page.locator("#predict-result .mm-result").evaluate(
            "e => getComputedStyle(e).backgroundColor"
        )
        light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (inside, colour, ground)
    page.context.close()


def test_the_page_asks_nobody_else(browser, app_url):
    asked = []
    page = live.new_page(browser)
    page.on("request", lambda request: asked.append(request.url))
    live.open_page(page, app_url)
    page.close()
    assert [url for url in asked if not url.startswith((app_url, "data:", "blob:"))] == []

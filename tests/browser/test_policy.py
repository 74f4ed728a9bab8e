"""The Content-Security-Policy in a real browser: the page works under it, a smuggled script does not."""

import pytest
from playwright.sync_api import expect

from tests.browser import live

pytestmark = pytest.mark.browser


def test_every_tab_works_under_the_policy_and_a_smuggled_handler_is_blocked(browser, app_url):
    page = live.new_page(browser)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    live.open_page(page, app_url)
    live.write(page, live.TWEET)
    live.predict(page)
    expect(page.locator("#predict-result .mm-tweet")).to_be_visible()
    page.locator("#to-compare").click()
    expect(page.locator("#comparison table").first).to_be_visible()
    for name, place in (("Why", "#why"), ("Review", "#review-editor .rv"), ("Results", "#zoo-table")):
        page.get_by_role("tab", name=name, exact=True).click()
        if name == "Why":
            page.locator("#explain").click()
        expect(page.locator(place)).to_be_visible()
    assert [text for text in said if "Content Security Policy" in text] == []

    smuggled = "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.__xss = 1\">')"
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate(smuggled)  # the browser says what it blocks
    page.wait_for_function("document.images[document.images.length - 1].complete")
    assert page.evaluate("window.__xss") is None
    page.context.close()

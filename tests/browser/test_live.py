"""The tests' own way to wait: a page is at rest where an end was not told, and is not while it waits."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import live

pytestmark = pytest.mark.browser


def test_an_end_that_was_not_told_is_looked_up_in_the_page(page: Page, monkeypatch) -> None:
    monkeypatch.setattr(live, "LONG", 1)
    live.settle(page)
    traffic = live.TRAFFIC[page]
    end = traffic._end
    monkeypatch.setattr(
        traffic, "_end", lambda request: None if "/queue/data" in request.url else end(request)
    )
    page.get_by_role("tab", name="Extract", exact=True).click()
    page.get_by_role("button", name="Grace Hopper").click()
    expect(page.locator("#result .xt-chip").first).to_be_visible()
    streams = [request for request in traffic.pending if "/queue/data" in request.url]
    assert streams, "an answer came by a stream, whose end nobody told"
    monkeypatch.setattr(traffic, "_end", end)
    live.settle(page)
    assert not {request for request in traffic.pending if "/queue/data" in request.url}


def test_what_is_open_in_the_page_too_is_named(page: Page, monkeypatch) -> None:
    monkeypatch.setattr(live, "LONG", 0.2)
    monkeypatch.setattr(live, "WAIT", 1_000)
    live.settle(page)
    with page.expect_request("**/slow"):
        page.route("**/slow", lambda route: None)  # never answered
        page.evaluate("() => { fetch('/slow'); }")
    with pytest.raises(AssertionError, match=r"/slow: 0 of 1 ended"):
        live.settle(page)

"""One app and one browser for all tests of this folder; a fresh page for each."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from mmdemo.review.store.reviews import Store, open_store
from mmdemo.types import Question
from mmdemo.ui.review import calls as review_calls
from tests.browser import live
from tests.browser.bare import BareDesk
from tests.review.conftest import TWEETS


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not live.CHROMIUM:
        pytest.skip("there is no Chromium on this machine (apt-get install chromium-headless-shell)")
    with live.running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which the app keeps its reviews."""
    return tmp_path_factory.mktemp("reviews") / "reviews.sqlite3"


@pytest.fixture(scope="session")
def app_url(reviews: Path) -> Iterator[str]:
    with live.running_app(reviews) as url:
        yield url


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store, which the calls of a desk in this process use (`tests.browser.bare`)."""
    with closing(open_store(tmp_path / "reviews.sqlite3")) as found:
        monkeypatch.setattr(review_calls, "store", lambda: found)
        yield found


@pytest.fixture
def open_desk(browser: Browser, store: Store) -> Iterator[Callable[..., BareDesk]]:
    """Opens a reviewer's desk, on a queue "may" of these posts, or on what the store holds.

    What it takes beside that is the browser's, as a touch screen. No page may have had an error.
    """
    desks: list[BareDesk] = []

    def opened(*posts: Question, reviewer: str = "Ann", **context: Any) -> BareDesk:
        if posts:
            store.make_queue("may", TWEETS)
            store.add("may", posts)
        desks.append(BareDesk(live.new_page(browser, **context), reviewer))
        if reviewer:
            expect(desks[-1].facts).to_contain_text(f"of {store.progress('may').posts}")
        return desks[-1]

    yield opened
    for desk in desks:
        desk.page.context.close()
    assert [desk.alarms for desk in desks if desk.alarms] == []


@pytest.fixture
def page(browser: Browser, app_url: str) -> Iterator[Page]:
    """The app at 1280x800. Whatever script a test smuggles in sets window.__xss or opens a dialog."""
    page = live.new_page(browser)
    try:
        alarms: list[str] = []
        page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: alarms.append(str(error)))
        live.open_page(page, app_url)
        yield page
        assert page.evaluate("window.__xss") is None
        assert alarms == []
    finally:  # a page left open goes on asking the app, and slows every test after it
        page.context.close()

"""Take the docs' screenshots from a real browser: ``python -m tests.browser.screenshots [FOLDER]``.

Writes pictures of the Extract, Predict, Compare, Why and Review tabs (1280 x 800) into docs/, or into FOLDER.
"""

import sys
from pathlib import Path

from playwright.sync_api import Page

from tests.browser import live
from tests.browser.desk import Desk

SIZE = {"width": 1280, "height": 800}


def shoot_extract(page: Page, url: str, folder: Path) -> None:
    """The front door in light: entities, relations as arcs and a graph; a chosen entity in dark."""
    for file, theme, choose in (
        ("screenshot-extract.png", "light", False),
        ("screenshot-extract-edit.png", "dark", True),
    ):
        live.open_page(page, f"{url}/?__theme={theme}", tab="Extract")
        page.get_by_role("button", name="Falcon 9").click()
        page.locator("#result .xt-chip").first.wait_for(timeout=live.WAIT)
        live.settle(page)
        if choose:
            page.locator("#result .xt-chip").first.click()
        save(page, folder / file, "#result" if choose else "body")


def shoot_predict(page: Page, url: str, folder: Path) -> None:
    """An entity answer in light mode and a relation answer in dark mode."""
    for file, theme, button, wanted in (
        ("screenshot-predict.png", "light", "Entities", ".mm-tweet"),
        ("screenshot-predict-relation.png", "dark", "Relation", ".mm-bars"),
    ):
        live.open_page(page, f"{url}/?__theme={theme}")
        page.get_by_role("button", name=button).first.click()
        page.locator(f"#predict-result {wanted}").wait_for(timeout=live.WAIT)
        save(page, folder / file)


def shoot_why(page: Page, url: str, folder: Path) -> None:
    """A comparison of entities and why one of its answers came about, in light; a relation's in dark."""
    live.open_page(page, f"{url}/?__theme=light")
    page.get_by_role("button", name="Entities").first.click()
    page.locator("#predict-result .mm-tweet").wait_for(timeout=live.WAIT)
    page.locator("#to-compare").click()
    page.locator("#comparison .mm-compare tbody tr").first.wait_for(timeout=live.WAIT)
    save(page, folder / "screenshot-compare.png")
    page.locator("#comparison button[data-column]").first.click()
    show_why(page, folder / "screenshot-why.png", "#why-fusion")
    live.open_page(page, f"{url}/?__theme=dark")
    page.get_by_role("button", name="Relation").first.click()
    page.locator("#predict-result .mm-bars").wait_for(timeout=live.WAIT)
    page.locator("#to-why").click()
    show_why(page, folder / "screenshot-why-relation.png", "#why-photo")


def shoot_review(page: Page, url: str, folder: Path) -> None:
    """Our own example posts, predicted; two entities of the first one are related by keys."""
    live.open_page(page, f"{url}/?__theme=light")
    desk = Desk(page)
    desk.open()
    tool = desk.tool("Try the examples")
    tool.get_by_role("button", name="Load the examples").click()
    desk.name("Ann")
    desk.words.wait_for(timeout=live.WAIT)
    desk.words.focus()
    desk.press("l", "1", "3", "Escape")
    desk.words.locator(".ar-name").wait_for()
    save(page, folder / "screenshot-review.png")


def show_why(page: Page, file: Path, section: str) -> None:
    page.locator("#why-fusion .mm-figure img").first.wait_for(timeout=live.WAIT)
    page.locator("#why-cases").get_by_text("without the photo").first.wait_for(timeout=live.WAIT)
    save(page, file, section)


def save(page: Page, file: Path, top: str = "body") -> None:
    """The page at rest, from one of its elements downwards."""
    page.mouse.move(0, 0)  # no button in its hovered state
    page.evaluate("top => (document.activeElement.blur(), document.querySelector(top).scrollIntoView())", top)
    page.wait_for_timeout(1000)  # the photo fades in
    page.screenshot(path=file)
    print(file)


def main() -> None:
    """Start the app and a browser, and photograph."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else live.ROOT / "docs"
    folder.mkdir(parents=True, exist_ok=True)
    with live.running_app(MMDEMO_PRESET="base") as url, live.running_browser() as browser:
        shoot_extract(live.new_page(browser, viewport=SIZE), url, folder)
        shoot_predict(live.new_page(browser, viewport=SIZE), url, folder)
        shoot_why(live.new_page(browser, viewport=SIZE), url, folder)
        shoot_review(live.new_page(browser, viewport=SIZE), url, folder)


if __name__ == "__main__":
    main()

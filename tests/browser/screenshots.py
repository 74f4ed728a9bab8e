"""Take the README's screenshots from a real browser: ``python -m tests.browser.screenshots [FOLDER]``.

Writes predict tab pictures (1280 x 800) into docs/, or into FOLDER.
"""

import sys
from pathlib import Path

from playwright.sync_api import Page

from tests.browser import live

SIZE = {"width": 1280, "height": 800}


def shoot_predict(page: Page, url: str, folder: Path) -> None:
    """An entity answer in light mode and a relation answer in dark mode."""
    for file, theme, button, wanted in (
        ("screenshot-predict.png", "light", "Entities", ".mm-tweet"),
        ("screenshot-predict-relation.png", "dark", "Relation", ".mm-bars"),
    ):
        live.open_page(page, f"{url}/?__theme={theme}")
        page.get_by_role("button", name=button).first.click()
        page.locator(f"#result {wanted}").wait_for(timeout=live.WAIT)
        page.mouse.move(0, 0)  # no button in its hovered state
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.wait_for_timeout(1000)  # the photo fades in
        page.screenshot(path=folder / file)
        print(folder / file)


def main() -> None:
    """Start the app and a browser, and photograph."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else live.ROOT / "docs"
    folder.mkdir(parents=True, exist_ok=True)
    with live.running_app() as url, live.running_browser() as browser:
        shoot_predict(browser.new_page(viewport=SIZE), url, folder)


if __name__ == "__main__":
    main()

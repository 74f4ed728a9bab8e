"""The Review tab's desk, driven as a reviewer would: names for its parts and for what is done with them."""

import re
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from mmdemo.datasets.schema import Dataset
from tests.browser import live


class Desk:
    """One reviewer's page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.words = page.get_by_role("listbox", name="Words of the post")
        self.facts = page.locator(".rv-facts")
        self.done = page.locator(".rv-done")
        self.told = page.locator(".rv-live")
        self.spans = page.locator("[data-at=spans] .rv-part")

    def open(self) -> None:
        """Show the tab; a narrow or slow page may still be drawing it."""
        self.page.get_by_role("tab", name="Review", exact=True).click()
        expect(self.page.locator(".rv-empty b")).not_to_have_text(re.compile("Loading"))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def settled(self, text: str) -> None:
        """Wait until the desk has told a screen reader this."""
        expect(self.told).to_contain_text(text)

    def spoken(self) -> list[str]:
        """What a screen reader hears of each word."""
        found = self.words.get_by_role("option").all()
        return [str(word.get_attribute("aria-label")) for word in found]

    def tool(self, name: str) -> Locator:
        """The panel of a tool below the desk, opened."""
        tools = self.page.locator("#review-tools")
        tools.get_by_role("tab", name=name, exact=True).click()
        return tools.locator("[role=tabpanel]").filter(visible=True)

    def name(self, reviewer: str) -> None:
        """Answer the one question for a name."""
        self.page.get_by_label("Your name", exact=True).fill(reviewer)
        dialog = self.page.get_by_role("dialog", name="Who is reviewing?")
        dialog.get_by_role("button", name="Start reviewing").click()

    def add(
        self,
        files: Sequence[Path],
        queue: str,
        dataset: Dataset,
        reviewer: str | None = None,
        described: Path | None = None,
    ) -> str:
        """Upload files of posts into a queue, and one of what their photos show; what the page says of it."""
        tool = self.tool("Add posts")
        self._upload(tool.locator("#review-files"), files)
        if described is not None:
            tool.get_by_label("A file of its own tells what the photos show").check()
            self._upload(tool.locator("#review-descriptions"), [described])
        if tool.get_by_label("Labels of a new queue").input_value() != dataset.title:
            live.pick(self.page, "Labels of a new queue", dataset.title)
        tool.get_by_label("Queue", exact=True).fill(queue)
        tool.get_by_role("button", name="Add posts").click()
        if reviewer:
            self.name(reviewer)
        return self.answer(tool, f"added to “{queue}”")

    def _upload(self, field: Locator, files: Sequence[Path]) -> None:
        clear = field.get_by_role("button", name="Clear")
        if clear.is_visible():
            clear.click()
        with self.page.expect_response(lambda r: "/upload" in r.url and r.request.method == "POST"):
            field.locator("input[type=file]").set_input_files(files)
        expect(field.get_by_text(files[0].stem, exact=True)).to_be_visible()

    def answer(self, tool: Locator, wanted: str) -> str:
        """What a tool says below its button, once it holds ``wanted``."""
        said = tool.locator(".rv-told, .mm-error").filter(has_text=wanted)
        expect(said).to_be_visible()
        return said.inner_text()

    def export(self, form: str) -> Path:
        """Download the decided posts in a format."""
        tool = self.tool("Export")
        link = tool.locator("#review-download a[download]")
        if not tool.get_by_label("Format", exact=True).input_value().startswith(f"{form}:"):
            tool.get_by_label("Format", exact=True).click()
            self.page.get_by_role("option", name=re.compile(f"^{form}:")).click()
            expect(link).to_have_count(0)  # a file in another format is not offered under this one
        tool.get_by_role("button", name="Export", exact=True).click()
        self.answer(tool, f"written as {form} and read back")
        with self.page.expect_download() as saved:
            link.first.click()
        return Path(saved.value.path())


def swipe(desk: Desk, start: Locator, end: Locator) -> None:
    """A finger put on one place, drawn to another and lifted."""
    places = []
    for place in (start, end):
        place.scroll_into_view_if_needed()
        box = place.bounding_box()
        assert box
        places.append({"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2})
    session = desk.page.context.new_cdp_session(desk.page)
    still = ("touchMove", places[1:])  # held at its end: a finger lifted on its way would throw the page
    for kind, points in (("touchStart", places[:1]), still, still, ("touchEnd", [])):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        desk.page.wait_for_timeout(150)
    desk.page.wait_for_timeout(700)  # a tap sooner would be the second of a double tap

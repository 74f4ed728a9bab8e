"""Every tab, filled, in light and dark, on desktop and phone, before axe-core; and the page by keys alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image
from playwright.sync_api import Page, expect

from mmdemo.formats import jsonl
from mmdemo.types import PhotoWords, Post
from tests.browser import hostile, live
from tests.browser.desk import Desk
from tests.review.conftest import TWEETS, question

pytestmark = pytest.mark.browser

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
#: (rule, selector) of findings in Gradio's own parts that neither a style nor a setting can mend.
EXCLUDED = {
    # gr.Dataframe's search box: named by its title alone; Gradio offers no label for it.
    ("label-title-only", ".search-input"),
    # gr.ImageEditor's frame: a named div without a role, which counts until its canvas is drawn.
    ("aria-prohibited-attr", 'div[aria-label="Click to upload or drop files"]'),
    # gr.File's button for more files, once it has some: its own file input stands inside.
    ("nested-interactive", 'button[aria-label="common.upload"]'),
}
#: Runs axe under one theme. Colours change without a transition, so that none is measured half-way.
SCAN = """async (dark) => {
    document.body.classList.toggle('dark', dark);
    document.activeElement.blur();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)));
    const found = await axe.run(document, { resultTypes: ['violations'] });
    const { scrollWidth, clientWidth } = document.documentElement;
    return { violations: found.violations, over: scrollWidth - clientWidth };
}"""
#: The focused element, and whether a person sees that it is: by our outline.
FOCUS = """() => {
    const at = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(at);
    const inside = (selector) => at.closest(selector) !== null;
    return {
        what: at.outerHTML.slice(0, 120),
        tab: at.getAttribute('role') === 'tab' ? at.innerText.trim() : '',
        text: inside('#predict-text'), button: inside('#predict-go'), result: inside('#predict-result'),
        seen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
    };
}"""


def findings(page: Page) -> list[str]:
    """What axe finds, but for minor matters and ``EXCLUDED``, and what is wider than the screen."""
    found = []
    live.settle(page)  # what is being answered is drawn faint
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        page.mouse.move(0, 0)
        for dark in (False, True):
            seen = page.evaluate(SCAN, dark)
            where = f"{size['width']} wide, {'dark' if dark else 'light'}"
            found += [f"{where}: {text}" for text in map(_line, _counted(seen["violations"])) if text]
            if seen["over"] > 0:
                found.append(f"{where}: {seen['over']} px too wide")
    page.set_viewport_size(DESKTOP)
    return found


def _counted(violations: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(rule, node) of every finding that counts."""
    return [
        (rule, node)
        for rule in violations
        for node in rule["nodes"]
        if rule["impact"] != "minor" and (rule["id"], str(node["target"][-1])) not in EXCLUDED
    ]


def _line(finding: tuple[dict[str, Any], dict[str, Any]]) -> str:
    rule, node = finding
    return f"{rule['impact']} {rule['id']} at {node['target']}: {node['failureSummary']}"


def test_no_tab_hinders_anyone_in_any_theme_or_width(page: Page) -> None:
    page.evaluate(AXE_SCRIPT)
    page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    found = {}
    page.get_by_role("tab", name="Extract", exact=True).click()
    page.get_by_role("button", name="Grace Hopper").click()
    expect(page.locator("#result .xt-chip").first).to_be_visible()
    live.settle(page)
    for summary in page.locator("#extract-below summary").all():
        summary.click()
    page.locator("#result .xt-chip").first.click()
    page.locator("#result .xt-chip").nth(1).click()
    found["Extract"] = findings(page)

    page.get_by_role("tab", name="Predict", exact=True).click()
    page.get_by_role("button", name="Relation").first.click()
    expect(page.locator("#predict-result .mm-bars")).to_be_visible()
    page.get_by_text("Result as JSON").filter(visible=True).click()
    expect(page.locator("#result-json .json-node").first).to_be_visible()
    found["Predict"] = findings(page)

    page.locator("#to-compare").click()
    expect(page.locator("#comparison .mm-compare tbody tr").first).to_be_visible()
    found["Compare"] = findings(page)

    page.get_by_role("tab", name="Why", exact=True).click()
    page.locator("#explain").click()
    expect(page.locator("#why-fusion .mm-figure img").first).to_be_visible()
    page.get_by_text("Imagine it otherwise yourself").click()
    expect(page.get_by_label("by this word")).to_be_visible()
    found["Why"] = findings(page)

    desk = Desk(page)
    desk.open()
    desk.tool("Try the examples").get_by_role("button", name="Load the examples").click()
    desk.name("Ann")
    expect(desk.words).to_be_visible()
    desk.words.focus()
    desk.press("ArrowDown")
    found["Review"] = findings(page)

    page.get_by_role("tab", name="Results", exact=True).click()
    page.locator("#zoo-table [role=gridcell]").filter(visible=True).first.click()
    expect(page.locator("#zoo-detail .mm-card")).to_be_visible()
    found["Results"] = findings(page)

    for name in set(tabs(page)) - found.keys():  # a tab that nothing above has filled: as it opens
        page.get_by_role("tab", name=name, exact=True).click()
        found[name] = findings(page)
    assert {tab: lines for tab, lines in found.items() if lines} == {}


def tabs(page: Page) -> list[str]:
    """The names of all tabs, in order."""
    return [name.strip() for name in page.get_by_role("tab").all_inner_texts()]


def test_the_words_of_a_photo_hinder_nobody_on_the_desk(page: Page, tmp_path: Path) -> None:
    """Uploaded with their post: a sign in its own file; descriptions, one of them hostile, in another."""
    page.evaluate(AXE_SCRIPT)
    page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    sign, text = tmp_path / "sign.png", "Ann sings"
    Image.new("RGB", (400, 200), "#d8d8d8").save(sign)
    said = (PhotoWords(source="ocr", text="PADRES", score=0.8, box=(0.1, 0.25, 0.5, 0.5), by="rapidocr"),)
    post = Post(text=text, tokens=tuple(text.split()), id="a", image=Path(sign.name), photo_words=said)
    jsonl.write(tmp_path / "posts.jsonl", [question(post)], TWEETS)
    described = tmp_path / "alt.jsonl"
    lines = {"image_id": "sign", "alt_text": hostile.TEXT, "blip2": "a sign by a field"}
    described.write_text(json.dumps(lines) + "\n")
    desk = Desk(page)
    desk.open()
    desk.add([tmp_path / "posts.jsonl", sign], "signs", TWEETS, "Ann", described)
    expect(page.get_by_text("words of the photo: 1 of 1 post")).to_be_visible()
    fields = page.locator(".rv-said .pw-part input")
    expect(fields).to_have_count(3)
    expect(page.locator(".rv-photo .pw-box")).to_have_count(1)
    fields.first.focus()
    assert "\n".join(findings(page)) == ""
    page.get_by_role("button", name="Leave out “PADRES”").click()
    expect(fields).to_have_count(2)
    assert "\n".join(findings(page)) == ""


def walk(page: Page, key: str, arrived: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Press a key until the focus is where it should be; every stop on the way must be seen to have it."""
    hidden = []
    for _ in range(60):
        page.keyboard.press(key)
        at: dict[str, Any] = page.evaluate(FOCUS)
        hidden += [] if at["seen"] else [at["what"]]
        if arrived(at):
            assert hidden == []
            return at
    raise AssertionError(f"60 times {key} did not lead there; now at {at['what']}")


def test_a_prediction_and_all_tabs_by_keys_alone(page: Page) -> None:
    walk(page, "Tab", lambda at: at["text"])
    page.keyboard.type(live.TWEET)
    walk(page, "Tab", lambda at: at["button"])
    page.keyboard.press("Enter")
    expect(page.locator("#predict-result .mm-span").first).to_contain_text("Kevin Durant")
    walk(page, "Tab", lambda at: at["result"])
    assert len(tabs(page)) > 1
    for name in reversed(tabs(page)):
        walk(page, "Shift+Tab", lambda at, name=name: at["tab"] == name)
        page.keyboard.press("Enter")
        expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")

"""The Extract tab in a real browser, with the checkpoints that ship; their scores are not looked at."""

import random
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser import hostile, live

pytestmark = pytest.mark.browser

STARS = "Lauren Bacall and Humphrey Bogart on the set of Key Largo"
CHIPS, ARCS = "#result .xt-chip", "#result .ar-arc"
TOOL = "#result .xt-tool:visible"


@pytest.fixture
def front(page: Page, app_url: str) -> Iterator[Page]:
    """The app as a visitor finds it."""
    live.open_page(page, app_url, tab="Extract")
    yield page


def extract(page: Page, text: str) -> None:
    page.locator("#post-text textarea").fill(text)
    page.locator("#predict").click()
    expect(page.locator("#result .xt")).to_be_visible()
    live.settle(page)


def labels(page: Page) -> list[str]:
    return [text.split()[0] for text in page.locator(CHIPS).all_inner_texts()]


def words_of(page: Page) -> list[str]:
    """Each entity's words, without its chip."""
    return page.locator("#result .xt-mark bdi").all_inner_texts()


def choose(page: Page, name: str) -> Locator:
    """Choose an entity by its words; its tools."""
    page.locator("#result .xt-mark").filter(has_text=name).locator(".xt-w").first.click()
    return page.get_by_role("region", name=f"The entity {name}")


def retype(page: Page, name: str, label: str) -> None:
    tool = choose(page, name)
    tool.get_by_role("group", name="Type").get_by_role("button", name=label, exact=True).click()
    expect(page.locator(CHIPS).filter(has_text="by you")).not_to_have_count(0)
    live.settle(page)


def test_the_front_door_answers_entities_and_relations_and_why_in_three_clicks(page, app_url):
    page.goto(app_url)
    expect(page.get_by_role("tab", name="Extract")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Grace Hopper").click()
    expect(page.locator(CHIPS).first).to_be_visible()
    expect(page.locator("#extract-by")).to_contain_text(re.compile("Entities by .*, relations by "))
    page.locator("#extract-below").get_by_role("button", name=re.compile("^Why is")).first.click()
    expect(page.locator("#why-headline")).to_contain_text("Why")
    expect(page.get_by_role("tab", name="Why", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#why-fusion .mm-figure img").first).to_be_visible()


def test_entities_stand_in_the_text_and_each_relation_is_drawn_listed_and_told_as_json(front):
    extract(front, STARS)
    assert {"Lauren Bacall", "Humphrey Bogart"} <= set(words_of(front))
    assert all(re.search(r"\d%", text) for text in front.locator(CHIPS).all_inner_texts())
    listed = front.locator("#extract-below li[data-relation]")
    ids = [row.get_attribute("data-relation") for row in listed.all()]
    assert {arc.get_attribute("data-relation") for arc in front.locator(ARCS).all()} == set(ids)
    assert front.locator("#extract-below .ar-edge").count() == len(ids)
    front.get_by_text("Result as JSON").filter(visible=True).click()
    expect(front.locator("#extract-json")).to_contain_text('"relations"')
    front.get_by_text("Word by word").click()
    expect(front.locator(".xt-table tbody tr")).to_have_count(len(STARS.split()))


def test_an_edit_of_an_entity_is_followed_by_the_relations(front):
    extract(front, STARS)
    retype(front, "Humphrey Bogart", "LOC")
    assert "LOC" in labels(front)
    allowed = front.locator("#extract-below li[data-relation]").filter(has_text="Humphrey Bogart")
    assert all("peer" not in row for row in allowed.all_inner_texts()), "a place is nobody's peer"
    tool = front.get_by_role("region", name="The entity Humphrey Bogart")
    expect(tool).to_be_visible()  # it is still the chosen one
    tool.get_by_role("button", name="Humphrey Bogart: start earlier").click()
    expect(front.get_by_role("region", name="The entity and Humphrey Bogart")).to_be_visible()
    front.get_by_role("button", name="Remove and Humphrey Bogart").click()
    expect(front.locator(CHIPS).filter(has_text="LOC")).to_have_count(0)
    assert "and Humphrey Bogart" not in words_of(front)


def test_bounds_are_mended_by_dragging(front):
    extract(front, STARS)
    choose(front, "Lauren Bacall")
    grip = front.locator(".xt-grip[data-side=end]").bounding_box()
    word = front.locator(".xt-w", has_text=re.compile("^and$")).bounding_box()
    front.mouse.move(grip["x"] + 3, grip["y"] + 8)
    front.mouse.down()
    front.mouse.move(word["x"] + word["width"] / 2, word["y"] + word["height"] / 2, steps=5)
    front.mouse.up()
    expect(front.get_by_role("region", name="The entity Lauren Bacall and")).to_be_visible()
    expect(front.locator(CHIPS).first).to_contain_text("by you")


def test_a_word_becomes_an_entity_and_two_entities_are_asked_for_their_relation(front):
    extract(front, STARS)
    front.locator(".xt-w", has_text=re.compile("^set$")).click()
    before = front.locator(CHIPS).count()
    front.locator(TOOL).get_by_role("button", name="MISC", exact=True).click()
    expect(front.locator(CHIPS)).to_have_count(before + 1)
    front.keyboard.press("Escape")
    choose(front, "set")
    choose(front, "Lauren Bacall")
    pair = front.locator("#result [data-for^=r]:visible, #extract-pair .xt-pair:visible")
    expect(pair).to_contain_text("Lauren Bacall")
    expect(pair.locator(".mm-bars li")).to_have_count(5)
    pair.get_by_role("button", name="Ask the other way").click()
    expect(front.locator("#extract-pair h4 bdi").first).to_have_text("Lauren Bacall")


def test_marks_ask_for_their_pairs_alone(front):
    extract(front, "[E1] Lauren Bacall [/E1] and [E2] Humphrey Bogart [/E2] met [E2] John Huston [/E2]")
    told = front.locator("#extract-below li[data-relation]").count()
    silent = front.locator("#extract-below .xt-more summary").filter(has_text="without a relation")
    left = int(silent.inner_text().split()[0]) if silent.count() else 0
    assert told + left == 2


def test_a_relation_lit_up_dims_the_others_and_is_chosen_by_a_click(front):
    extract(front, f"{STARS}, with John Huston in Florida")
    arc = front.locator(ARCS).first
    arc.locator(".ar-name").hover()
    expect(front.locator("#result .ar-arcs")).to_have_class(re.compile("ar-dim"))
    expect(arc).to_have_class(re.compile("ar-lit"))
    arc.locator(".ar-name").click()
    expect(front.locator(f"{TOOL}[aria-label='A relation'] .mm-bars li").first).to_be_visible()


def test_an_answer_goes_to_review_and_a_link_brings_its_question_back(front, app_url, tmp_path):
    photo = tmp_path / "photo.png"
    Image.new("RGB", (320, 240), "#336699").save(photo)
    with front.expect_response(lambda r: "/upload" in r.url and r.request.method == "POST"):
        front.locator("#photo input[type=file]").set_input_files(photo)
    front.locator("#photo img").wait_for()
    extract(front, STARS)
    front.get_by_role("button", name="Send to review").first.click()
    front.get_by_label("Queue", exact=True).fill("stars")
    front.get_by_label("Reviewer", exact=True).fill("Ann")
    front.locator("#extract-review").click()
    expect(front.locator("#extract-sent")).to_contain_text("“stars”; the Review tab shows it")

    front.get_by_role("button", name="Copy a link").click()
    link = front.locator("#extract-link")
    expect(link).not_to_be_empty()
    front.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    front.get_by_role("button", name="Copy a link").click()
    expect(link).to_contain_text("photo=")
    address = link.inner_text()
    front.get_by_role("tab", name="Review", exact=True).click()
    expect(front.get_by_role("listbox", name="Words of the post")).to_contain_text("Bogart")

    live.open_page(front, address, tab="Extract")
    expect(front.locator("#post-text textarea")).to_have_value(STARS)
    expect(front.locator("#photo img")).to_be_visible()
    expect(front.locator("#result")).to_contain_text("No answer yet")
    live.open_page(front, re.sub("photo=.{8}", "photo=00000000", address), tab="Extract")
    expect(front.locator("#extract-told")).to_contain_text("not kept here any more")


def test_a_post_is_answered_mended_and_asked_by_keys_alone(front):
    front.locator("#post-text textarea").focus()
    front.keyboard.type(STARS)
    front.keyboard.press("Control+Enter")
    expect(front.locator(CHIPS).first).to_be_visible()
    live.settle(front)

    def to(selector: str) -> None:
        for _ in range(80):
            front.keyboard.press("Tab")
            if front.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"Tab did not lead to {selector}")

    front.locator("#post-text textarea").focus()
    to(".xt-chip[data-start='0']")
    front.keyboard.press("Enter")
    to(".xt-tool .xt-type[data-label='ORG']")
    front.keyboard.press("Enter")
    expect(front.locator(CHIPS).first).to_contain_text("ORG by you")
    front.wait_for_function("document.activeElement.matches('.xt-type[data-label=ORG]')")
    to("[data-act=bounds][aria-label$='end earlier']")
    front.keyboard.press("Enter")
    expect(front.get_by_role("region", name="The entity Lauren", exact=True)).to_be_visible()
    front.keyboard.press("Escape")
    front.wait_for_function("document.activeElement.matches('.xt-chip')")
    before = front.locator(CHIPS).count()
    front.keyboard.press("Delete")
    expect(front.locator(CHIPS)).to_have_count(before - 1)
    front.locator("#post-text textarea").focus()
    to("#extract-below .xt-why")
    front.keyboard.press("Enter")
    expect(front.get_by_role("tab", name="Why", exact=True)).to_have_attribute("aria-selected", "true")


def test_hostile_text_stays_text_in_every_part(browser, app_url):
    with hostile.watched(browser) as page:
        live.open_page(page, app_url, tab="Extract")
        extract(page, f"Ann met {hostile.TEXT} in Rome")
        page.locator(".xt-w", has_text="onerror").first.click()
        page.locator(TOOL).get_by_role("button", name="PER", exact=True).click()
        expect(page.locator(CHIPS).filter(has_text="by you")).to_have_count(1)
        live.settle(page)
        hostile.untouched(page)


def test_arcs_in_one_lane_never_meet(front):
    """Over random spans: apart in each lane, and no more lanes than lie over one another somewhere."""
    deal = random.Random(1337)
    for _ in range(200):
        spans = []
        for _ in range(deal.randint(0, 14)):
            start = deal.uniform(0, 900)
            spans.append({"from": start, "to": start + deal.uniform(1, 400)})
        lanes = front.evaluate("spans => window.mmarcs.lanes(spans)", spans)
        assert len(lanes) == len(spans)
        for i, one in enumerate(spans):
            for j, other in enumerate(spans[:i]):
                if lanes[i] == lanes[j]:
                    assert one["to"] + 4 <= other["from"] or other["to"] + 4 <= one["from"]
        assert set(lanes) == set(range(len(set(lanes)))), "no lane is left empty"


def test_drawn_arcs_do_not_touch_on_a_wide_or_a_narrow_screen(front):
    extract(front, f"{STARS}, with John Huston in Florida and Claire Trevor from New York")
    for width in (1280, 390):
        front.set_viewport_size({"width": width, "height": 800})
        front.wait_for_timeout(400)
        names = front.locator(f"{ARCS} .ar-name").evaluate_all(
            "all => all.map((e) => { const b = e.getBoundingClientRect();"
            " return [b.left, b.top, b.right, b.bottom]; })"
        )
        words = front.locator("#result .xt-w").evaluate_all(
            "all => all.map((e) => { const b = e.getClientRects()[0];"
            " return [b.left, b.top + 4, b.right, b.bottom - 4]; })"
        )
        assert names
        for i, name in enumerate(names):
            for other in [*names[:i], *words]:
                apart = (
                    name[2] <= other[0] or other[2] <= name[0] or name[3] <= other[1] or other[3] <= name[1]
                )
                assert apart, (width, name, other)
        assert front.evaluate("document.documentElement.scrollWidth") <= width

"""Whatever strangers name or write, in a browser without a policy: shown as it is, run nowhere."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mmdemo.cells.locate import SHIPPED
from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.jsonl import FORMAT as JSON_LINES
from mmdemo.review.store.reviews import open_store
from mmdemo.types import Ask, Post, Question
from tests.browser import live
from tests.browser.desk import Desk
from tests.browser.hostile import FILE, NAME, REVIEWER, TEXT, photo, untouched, watched

pytestmark = pytest.mark.browser

#: Whose cells say hostile things of themselves.
GROUP = "lite/twitter2017/roberta-resnet50"


def hostile_zoo(root: Path) -> Path:
    """The shipped checkpoints as links, `GROUP`'s cards and figures as a stranger would write them."""
    shutil.copytree(SHIPPED, root, copy_function=os.symlink)
    for file in root.glob(f"{GROUP}/*/metrics.json"):
        metrics = json.loads(file.read_text(encoding="utf-8"))
        metrics |= dict.fromkeys(("data", "command", "seed", "commit"), TEXT)
        metrics["photo_effect"]["slices"][0]["name"] = TEXT
        for state in ("photo", "none"):
            classes = metrics["splits"]["test"][state]["per_class"]
            metrics["splits"]["test"][state]["per_class"] = {
                (TEXT if name == "PER" else name): row for name, row in classes.items()
            }
        file.unlink()
        file.write_text(json.dumps(metrics), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "reviews.sqlite3"


@pytest.fixture(scope="module")
def app_url(reviews: Path) -> Iterator[str]:
    zoo = hostile_zoo(reviews.parent / "zoo")
    with live.running_app(reviews, MMDEMO_CHECKPOINTS=str(zoo)) as url:
        yield url


@pytest.fixture
def page(browser: Browser, app_url: str) -> Iterator[Page]:
    with watched(browser) as page:
        live.open_page(page, app_url)
        yield page


# --- checkpoints from elsewhere ------------------------------------------------------------------


def test_a_strangers_card_and_figures_are_text(page):
    card = page.locator("#card")
    expect(card).to_contain_text(f"{GROUP}/film")
    expect(card).to_contain_text(TEXT)
    card.locator("summary").click()
    expect(card.locator("details code")).to_have_text([TEXT] * 3)
    page.get_by_role("tab", name="Results", exact=True).click()
    page.locator("#zoo-dataset").get_by_label("Twitter2017").check()
    cell = page.locator("#zoo-table [role=gridcell]").filter(visible=True).first
    expect(cell).to_have_text("Twitter2017")
    cell.click()  # the first cell's row, which is of `GROUP`
    detail = page.locator("#zoo-detail")
    expect(detail).to_contain_text(TEXT)
    expect(detail.locator("th", has_text="window.__xss=1")).to_have_count(2)  # a slice and a class


# --- a post and its photo ------------------------------------------------------------------------


def test_a_post_its_photos_name_and_its_exif_are_text_on_every_tab(page, browser, tmp_path):
    live.upload(page, photo(tmp_path / f"{FILE}.jpg"))
    live.write(page, f"Kevin Durant {TEXT} met Angela Merkel")
    page.get_by_text("Result as JSON").filter(visible=True).click()
    live.predict(page)
    result = page.locator("#predict-result")
    expect(result).to_contain_text("read with the photo")
    expect(result.locator(".mm-tweet")).to_contain_text(
        "<img src=x onerror=window.__xss=1> ${window.__xss=1}"
    )
    untouched(page)

    page.locator("#to-compare").click()
    expect(page.locator("#comparison table").first).to_be_visible()
    expect(page.locator("#compare-post .mm-tweet")).to_contain_text(
        "</script><script>window.__xss=1</script>"
    )
    untouched(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as one HTML file").click()
    file = tmp_path / "comparison.html"
    saved.value.save_as(file)
    with watched(browser) as alone:  # from a disk, by whoever was sent it
        alone.goto(file.as_uri())
        expect(alone.locator(".mm-post")).to_contain_text("</script><script>window.__xss=1</script>")
        alone.get_by_text("Checkpoints", exact=True).click()
        expect(alone.get_by_text("Trained with")).to_contain_text(TEXT)
        alone.get_by_text("Numbers as JSON").click()
        expect(alone.locator("pre")).to_contain_text('"checkpoint"')

    page.get_by_role("tab", name="Why", exact=True).click()
    page.locator("#explain").click()
    expect(page.locator("#why-cases")).to_contain_text("without the photo")
    expect(page.locator("#why-post .mm-tweet")).to_contain_text("${window.__xss=1}")
    page.locator("#why-target input").click()
    expect(page.get_by_role("option").filter(has_text="word “").first).to_be_visible()
    untouched(page)
    page.keyboard.press("Escape")
    imagine_otherwise(page)


def imagine_otherwise(page: Page) -> None:
    """Leave a hostile word out, and set one in another's place."""
    page.locator("#imagine").get_by_text("Imagine it otherwise yourself").click()
    page.locator("#mask-words input").click()
    page.get_by_role("option").filter(has_text="xss").first.click()
    page.keyboard.press("Escape")
    page.locator("#replace-word input").click()
    page.get_by_role("option").filter(has_text="Durant").last.click()
    page.get_by_label("by this word").fill("<img/src=x/onerror=window.__xss=1>${window.__xss=1}")
    page.locator("#imagine-ask").click()
    expect(page.locator("#imagined tbody tr").first).to_be_visible()
    expect(page.locator("#imagined")).to_contain_text("<img/src=x/onerror=window.__xss=1>${window.__xss=1}")


def test_a_link_with_hostile_parts_is_text(page, app_url):
    query = {
        "dataset": TEXT,
        "model": "javascript:window.__xss=1",
        "fusion": NAME,
        "across": NAME,
        "text": TEXT,
    }
    pairs = "&".join(f"{name}={page.evaluate('encodeURIComponent', value)}" for name, value in query.items())
    live.open_page(page, f"{app_url}/?{pairs}")
    expect(page.locator("#predict-text textarea")).to_have_value(TEXT)


# --- uploads at their own address ----------------------------------------------------------------

UPLOAD = """async ([name, kind, text]) => {
  const form = new FormData();
  form.append('files', new File([text], name, {type: kind}));
  const reply = await fetch('/gradio_api/upload', {method: 'POST', body: form});
  return (await reply.json())[0];
}"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" onload="window.__xss=1"><script>window.__xss=1</script></svg>'
PAGES = {
    "page.html": ("text/html", "<script>window.__xss=1</script>"),
    "page.xhtml": (
        "application/xhtml+xml",
        '<html xmlns="http://www.w3.org/1999/xhtml"><script>window.__xss=1</script></html>',
    ),
    "picture.svg": ("image/svg+xml", SVG),
    "picture.jpg": ("image/jpeg", SVG),  # sniffed, it would be a page
    "text.xml": ("text/xml", f'<x xmlns:h="http://www.w3.org/1999/xhtml">{SVG}</x>'),
}


def test_an_uploaded_page_does_not_open_as_one(page, app_url):
    opened = []
    for name, (kind, text) in PAGES.items():
        path = page.evaluate(UPLOAD, [name, kind, text])
        reply = page.request.get(f"{app_url}/gradio_api/file={path}")
        assert reply.status == 200 and reply.headers["x-content-type-options"] == "nosniff", name
        if "attachment" in reply.headers["content-disposition"]:
            with page.expect_download():
                page.evaluate("(address) => { location.href = address; }", f"/gradio_api/file={path}")
        else:
            assert reply.headers["content-type"].startswith("image/jpeg"), name
            opened.append(path)
    assert len(opened) == 1
    page.goto(f"{app_url}/gradio_api/file={opened[0]}")


# --- review --------------------------------------------------------------------------------------


def hostile_posts(folder: Path) -> list[Path]:
    """A file of two posts and their photos: words, ids, EXIF and one photo's name hostile."""
    photos = [photo(folder / name) for name in (f"{FILE}.jpg", "plain.jpg")]
    words = tuple(TEXT.split(" "))
    posts = [
        Post(text=TEXT, tokens=words, id=f"{TEXT} {number}", image=picture.name)
        for number, picture in enumerate(photos)
    ]
    file = folder / "posts.jsonl"
    JSON_LINES.write(file, [Question(post=post, ask=Ask()) for post in posts], find_dataset("twitter2017"))
    return [file, *photos]


def test_queues_reviewers_ids_and_photos_are_text(page, tmp_path):
    desk = Desk(page)
    desk.open()
    desk.add(hostile_posts(tmp_path), NAME, find_dataset("twitter2017"), reviewer=REVIEWER)
    expect(desk.facts).to_contain_text("Post 1 of 2")
    expect(page.locator(".mm-notes")).to_contain_text(FILE)  # Gradio has renamed that photo: it is missed
    assert "".join(desk.words.get_by_role("option").all_inner_texts()) == TEXT.replace(" ", "")
    expect(page.locator("[data-at=who]")).to_contain_text(REVIEWER)
    expect(page.locator(".rv-row .rv-excerpt").first).to_contain_text("<img src=x onerror=window.__xss=1>")
    desk.words.get_by_role("option").first.click()
    desk.press("1", "Escape")
    desk.settled("is PER")
    untouched(page)
    desk.press("a")
    expect(desk.facts).to_contain_text("Post 2 of 2")
    expect(page.locator("[data-at=photo] img")).to_be_visible()
    expect(page.locator(".rv-row small").first).to_contain_text(f"by {REVIEWER}")
    desk.press("g")
    expect(page.get_by_role("dialog", name="Guidelines")).to_be_visible()
    desk.press("Escape")
    untouched(page)
    page.reload()
    desk.open()
    page.locator(".rv-more summary").click()
    expect(page.locator("select[name=reviewer] option")).to_have_text(["anyone", REVIEWER])
    page.locator("select[name=reviewer]").select_option(REVIEWER)
    expect(page.locator(".rv-row")).to_have_count(1)
    expect(page.locator(".rv-row small")).to_contain_text(f"by {REVIEWER}")
    page.locator("select[name=reviewer]").select_option("")
    assert "window.__xss=1" in desk.export("jsonl").read_text(encoding="utf-8")


def test_unknown_labels_of_a_file_are_named_as_text(page, tmp_path):
    desk = Desk(page)
    desk.open()
    file = tmp_path / "labels.jsonl"
    entity = {"start": 0, "end": 1, "label": NAME, "text": "Ann"}
    row = {"text": "Ann sings", "tokens": ["Ann", "sings"], "id": TEXT, "entities": [entity]}
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    tool = desk.tool("Add posts")
    tool.locator("#review-files input[type=file]").set_input_files(file)
    expect(tool.get_by_text("labels", exact=True)).to_be_visible()
    tool.get_by_role("button", name="Add posts").click()
    desk.name(REVIEWER)
    expect(tool.locator(".mm-error")).to_contain_text("onerror=window.__xss=1>${window.__xss=1}")


def test_two_hostile_reviewers_in_a_dispute_and_in_the_agreement_are_text(page, reviews):
    queue, names = f"2 {NAME}", (NAME, f"2 {NAME}")
    store = open_store(reviews)
    try:
        store.make_queue(queue, find_dataset("twitter2017"), double=True)
        hostile = Post(text=TEXT, tokens=tuple(TEXT.split(" ")), id=TEXT)
        store.add(queue, [Question(post=hostile, ask=Ask())])
        (post,) = store.page(queue, NAME).reviews
        for name, label in zip(names, ("PER", "LOC"), strict=True):
            answer = {"entities": [{"start": 0, "end": 2, "label": label}], "links": []}
            store.decide(queue, post.key, name, answer, version=post.version)
    finally:
        store.close()
    page.evaluate("(name) => localStorage.setItem('mmreview.name', JSON.stringify(name))", f"3 {NAME}")
    page.evaluate("(name) => sessionStorage.setItem('mmreview.queue', JSON.stringify(name))", queue)
    page.reload()
    desk = Desk(page)
    desk.open()
    expect(page.locator("select[name=mode]")).to_be_visible()  # which a queue of blind reviews alone has
    page.locator("select[name=mode]").select_option("settle")
    expect(page.locator(".rv-disputed")).to_contain_text("<img src=x: PER")
    page.get_by_role("button", name="Take review 2").click()
    tool = desk.tool("Agreement")
    tool.get_by_role("button", name="Measure agreement").click()
    expect(tool.locator("caption")).to_contain_text(NAME)

"""A whole review in a real browser, from import to a retrained model; and two reviewers at once."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect

from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats import jsonl, mnre
from mmdemo.models.config import ModelConfig
from mmdemo.types import Entity, Post, Question
from tests.browser import live
from tests.browser.desk import Desk
from tests.review.conftest import question
from tests.tiny import write_data
from train.cells.run import run
from train.cells.settings import Settings
from train.data.reviewed_posts import read_extra
from train.data.source import DataSource

pytestmark = pytest.mark.browser

#: A tweet that tries everything: markup, templates, a formula, a direction mark, a tower of marks.
HOSTILE = (
    "Ann Lee <img/src=x/onerror=window.__xss=1> ${window.__xss=1} "
    f"{{{{constructor.constructor('window.__xss=1')()}}}} =HYPERLINK(0) \u202eevil Z{chr(0x301) * 5000} Oslo"
)
TWEETS, PAIRS = find_dataset("twitter2017"), find_dataset("mnre")
ENTITIES = 12
RELATIONS = 8


@pytest.fixture
def data(tmp_path, request) -> Path:
    """The real data where it is, else generated posts in the same files."""
    try:
        return request.getfixturevalue("shared_data")
    except pytest.skip.Exception:
        return write_data(tmp_path / "data", posts=24)


def entity(tokens, start, end, label):
    return Entity(start=start, end=end, label=label, text=" ".join(tokens[start:end]))


def entity_files(folder: Path, data: Path) -> list[Path]:
    """The hostile post with wrong suggestions, eleven training posts with gold ones, and their photos."""
    tokens = tuple(HOSTILE.split(" "))
    last = len(tokens) - 1
    wrong = ((0, 1, "PER"), (2, 3, "MISC"), (last, last + 1, "ORG"))
    first = Post(text=HOSTILE, tokens=tokens, id="h", entities=tuple(entity(tokens, *w) for w in wrong))
    posts = DataSource(folder=data).posts(TWEETS, "train")[: ENTITIES - 1]
    photos = {Path(post.image) for post in posts if post.image}
    file = folder / "tweets.jsonl"
    named = [replace(p, image=Path(p.image).name if p.image else None) for p in posts]
    jsonl.write(file, [question(post) for post in (first, *named)], TWEETS)
    return [file, *sorted(photos)]


def relation_file(folder: Path, data: Path) -> Path:
    file = folder / "pairs.txt"
    lines = (data / PAIRS.files.train).read_text(encoding="utf-8").splitlines()[:RELATIONS]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_a_whole_review_by_keyboard_ends_in_a_better_trained_model(page, app_url, tmp_path, data):
    desk = Desk(page)
    desk.open()
    expect(page.locator("dialog")).to_have_count(0)  # nobody is asked for a name before they want to review
    desk.add(entity_files(tmp_path, data), "tweets", TWEETS, reviewer="Ann")
    expect(desk.done).to_have_text(f"0 of {ENTITIES} reviewed")
    correct_the_hostile_post(desk)
    undo_and_redo(desk)
    reject_and_accept(desk)
    accept_in_bulk(desk)
    decided = read_extra(desk.export("jsonl"), TWEETS)
    first = decided[0].post
    assert first.text == HOSTILE and first.image is None
    found = {(e.start, e.end, e.label) for e in first.entities}
    assert found == {(0, 2, "PER"), (len(first.tokens) - 1, len(first.tokens), "LOC")}
    relate(desk, relation_file(tmp_path, data), tmp_path)
    page.get_by_role("combobox", name="Queue", exact=True).select_option("tweets")
    retrain(decided, tmp_path)


def correct_the_hostile_post(desk: Desk) -> None:
    """Move an end, reject, relabel; the draft outlives a reload; then accept the post."""
    expect(desk.facts).to_contain_text(f"Post 1 of {ENTITIES}")
    heard = desk.spoken()
    assert "<img/src=x/onerror=window.__xss=1>" in heard[2] and "${window.__xss=1}" in heard[3]
    assert "constructor" in heard[4] and "U+202E" in heard[6] and "4,995 combining marks" in heard[7]
    assert desk.words.locator("img").count() == 0
    height = desk.words.bounding_box()["height"]
    assert height < 400, "the tower of marks stays inside"
    desk.press("?")
    expect(desk.page.get_by_role("dialog", name="Keys")).to_be_visible()
    desk.press("Escape", "g")
    expect(desk.page.get_by_role("dialog", name="Guidelines")).to_contain_text(
        "A person, or people known by name"
    )
    desk.press("Escape")
    desk.words.focus()
    desk.press("ArrowDown", "Shift+ArrowRight")
    expect(desk.spans.nth(0)).to_contain_text("changed")
    desk.press("ArrowDown", "r")
    expect(desk.spans.nth(1)).to_contain_text("rejected")
    desk.press("2", "Escape")  # rejecting went on to the next undecided part
    expect(desk.spans.nth(2)).to_contain_text("was ORG")
    desk.page.reload()
    desk.open()
    expect(desk.facts).to_contain_text("draft")
    desk.settled("Your draft")
    desk.press("a")
    expect(desk.done).to_have_text(f"1 of {ENTITIES} reviewed")
    expect(desk.facts).to_contain_text(f"Post 2 of {ENTITIES}")


def undo_and_redo(desk: Desk) -> None:
    """Back over the decision into the edits before it, and forward again."""
    desk.press("u")
    desk.settled("Undone: accept a post")
    expect(desk.done).to_have_text(f"0 of {ENTITIES} reviewed")
    desk.press("u")
    desk.settled("Undone: “Oslo” is LOC")
    desk.press("Shift+U")
    desk.settled("Redone: “Oslo” is LOC")
    desk.press("Shift+U")
    desk.settled("Redone: accept a post")
    expect(desk.done).to_have_text(f"1 of {ENTITIES} reviewed")


def reject_and_accept(desk: Desk) -> None:
    """One post rejected by key, one accepted by the mouse; typing in a field does nothing of the kind."""
    expect(desk.facts).to_contain_text(f"Post 2 of {ENTITIES}")
    desk.press("r")
    expect(desk.done).to_have_text(f"2 of {ENTITIES} reviewed")
    desk.page.locator(".rv-more summary").click()
    desk.page.get_by_label("Find").press_sequentially("arnu")
    desk.page.get_by_label("Find").fill("")
    desk.page.locator(".rv-more summary").click()
    expect(desk.facts).to_contain_text(f"Post 3 of {ENTITIES}")
    desk.page.get_by_role("button", name="Accept post").click()
    expect(desk.done).to_have_text(f"3 of {ENTITIES} reviewed")


def accept_in_bulk(desk: Desk) -> None:
    """A model's suggestions for the rest; the sure ones at once, all back, and once more."""
    tool = desk.tool("Predict")
    tool.get_by_role("button", name="Predict the queue").click()
    desk.answer(tool, f"{ENTITIES - 3} posts predicted by lite/twitter2017/")
    expect(desk.facts).to_contain_text("predicted by lite/twitter2017/")
    desk.page.get_by_role("button", name="Accept in bulk").click()
    dialog = desk.page.get_by_role("dialog", name="Accept in bulk")
    dialog.get_by_role("slider").fill("50")
    go = dialog.get_by_role("button", name=re.compile(r"Accept \d+ post"))
    expect(go).to_be_enabled()
    count = dialog.locator(".rv-preview li").count()
    assert 0 < count <= ENTITIES - 3
    go.click()
    expect(desk.done).to_have_text(f"{3 + count} of {ENTITIES} reviewed")
    desk.press("u")
    expect(desk.done).to_have_text(f"3 of {ENTITIES} reviewed")
    desk.press("Shift+U")
    expect(desk.done).to_have_text(f"{3 + count} of {ENTITIES} reviewed")
    expect(desk.page.locator(".rv-rows")).to_contain_text(re.compile(r"accepted · \d+\.\d% · by Ann"))


def relate(desk: Desk, file: Path, folder: Path) -> None:
    """A queue of marked pairs: no relation by key, another by name, a side moved; read back as MNRE."""
    posts = mnre.FORMAT.read(file, PAIRS)
    desk.add([file], "pairs", PAIRS)
    expect(desk.done).to_have_text(f"0 of {RELATIONS} reviewed")
    desk.words.focus()
    desk.press("0", "a")
    expect(desk.facts).to_contain_text(f"Post 2 of {RELATIONS}")
    expect(desk.done).to_have_text(f"1 of {RELATIONS} reviewed")
    kinds = desk.page.locator(".rv-end select")
    for side, kind in enumerate(("person", "place")):
        if kinds.nth(side).is_enabled():
            kinds.nth(side).select_option(label=kind)
    desk.page.get_by_role("radio", name=re.compile("place of residence")).click()
    desk.press("Escape")
    desk.page.get_by_role("button", name="Accept post").click()
    expect(desk.done).to_have_text(f"2 of {RELATIONS} reviewed")
    back = mnre.FORMAT.read(desk.export("mnre"), PAIRS)
    stated = [relation.label for row in back for relation in row.post.relations]
    assert stated == ["None", "/per/loc/place_of_residence"]
    assert [row.post.tokens for row in back] == [row.post.tokens for row in posts[:2]]


def retrain(decided: tuple[Question, ...], folder: Path) -> None:
    """What was exported goes into training."""
    settings = Settings(
        config=ModelConfig(dataset=TWEETS, preset="tiny"),
        source=DataSource(folder=write_data(folder / "small", posts=8)),
        out=folder / "out",
        work=folder / "out",
        device="cpu",
        changes={"": {"epochs": 1, "members": 1}},
        extra=decided,
    )
    card = json.loads((run(settings) / "config.json").read_text(encoding="utf-8"))
    assert card["training"]["extra_posts"] == len(decided) >= 3


def test_two_reviewers_at_once_lose_no_post_and_decide_none_twice(browser: Browser, app_url, tmp_path):
    file = tmp_path / "eight.jsonl"
    posts = [Post(text=f"Post {i}", tokens=("Post", str(i)), id=f"e{i}") for i in range(8)]
    jsonl.write(file, [question(post) for post in posts], TWEETS)
    saved: list[int] = []
    ann = another(browser, app_url, saved)
    ann.add([file], "eight", TWEETS, reviewer="Ann")
    expect(ann.facts).to_contain_text("Post 1 of 8")
    bo = another(browser, app_url, saved)  # a page shows the newest queue that there is when it opens
    bo.page.get_by_role("button", name="Start reviewing").click()
    bo.name("Bo")
    expect(bo.facts).to_contain_text("Post 2 of 8")  # the first is Ann's
    bo.page.locator(".rv-row").first.click()
    expect(bo.facts).to_contain_text("Ann is on it")
    expect(bo.page.get_by_role("button", name="Accept post")).to_be_disabled()
    bo.press("n")
    while any(desk.page.locator(".rv-note").count() == 0 for desk in (ann, bo)):
        for desk in (ann, bo):  # impatient, so that a key also falls between a decision and the next post
            if desk.page.locator(".rv-note").count() == 0:  # "No undecided post is left"
                desk.press("a", "a")
        ann.page.wait_for_timeout(20)
    for desk in (ann, bo):
        desk.press("n")  # looks once more, and so learns of the other's last decision
        expect(desk.done).to_have_text("8 of 8 reviewed")
    assert sorted(saved) == sorted(set(saved)) and len(saved) == 8
    for desk in (ann, bo):
        desk.page.context.close()


def another(browser: Browser, url: str, saved: list[int]) -> Desk:
    """One more reviewer's browser at the desk; the posts that it decides on go into ``saved``."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.on("requestfinished", lambda request: saved.extend(decision_of(request)))
    live.open_page(page, url)
    desk = Desk(page)
    desk.open()
    return desk


def decision_of(request: Request) -> list[int]:
    """The post that a finished request has decided on, if it is such a request and was not refused."""
    if "component_server" not in request.url or "review_save" not in (request.post_data or ""):
        return []
    reply = request.response().json()
    return [reply["id"]] if reply.get("ok") else []

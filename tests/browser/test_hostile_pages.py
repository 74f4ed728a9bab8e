"""Pages that training writes, opened from a disk without their policy: hostile data are text, in SVG too."""

import base64
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.hostile import FILE, NAME, REVIEWER, TEXT, untouched, watched
from tests.tiny import write_data
from train.analyse.page import write_page
from train.analyse.report import analyse
from train.data.source import DataSource

pytestmark = pytest.mark.browser

SVG = re.compile(r"data:image/svg\+xml;base64,([\w+/=]+)")


@pytest.mark.parametrize("text", [REVIEWER, TEXT, '<a href="javascript:window.__xss=1">a</a>'])
def test_the_watch_sees_what_it_is_there_for(browser, text):
    with pytest.raises(AssertionError), watched(browser) as page:
        page.set_content(f"<p>{text}</p>")


def hostile_data(folder: Path) -> tuple[Path, Path]:
    """(data, photos) in folders of hostile names; a hostile post stands in two splits, and so is printed."""
    data = write_data(folder / FILE, posts=30)
    words = "\n".join(f"{word}\tB-PER" for word in TEXT.split(" "))
    for split in ("train", "test"):
        file = data / "twitter2017" / f"{split}.txt"
        file.write_text(f"IMGID:{FILE}\n{words}\n\n" + file.read_text())
    images = folder / f"images {FILE}"
    images.mkdir()
    for number, name in enumerate((FILE, "train0", "train1")):
        noise = np.random.default_rng(number).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(images / f"{name}.jpg")
    return data, images


def open_figures(browser: Browser, page: str, folder: Path) -> int:
    """Each SVG of the page as a document of its own, where its scripts would run; how many there are."""
    figures = SVG.findall(page)
    for number, figure in enumerate(figures):
        file = folder / f"figure-{number}.svg"
        file.write_bytes(base64.b64decode(figure))
        with watched(browser) as alone:
            alone.goto(file.as_uri())
            assert alone.evaluate("document.documentElement.tagName") == "svg"
            untouched(alone)
    return len(figures)


def test_the_analysis_of_hostile_data_is_text(browser, tmp_path):
    data, images = hostile_data(tmp_path)
    source = DataSource(folder=data, images=images)
    file = analyse(source, tmp_path / "out", cache=tmp_path / "cache", command=TEXT)
    with watched(browser) as page:
        page.goto(file.as_uri())
        expect(page.locator("header")).to_contain_text(FILE)
        expect(page.locator("header")).to_contain_text(TEXT)
        expect(page.locator("#twitter2017 li").filter(has_text=TEXT[:60]).first).to_be_attached()
    assert open_figures(browser, file.read_text(encoding="utf-8"), tmp_path) > 3


def test_a_study_with_hostile_names_is_text(browser, tmp_path):
    facts = {name: TEXT for name in ("study", "cell", "stage", "sampler", "photos")}
    rows: list[dict[str, Any]] = [{NAME: TEXT, "F1": 0.5}]
    file = write_page(
        tmp_path / "tuning.html",
        "tune.html",
        facts={**facts, "limit": 3},
        rows=rows,
        best=TEXT,
        plot=f'x" onerror="window.__xss=1" alt="{TEXT}',
        command=TEXT,
    )
    with watched(browser) as page:
        page.goto(file.as_uri())
        assert page.title() == f"Tuning: {TEXT}"
        expect(page.locator("h1")).to_contain_text(TEXT)
        expect(page.locator("th").first).to_have_text(NAME)
        expect(page.locator("td").first).to_have_text(TEXT)

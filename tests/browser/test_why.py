"""Compare -> click -> Why in a real browser: entities in light, a relation in dark, and the downloads."""

import csv
import re

import pytest
from playwright.sync_api import expect

from tests.browser import live

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("task", "theme"), [("Entities", "light"), ("Relation", "dark")])
def test_from_a_comparison_to_the_reason(page, app_url, task, theme):
    live.open_page(page, f"{app_url}/?__theme={theme}")
    page.get_by_role("button", name=task).first.click()
    expect(page.locator("#predict-result .mm-result h3")).to_be_visible()
    live.settle(page)  # a comparison made before the photo is read is made again then
    page.locator("#to-compare").click()
    table = page.locator("#comparison .mm-compare")
    expect(table.locator("tbody tr").first).to_be_visible()
    expect(page.locator("#compare-post .mm-tweet")).to_be_visible()
    columns = table.locator("thead th").all_inner_texts()[1:]
    assert "FiLM" in columns and len(columns) > 1

    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as one HTML file").click()
    text = saved.value.path().read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and "<script" not in text

    table.locator(f"button[data-column='{columns.index('FiLM')}']").first.click()
    figure = page.locator("#why-fusion .mm-figure[data-view=gamma]")
    expect(figure.locator("img")).to_be_visible()
    expect(page.locator("#why-headline")).to_contain_text("/film")
    expect(page.locator("#why-target input")).not_to_have_value("")  # it says what is explained
    expect(page.locator("#why-cases")).to_contain_text("without the photo")
    corner = figure.locator("img").evaluate(
        """async (img) => {
            await img.decode();
            const canvas = document.createElement('canvas');
            canvas.getContext('2d').drawImage(img, 0, 0);
            return canvas.getContext('2d').getImageData(2, 2, 1, 1).data[0];
        }"""
    )
    assert (corner < 80) == (theme == "dark")  # the figure is drawn for the page's own ground

    for kind in ("PNG", "CSV"):
        with page.expect_download() as saved:
            figure.get_by_role("link", name=kind).click()
        file = saved.value.path()
        if kind == "PNG":
            assert file.read_bytes().startswith(b"\x89PNG")
        else:
            rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
            assert len(rows) > 2 and all(len(row) == len(rows[0]) for row in rows)


def test_a_cell_of_another_posts_comparison_explains_nothing(page):
    page.get_by_role("button", name="Entities").first.click()
    expect(page.locator("#predict-result .mm-result h3")).to_be_visible()
    page.locator("#to-compare").click()
    cell = page.locator("#comparison .mm-compare button[data-column]").first
    expect(cell).to_be_visible()
    page.get_by_role("tab", name="Predict").click()
    live.write(page, "Liftoff from Cape Canaveral")
    page.get_by_role("tab", name="Compare", exact=True).click()
    expect(page.locator("#compare-post")).to_contain_text("Liftoff")
    cell.click()
    expect(page.get_by_text("compare again")).to_be_visible()
    expect(page.get_by_role("tab", name="Compare", exact=True)).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Why").click()
    expect(page.locator("#why-headline")).to_contain_text("No explanation yet")


def test_heads_can_be_picked_where_a_fusion_has_some(page, app_url):
    live.open_page(page, app_url)
    for fusion, heads in (("FiLM", False), ("Cross-attention", True)):
        page.get_by_role("tab", name="Predict").click()
        live.pick(page, "Fusion", fusion)
        page.get_by_role("button", name="Entities").first.click()
        expect(page.locator("#predict-result")).to_contain_text(f"/{fusion.lower()}")
        page.locator("#to-why").click()
        expect(page.locator("#why-headline")).to_contain_text(f"/{fusion.lower()}")
        expect(page.locator("#why-head")).to_be_visible(visible=heads)


def test_a_link_fills_in_the_question_and_runs_nothing(page, app_url):
    hostile = "<img src=x onerror=window.__xss=1> ${window.__xss=1} [E1] Ann [/E1] likes [E2] Nike [/E2]"
    page.goto(f"{app_url}/?dataset=mnre&model=vilt&fusion=native&across=models&text={hostile}")
    expect(page.locator("#comparison")).to_contain_text("No comparison yet")
    page.get_by_role("tab", name="Predict").click()
    expect(page.locator("#predict-text textarea")).to_have_value(re.compile("onerror"))
    expect(page.get_by_label("Fusion", exact=True)).to_have_value("Native")
    expect(page.locator("#predict-result")).to_contain_text("No answer yet")

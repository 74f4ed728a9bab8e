"""A page with two sizes of a model: the larger answers first, lite is one pick away and the fallback."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import live
from tests.browser.hostile import watched

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app_url() -> Iterator[str]:
    with live.running_app(MMDEMO_PRESET="base") as url:
        yield url


@pytest.fixture
def page(browser: Browser, app_url: str) -> Iterator[Page]:
    with watched(browser) as page:
        live.open_page(page, app_url)
        yield page


def size(page: Page) -> str:
    return page.get_by_label("Size", exact=True).input_value()


def test_base_answers_first_and_lite_where_there_is_no_other(page):
    assert size(page) == "base"
    live.write(page, live.TWEET)
    live.predict(page)
    result = page.locator("#predict-result")
    expect(result).to_contain_text("base/twitter2017/roberta-resnet50/film")
    live.pick(page, "Size", "lite")
    live.predict(page)
    expect(result).to_contain_text("lite/twitter2017/roberta-resnet50/film")
    live.pick(page, "Size", "base")
    page.get_by_role("button", name="Relation").nth(1).click()
    expect(page.locator("#predict-result .mm-bars li")).to_have_count(5)
    assert size(page) == "lite"


def test_another_dataset_or_model_takes_the_size_that_there_is(page):
    live.pick(page, "Dataset", live.MNRE)
    expect(page.get_by_label("Size", exact=True)).to_have_value("lite")
    live.pick(page, "Dataset", live.T17)
    live.pick(page, "Size", "base")
    live.pick(page, "Model", "ViLT")
    expect(page.get_by_label("Size", exact=True)).to_have_value("lite")
    expect(page.locator("#card")).to_contain_text("lite/twitter2017/vilt/film")


def test_a_comparison_of_models_names_the_size(page):
    live.write(page, live.TWEET)
    page.get_by_role("tab", name="Compare", exact=True).click()
    page.get_by_label("All models with the fusion").check()
    page.locator("#compare").click()
    table = page.locator("#comparison")
    expect(table).to_contain_text("RoBERTa + ResNet50 (base)")
    expect(table).to_contain_text("BERT + ResNet50")
    expect(table.locator(".mm-error")).to_have_count(0)


def test_the_front_door_says_that_it_is_the_larger(page):
    page.get_by_role("tab", name="Extract", exact=True).click()
    expect(page.locator("#extract-by")).to_contain_text("RoBERTa + ResNet50 (base)")

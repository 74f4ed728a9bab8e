"""What photos changed, as tables: signs only where the interval leaves zero out; odd files are read."""

import pytest

from mmdemo.ui.results import effect as effect_view
from tests.ui.results.test_page import metrics


def moved(low: float, high: float, **more: object) -> dict:
    return {"f1": 0.8, "other": 0.79, "change": 0.01, "low": low, "high": high, **more}


def effect(**found: object) -> dict:
    return {"photo_effect": {"level": 95, "resamples": 1000, **found}}


@pytest.mark.parametrize(
    ("low", "high", "sign"), [(0.002, 0.02, "▲"), (-0.02, -0.001, "▼"), (-0.01, 0.03, "≈")]
)
def test_a_sign_needs_an_interval_without_zero(low, high, sign):
    shown = effect_view.effect_html(effect(against={"none": moved(low, high)}))
    assert f"<td>{sign} +1.00</td>" in shown and f"{100 * low:+.2f} … {100 * high:+.2f}" in shown
    assert "95 % of 1000 resamples" in shown


def test_slices_name_their_posts_and_escape():
    shown = effect_view.effect_html(effect(slices=[moved(-1, 1, name="<b>long", posts=31)]))
    assert "&#60;b&#62;long (31), against no photo" in shown


@pytest.mark.parametrize(
    "found", [{}, {"photo_effect": 3}, effect(), effect(against={"none": {"low": "x"}}, slices=[3])]
)
def test_what_is_not_there_is_not_shown(found):
    assert effect_view.effect_html(found) == ""


def test_classes_that_moved():
    shown = effect_view.classes_html(metrics(0.8))
    assert "▲ +1.0" in shown and "<b>" not in shown
    assert "No figures" in effect_view.classes_html({})

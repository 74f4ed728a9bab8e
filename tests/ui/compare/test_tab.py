"""The Compare tab's handlers: what a pressed cell stands for."""

from types import SimpleNamespace

import gradio as gr
import pytest

from mmdemo.formats.shared.photo_words import words_json
from mmdemo.types import InputError, PhotoWords
from mmdemo.ui.compare import tab as compare_tab
from mmdemo.ui.why import tab as why_tab

OLD, NEW = "Kevin Durant enters Oracle Arena", "Liftoff from Cape Canaveral"
ASKED = ("tiny", "twitter2017", OLD, None)


@pytest.fixture
def kept(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    preset, dataset, text, photo = ASKED
    return compare_tab.show("fusions", preset, dataset, "roberta-resnet50", "film", text, photo, None)[2]


def test_a_pressed_cell_is_a_cell_and_a_word_of_the_comparison(kept):
    cell, target = compare_tab.pressed_cell(kept, compare_tab.asked_of(*ASKED), 1, 2)
    assert cell == kept["cells"][1] and target == 2


@pytest.mark.parametrize(
    "now",
    [
        ("tiny", "twitter2017", NEW, None),
        ("tiny", "twitter2015", OLD, None),
        ("tiny", "twitter2017", OLD, "/tmp/photo.png"),
        ("lite", "twitter2017", OLD, None),
    ],
)
def test_a_cell_of_an_outdated_comparison_is_refused(kept, now):
    with pytest.raises(InputError, match="another post or dataset"):
        compare_tab.pressed_cell(kept, compare_tab.asked_of(*now), 0, 0)
    said = [PhotoWords(source="described", text="a ball game")]
    with pytest.raises(InputError, match="another post or dataset"):
        compare_tab.pressed_cell(kept, compare_tab.asked_of(*ASKED, tuple(said)), 0, 0)
    with pytest.raises(gr.Error, match="compare again"):  # which keeps an explanation from starting
        why_tab.pick(kept, *now, None, SimpleNamespace(column=0, place=0))


@pytest.mark.parametrize(("column", "place"), [(99, 0), (-1, 0), ("0", 0), (0, None)])
def test_a_cell_that_there_is_not_is_refused(kept, column, place):
    with pytest.raises(InputError, match="no longer there"):
        compare_tab.pressed_cell(kept, compare_tab.asked_of(*ASKED), column, place)


def test_a_comparison_follows_the_words_of_its_photo_and_no_other_text(kept):
    words = (PhotoWords(source="described", text="a game"),)
    said = {"state": "read", "photo": "", "parts": words_json(words)}
    preset, dataset, text, photo = ASKED
    form = ["fusions", preset, dataset, "roberta-resnet50", "film"]
    again = compare_tab.show_again(kept, *form, text, photo, said)
    assert again[2]["asked"] == compare_tab.asked_of(*ASKED, words)
    for now in ([NEW, photo, said], [text, photo, None], [text, photo, {"parts": "damaged"}]):
        assert compare_tab.show_again(kept, *form, *now) == (gr.skip(),) * 5
    assert compare_tab.show_again(None, *form, text, photo, said) == (gr.skip(),) * 5

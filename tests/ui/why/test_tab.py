"""The Why tab's handlers: an explanation whose photo was read since says so."""

import gradio as gr
import pytest

from mmdemo.answer.explain import explain
from mmdemo.formats.shared.photo_words import words_json
from mmdemo.types import PhotoWords
from mmdemo.ui.predict.asked import Asked
from mmdemo.ui.why import tab as why_tab

TEXT = "Kevin Durant enters Oracle Arena"


@pytest.fixture
def found(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    asked = Asked(
        preset="tiny", dataset="twitter2017", model="roberta-resnet50", fusion="film", text=TEXT, photo=None
    )
    cell = asked.cell()
    return explain(asked.question(cell.dataset), cell)


def test_an_explanation_says_that_the_photo_was_read_since(found):
    words = (PhotoWords(source="described", text="a game"),)
    said = {"state": "read", "photo": "", "parts": words_json(words)}
    assert why_tab.OUTDATED in why_tab.outdated(found, TEXT, None, said)
    assert why_tab.outdated(found, "another text", None, said) == gr.skip()
    assert why_tab.outdated(found, TEXT, None, None) == gr.skip()
    assert why_tab.outdated(None, TEXT, None, said) == gr.skip()

"""``/extract``: what the command prints, and one sentence for what cannot be answered."""

import gradio as gr
import pytest

from mmdemo.answer.extract_json import extraction_json
from mmdemo.answer.extraction.in_python import extract as in_python
from mmdemo.types import InputError
from mmdemo.ui.extract.endpoint import extract
from mmdemo.ui.shell.api import _in_sentences

TWEET = "Kevin Durant enters Oracle Arena"


@pytest.fixture(autouse=True)
def tiny(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))


def test_it_answers_as_python_does():
    told = extract(TWEET, preset="tiny", with_none=True, words=True)
    assert told == extraction_json(in_python(TWEET, preset="tiny", with_none=True, with_words=True))
    assert told["entities"] and told["words"]


def test_cells_and_descriptions_can_be_given():
    name = "tiny/twitter2015/blip/film"
    told = extract(TWEET, entities=name, relations="tiny/mnre/blip/film", description="a sign")
    assert (told["entities_by"], told["relations_by"]) == (name, "tiny/mnre/blip/film")
    assert [one["text"] for one in told["photo_words"]] == ["a sign"]


@pytest.mark.parametrize(
    "asked",
    [
        {"entities": "tiny/twitter2017/roberta-resnet50"},
        {"entities": "tiny/../roberta-resnet50/film"},
        {"entities": "tiny/mmdemo/roberta-resnet50/film"},
        {"relations": "tiny/twitter2017/roberta-resnet50/film"},
        {"preset": "huge"},
        {"text": "[E1] Ann [/E1]"},
        {"text": ["Ann"]},
    ],
)
def test_what_cannot_be_answered_is_one_sentence(asked):
    values = {"text": TWEET, "preset": "tiny", **asked}
    with pytest.raises(InputError):
        extract(**values)
    places = ("text", "photo", "entities", "relations", "with_none", "words", "preset")
    with pytest.raises(gr.Error) as caught:
        _in_sentences(extract)(*(values.get(place) for place in places))
    assert "\n" not in str(caught.value) and "Traceback" not in str(caught.value)

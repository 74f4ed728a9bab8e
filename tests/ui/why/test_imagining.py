"""A post imagined otherwise, as the Why tab's form asks for it."""

import pytest

from mmdemo.ui.why.imagining import imagine

ASKED = ("tiny", "twitter2017", "roberta-resnet50", "film", "Kevin Durant enters Oracle Arena", None, None)


@pytest.fixture(autouse=True)
def zoo(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))


def test_a_photo_that_says_something_else_is_asked_about_and_its_words_are_text():
    html = imagine(*ASKED, None, [], None, "", "<b>PADRES</b>\n\nOracle Arena")
    assert "the photo says: &#60;b&#62;PADRES&#60;/b&#62; / Oracle Arena" in html and "<b>PADRES" not in html
    assert "does not read the words of photos" in html


def test_nothing_imagined_is_said_to_be_nothing():
    assert "write what it says instead" in imagine(*ASKED, None, [], None, " ", " \n ")

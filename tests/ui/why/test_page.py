"""Explanations as a page: figures with their numbers, sections, differences, nothing hostile alive."""

import base64
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mmdemo.answer.answer_json import counterfactual_json
from mmdemo.types import (
    Ask,
    Change,
    Counterfactual,
    Entity,
    Explanation,
    Pair,
    Post,
    Prediction,
    Relation,
    View,
)
from mmdemo.ui.why import page as why_view

WORDS = ("<img/src=x>", "${alert(1)}", "Nike")


def view(name: str, kind: str, shape: tuple[int, int], labels: tuple[str, ...]) -> View:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    columns = tuple(f"column {i}" for i in range(shape[1]))
    return View(name=name, title=f"{name} of {labels[0]}", note="Not an answer.", kind=kind, values=values,
                axes=(labels, columns), centre=0.0)  # fmt: skip


def prediction(pair: Pair | None = None) -> Prediction:
    post = Post(text=" ".join(WORDS), tokens=WORDS, image=Image.new("RGB", (40, 30), "red"))
    ends = vars(pair or Pair(head=(0, 1), tail=(2, 3)))
    named = (("/per/org/member_of", 0.7), ("None", 0.2))
    relations = tuple(Relation(**ends, label=label, score=score) for label, score in named)
    entities = (Entity(start=2, end=3, label="ORG", text="Nike", score=0.9),)
    return Prediction(
        post=post,
        ask=Ask(entities=not pair, relations=(pair,) if pair else ()),
        checkpoint="lite/mnre/vilt/film",
        image_used=True,
        entities=() if pair else entities,
        relations=relations if pair else (),
    )


EXPLANATION = Explanation(
    prediction=prediction(),
    target='ORG "<b>Nike"',
    views=(
        view("gamma", "heatmap", (3, 30), WORDS),
        view("tokens", "strip", (1, 3), ("weight",)),
        view("cross-attention", "photo-map", (3, 49), ("mean of heads", "head 1", "head 2")),
        view("token-attribution", "strip", (1, 3), ("effect",)),
    ),
    absent={"beta": "no <i>β here", "joint-attention": "no <i>β here"},
)


def test_every_view_stands_in_one_section():
    names = {s: [v.name for v in why_view.views_of(EXPLANATION, s)] for s in why_view.SECTIONS}
    assert names == {
        "fusion": ["gamma", "tokens"],
        "photo": ["cross-attention"],
        "words": ["token-attribution"],
    }


@pytest.mark.parametrize("dark", [False, True])
def test_a_figure_comes_with_its_note_and_its_numbers(dark):
    html = why_view.section_html(EXPLANATION, "fusion", dark=dark, top=8)
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert len(pictures) == 2
    assert base64.b64decode(pictures[0]).startswith(b"\x89PNG")
    assert html.count("Not an answer.") == 2
    csv = base64.b64decode(re.search(r"data:text/csv;base64,([^\"]+)", html)[1]).decode()
    assert csv.count("\n") == 4 and csv.splitlines()[0].count(",") == 30  # all numbers, not only those shown
    assert 'download="gamma.png"' in html and 'download="gamma.json"' in html


def test_a_photo_map_can_be_narrowed_to_a_head():
    assert why_view.panels_of(EXPLANATION) == [why_view.ALL_PANELS, "mean of heads", "head 1", "head 2"]
    (whole,) = why_view.views_of(EXPLANATION, "photo")
    one = why_view.narrowed(whole, "head 2")
    assert one.values.shape == (1, 49) and np.array_equal(one.values[0], whole.values[2])
    assert why_view.narrowed(whole, "head 99") is whole


def test_text_of_a_tweet_stays_text():
    whole = why_view.headline_html(EXPLANATION) + why_view.absent_html(EXPLANATION)
    whole += "".join(why_view.section_html(EXPLANATION, s) for s in why_view.SECTIONS)
    for hostile in ("<img/src", "<b>Nike", "<i>β"):
        assert hostile not in whole
    assert not re.search(r"[$`]|\{\{", whole)
    assert "beta, joint-attention" in whole  # one line for one reason


def test_what_can_be_explained():
    assert why_view.targets_of(prediction(), "None")[0] == ("ORG “Nike” · 90.0%", 2)
    assert [value for _, value in why_view.targets_of(prediction(), "None")] == [2, 0, 1]
    cut = replace(prediction(), entities=(), unread=(1, 2))
    assert why_view.targets_of(cut, "None") == [("word “<img/src=x>”", 0)], (
        "a model explains no word that it never read"
    )
    assert why_view.words_read(cut) == [("<img/src=x>", 0)]
    pair = Pair(head=(0, 1), tail=(2, 3))
    assert why_view.targets_of(prediction(pair), "None") == [
        ("member of · 70.0%", 0),
        ("no relation · 20.0%", 1),
    ]


def test_a_word_that_would_reorder_the_options_is_named():
    found = prediction()
    hostile = replace(
        found, entities=(), post=replace(found.post, tokens=("\u202eevil", "a" + "\u0301" * 50, "x"))
    )
    assert [title for title, _ in why_view.targets_of(hostile, "None")] == [
        "word “U+202Eevil”",
        "word “a" + "\u0301" * 5 + "+34 combining marks”",
        "word “x”",
    ]


def test_differences_of_an_imagined_post():
    nike = Entity(start=2, end=3, label="ORG", text="Nike", score=0.9)
    other = Entity(start=2, end=3, label="MISC", text="Nike", score=0.5)
    cases = [
        Counterfactual(
            name="without <the> photo",
            prediction=prediction(),
            changes=(Change(before=nike, after=other), Change(before=nike, after=None)),
        ),
        Counterfactual(name="another photo", prediction=prediction(), changes=()),
    ]
    html = why_view.counterfactuals_html(cases, "None")
    assert "without &#60;the&#62; photo" in html and "→" in html and "lost" in html
    assert "nothing found" in html
    kept = Change(before=nike, after=Entity(start=2, end=3, label="ORG", text="Nike", score=0.85))
    same = Counterfactual(name="x", prediction=prediction(), changes=(kept,))
    html = why_view.counterfactuals_html([same], "None")
    assert "-5.0 points" in html
    assert counterfactual_json(cases[0])["changes"][1] == {
        "kind": "lost",
        "before": {"label": "ORG", "text": "Nike", "score": 0.9},
        "after": None,
    }

"""Labels of 200 characters, in Arabic, or with markup in them: shown as text on every page and in figures."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from mmdemo.answer.answer_json import prediction_json
from mmdemo.cells.catalogue import Entry
from mmdemo.cells.locate import Cell
from mmdemo.datasets.looks import looks_of
from mmdemo.datasets.records import LONGEST_LABEL
from mmdemo.figures.draw import draw, png
from mmdemo.review.agreement import Agreement, Scores
from mmdemo.types import (
    Ask,
    Change,
    Compared,
    Comparison,
    Counterfactual,
    Entity,
    Explanation,
    Pair,
    Post,
    Prediction,
    Relation,
    View,
)
from mmdemo.ui.compare.page import page_html
from mmdemo.ui.compare.view import comparison_html
from mmdemo.ui.results import effect
from mmdemo.ui.results import page as results_page
from mmdemo.ui.review.agreement import agreement_html
from mmdemo.ui.review.page import page_facts
from mmdemo.ui.shell import card, view
from mmdemo.ui.why import page as why_page
from tests.made_up import ARABIC, ENTITY_LABELS, MARKUP, RELATION_LABELS, odd_dataset

LONG = "l" * LONGEST_LABEL
ENTITIES = (*ENTITY_LABELS, LONG, "${x}", "{{7*7}}", "`x`")
RELATIONS = (*RELATION_LABELS, LONG, "${x}", "{{7*7}}", MARKUP, ARABIC)
ODD = odd_dataset(title=MARKUP)
POST = Post(text="Ann met Bob", tokens=("Ann", "met", "Bob"))
PAIR = Pair(head=(0, 1), tail=(2, 3))
NAME = "lite/odd/vilt/film"


class Texts(HTMLParser):
    """The tags and the text that a browser makes of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.text += data


def check(html: str, *texts: str) -> None:
    """The texts stand there as text, and nothing of them is code for a browser or for Gradio's templates."""
    found = Texts(html)
    assert "script" not in found.tags and not re.search(r"\$\{|\{\{|`", html)
    for text in texts:
        assert text in found.text


def of_entities(labels=ENTITIES) -> Prediction:
    entities = tuple(Entity(start=0, end=1, label=label, text="Ann", score=0.5) for label in labels)
    return Prediction(post=POST, ask=Ask(), checkpoint=NAME, image_used=False, entities=entities)


def of_pair(labels) -> Prediction:
    relations = tuple(Relation(**vars(PAIR), label=label, score=0.2) for label in labels)
    ask = Ask(entities=False, relations=(PAIR,))
    return Prediction(post=POST, ask=ask, checkpoint=NAME, image_used=False, relations=relations)


@pytest.mark.parametrize("label", ENTITIES)
def test_an_entity(label):
    check(view.result_html(of_entities([label]), ODD), label)
    (entity,) = json.loads(json.dumps(prediction_json(of_entities([label]))))["entities"]
    assert entity["label"] == label


def test_a_legend():
    meant = odd_dataset(entities=tuple(replace(kind, meaning=MARKUP) for kind in ODD.entities))
    legend = [f"{label} = {MARKUP}" for label in ENTITY_LABELS]
    check(view.result_html(of_entities(ENTITY_LABELS), meant), *legend)


@pytest.mark.parametrize("label", RELATIONS)
def test_a_relation(label):
    check(view.result_html(of_pair([label]), ODD), label)
    (relation,) = prediction_json(of_pair([label]))["relations"]
    assert relation["label"] == label


def compared(*answers: Prediction) -> Comparison:
    kept = tuple(Compared(prediction=a, pass_number=0, encode_ms=1.0, fuse_ms=1.0) for a in answers)
    return Comparison(post=POST, answers=kept)


@pytest.mark.parametrize("clickable", [True, False])
def test_a_comparison(clickable):
    for label in ENTITIES:
        both = compared(of_entities([label]), of_entities([]))
        check(comparison_html(both, ODD, [{}, {}], clickable=clickable), label)
    for label in RELATIONS:
        both = compared(of_pair([label]), of_pair(["None"]))
        check(comparison_html(both, ODD, [{}, {}], clickable=clickable), label)


def test_a_comparison_on_a_page_of_its_own():
    for label in (MARKUP, ARABIC, LONG):
        for answer in (of_entities([label]), of_pair([label])):
            page = page_html(compared(answer, answer), ODD, [{}, {}])
            check(page.split("</style>")[1], label, ODD.title)


def test_why():
    for label in ENTITIES:
        entity = Entity(start=0, end=1, label=label, text="Ann", score=0.5)
        changes = (Change(before=entity, after=None),)
        case = Counterfactual(name="x", prediction=of_entities([]), changes=changes)
        check(why_page.counterfactuals_html([case], ODD.none), label)
        target = f'{label} "Ann"'
        found = Explanation(prediction=of_entities([label]), target=target, views=())
        check(why_page.headline_html(found), target)


@pytest.mark.parametrize("label", [*ENTITIES, "$x^2$", "\\frac{1}{2}"])
@pytest.mark.parametrize("kind", ["heatmap", "strip", "bars"])
def test_figures(label, kind):
    """Also without a warning of a font that lacks a letter, or of mathematics that cannot be set."""
    values = np.ones((1, 3), dtype=np.float32)
    picture = View(
        name="x", title=f"Why {label}", note=label, kind=kind, values=values, axes=((label,), POST.tokens)
    )
    assert png(draw(picture)).startswith(b"\x89PNG")
    check(why_page.figure_html(picture, None, dark=False, top=3))


def test_results_and_card(tmp_path: Path):
    rows = {label: {"f1": 0.5 + i / 100, "support": 3} for i, label in enumerate(ENTITIES[:8])}
    without = {label: {"f1": 0.1, "support": 3} for label in ENTITIES}
    state = {"entity": {"f1": 0.5}, "per_class": rows}
    metrics = {"splits": {"test": {"photo": state, "none": {"entity": {"f1": 0.4}, "per_class": without}}}}
    cell = Cell(preset="lite", dataset=ODD, model="vilt", fusion="film", folder=tmp_path)
    entry = Entry(cell=cell, status="ready", problem=None, size=9, metrics=metrics)
    check(effect.classes_html(metrics), *ENTITIES[:8])
    check(results_page.bars_html([entry], ODD) + results_page.scatter_html([entry], ODD), MARKUP)
    check(results_page.notice_html([entry]))
    check(card.card_html(cell, {"metrics": metrics}), MARKUP)
    assert results_page.table_rows([entry])[0][0] == MARKUP, "a table's cell is text"


def test_agreement_of_reviewers():
    none = Scores(exact=None, overlap=None, kappa=None, first=1, second=0)
    found = Agreement(
        reviewers=("Ann", "Bob"),
        posts=1,
        entities=none,
        by_entity=dict.fromkeys(ENTITIES, none),
        relations=none,
        by_relation=dict.fromkeys(RELATIONS, none),
    )
    check(agreement_html(found), *ENTITIES, ARABIC, LONG)


def test_the_desk_gets_labels_as_data():
    """Its scripts set them as text; what travels is JSON."""
    facts = json.loads(json.dumps(page_facts(ODD)))
    assert [row["label"] for row in facts["relations"]] == list(ODD.relation_labels)
    assert set(ENTITY_LABELS) <= set(facts["looks"]) and set(facts["names"]) == set(ODD.relation_labels)


def test_no_two_labels_look_alike():
    looks = [(look.colour, look.underline) for look in looks_of(ODD).values()]
    assert len(set(looks)) == len(looks) == len(ENTITY_LABELS)

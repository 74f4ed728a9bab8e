"""Three lines of Python: defaults, HTML that a hostile post cannot get out of, and a cheap import."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdemo import extract
from mmdemo.answer.extraction.defaults import best_cell, cell_pair
from mmdemo.cells import catalogue
from mmdemo.types import Entity, InputError

NAMED = [Entity(start=0, end=1, label="PER"), Entity(start=2, end=3, label="LOC")]


@pytest.fixture(autouse=True)
def tiny(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))


def test_three_lines_find_entities_and_relations(tmp_path):
    photo = tmp_path / "p.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(photo)
    found = extract("Kevin Durant enters Oracle Arena", photo=str(photo), preset="tiny")
    assert found.entities and found.image_used and found.pairs_answered == found.pairs_asked
    assert found.entities_by.startswith("tiny/twitter2017/") and found.relations_by.startswith("tiny/mnre/")


def test_cells_can_be_named():
    found = extract(
        "Ann in Rome", entities="tiny/twitter2015/vilt/native", relations="tiny/mnre/blip/film", stated=NAMED
    )
    assert (found.entities_by, found.relations_by) == ("tiny/twitter2015/vilt/native", "tiny/mnre/blip/film")
    assert found.relation_labels == "mnre" and found.pairs_answered == 1


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ({"entities": "tiny/mnre/blip/film"}, "tiny/mnre/blip/film answers relations, not entities"),
        ({"relations": "tiny/twitter2017/blip/film", "preset": "tiny"}, "answers entities, not relations"),
        ({"entities": "nothing"}, "is no checkpoint's name"),
        ({"entities": "tiny/twitter2017/blip/magic"}, "there is no checkpoint"),
        ({"preset": "full"}, "no checkpoint of .* is ready in the preset full"),
    ],
)
def test_other_cells_are_one_sentence(names, match):
    with pytest.raises(InputError, match=match):
        extract("Ann", **names)


def test_the_best_on_validation_is_the_default(monkeypatch):
    ready = [cell for cell in catalogue.cells("tiny") if cell.dataset.name == "mnre"]
    best = ready[3]

    def card(cell):
        figure = 0.9 if cell.name == best.name else 0.5
        return type(
            "Card", (), {"metrics": {"splits": {"valid": {"photo": {"micro_without_none": {"f1": figure}}}}}}
        )

    monkeypatch.setattr("mmdemo.answer.extraction.defaults.read_card", card)
    assert best_cell("relations", "tiny").name == best.name
    assert cell_pair(preset="tiny").relations.name == best.name


@pytest.mark.parametrize(("ahead", "chosen"), [(0.0005, "film"), (0.002, "concat")])
def test_of_equals_one_whose_fusion_can_be_shown_is_the_default(monkeypatch, ahead, chosen):
    def card(cell):
        figure = {"concat": 0.8 + ahead, "film": 0.8}.get(cell.fusion, 0.5) * (cell.model == "bert-resnet50")
        return type("Card", (), {"metrics": {"splits": {"valid": {"photo": {"entity": {"f1": figure}}}}}})

    monkeypatch.setattr("mmdemo.answer.extraction.defaults.read_card", card)
    assert best_cell("entities", "tiny").fusion == chosen


def test_a_notebook_shows_the_post_and_nothing_that_it_holds_acts():
    hostile = "Ann <script>alert(1)</script> Rome ${alert(2)} \u202e `x`"
    stated = [Entity(start=0, end=1, label="PER"), Entity(start=2, end=3, label="LOC")]
    html = extract(hostile, stated=stated, preset="tiny")._repr_html_()
    assert "Ann" in html and "<mark>" in html
    for code in ("<script", "${", "`", "\u202e"):
        assert code not in html


def test_a_notebook_shows_relations_and_their_contradictions():
    found = extract("Ann in Rome", stated=NAMED, preset="tiny", with_none=True)
    (one,) = (*found.relations, *found.none)
    told = replace(one, id="r0", label="/per/loc/place_of_birth", contradicts=("r1",))
    html = replace(found, relations=(told,))._repr_html_()
    for text in ("place of birth →", "contradicts r1", ">Ann<", ">Rome<"):
        assert text in html


def test_importing_the_package_imports_no_models():
    code = "import sys, mmdemo, mmdemo.types; assert 'torch' not in sys.modules"
    root = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, timeout=120)
    with pytest.raises(ImportError):
        from mmdemo import nothing  # noqa: F401

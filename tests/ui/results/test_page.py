"""The zoo's figures as a table and charts; files are read tolerantly."""

import re
from dataclasses import replace

from mmdemo.cells.catalogue import Entry
from mmdemo.cells.locate import Cell
from mmdemo.datasets.discovery import find_dataset
from mmdemo.ui.results import page as zoo_view

TWEETS, PAIRS = find_dataset("twitter2017"), find_dataset("mnre")


def state(f1: float) -> dict:
    rows = {"PER": {"f1": f1, "support": 9}, "<b>": {"f1": f1 / 2, "support": 3}}
    return {"entity": {"f1": f1}, "entity_strict": {"f1": f1}, "token": {"f1": f1, "accuracy": 0.9},
            "per_class": rows}  # fmt: skip


def metrics(f1: float, **conditions: object) -> dict:
    bins = [{"confidence": c, "accuracy": c, "count": 5} for c in (0.1, 0.5, 0.9)]
    return {
        "data": "caption-matched stand-in photos",
        "commit": "0123456789abcdef",
        "conditions": {"commit_exists": True, **conditions},
        "splits": {"test": {"photo": state(f1), "none": state(f1 - 0.01), "blank": state(f1)}},
        "calibration": {"temperature": 1.5, "before": {"ece": 0.05}, "after": {"ece": 0.01, "bins": bins}},
    }


def listed(tmp_path, **scores: float) -> list[Entry]:
    found = []
    for fusion, f1 in scores.items():
        cell = Cell(preset="lite", dataset=TWEETS, model="vilt", fusion=fusion, folder=tmp_path)
        found.append(Entry(cell=cell, status="ready", problem=None, size=4_000_000, metrics=metrics(f1)))
    return found


def test_a_row_has_a_figure_for_each_header(tmp_path):
    (row,) = zoo_view.table_rows(listed(tmp_path, film=0.8387))
    assert len(row) == len(zoo_view.HEADERS)
    assert row[:5] == ["Twitter2017", "ViLT", "FiLM", "", 83.87] and row[-3:] == [82.87, 0.01, 4.0]
    empty = replace(listed(tmp_path, film=0.8)[0], metrics={}, size=0)
    assert zoo_view.table_rows([empty])[0][3:] == ["", *[None] * (len(zoo_view.HEADERS) - 4)]


def test_charts_start_at_zero_and_show_what_photos_add(tmp_path):
    cells = listed(tmp_path, film=0.8, native=0.7)
    bars = zoo_view.bars_html(cells, TWEETS)
    assert "width:80.00%" in bars and "left:79.00%" in bars and "+1.00" in bars
    assert "No checkpoint" in zoo_view.bars_html(cells, PAIRS)
    assert zoo_view.scatter_html(cells, TWEETS).count("<circle") == 2
    assert zoo_view.scatter_html(cells, PAIRS) == ""


def test_reliability_reads_what_is_there():
    whole = zoo_view.reliability_html(metrics(0.8))
    assert "<polyline" in whole and "temperature 1.50" in whole and "ECE 0.010" in whole
    assert "not calibrated" in zoo_view.reliability_html({})
    assert "<svg" not in zoo_view.reliability_html({"calibration": {"after": {"ece": 0.1, "bins": "x"}}})


def test_stand_in_photos_are_named(tmp_path):
    notice = zoo_view.notice_html(listed(tmp_path, film=0.8))
    assert "1 of 1" in notice and "stand-ins" in notice
    assert not re.search("stand-in", zoo_view.notice_html([]))


def test_a_limited_figure_is_marked_in_the_table_the_bars_and_the_scatter(tmp_path):
    full, other = listed(tmp_path, film=0.8, native=0.7)
    limited = replace(other, metrics=metrics(0.7, limit=300))
    rows = zoo_view.table_rows([full, limited])
    at = zoo_view.HEADERS.index("Marks")
    assert [row[at] for row in rows] == ["", "limited: 300 posts"]
    for shown in (zoo_view.bars_html, zoo_view.scatter_html):
        assert shown([full, limited], TWEETS).count("limited: 300 posts") == 1
        assert "limited" not in shown([full], TWEETS)
    assert "1 have marks" in zoo_view.notice_html([full, limited])
    assert "marks" not in zoo_view.notice_html([full])

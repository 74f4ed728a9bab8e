"""Out of domain: words are rewritten and types paired as said, and the figures stand where they belong."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from mmdemo.cells.files import read_json
from mmdemo.datasets.discovery import find_dataset
from mmdemo.types import Entity, Post
from tests.tiny import write_data
from tests.train.score.test_stored import train
from train.__main__ import app
from train.publish import results
from train.score.elsewhere import WRITTEN, in_lower_case, relabelled, rewritten, with_other_handles

T15, T17 = find_dataset("twitter2015"), find_dataset("twitter2017")


def test_types_are_paired_by_what_they_are_called_in_common():
    tags = ["B-PER", "I-PER", "O", "B-OTHER", "I-OTHER"]
    assert relabelled(tags, T15, T17) == ["B-PER", "I-PER", "O", "B-MISC", "I-MISC"]
    assert relabelled(relabelled(tags, T15, T17), T17, T15) == tags
    crossed = find_dataset("mnre")
    assert relabelled(["B-PER", "B-MISC"], T17, crossed) == ["B-PER", "B-MISC"]


def test_handles_change_in_both_spellings_and_nothing_else_does():
    words = ["RT", "@user:", "hi", "@", "jehnnybgoode", "at", "NASA", "@"]
    found = with_other_handles(words)
    assert len(found) == len(words)
    assert [found[i] for i in (0, 2, 3, 5, 6, 7)] == ["RT", "hi", "@", "at", "NASA", "@"]
    assert found[1][0] == "@" and found[1][-1] == ":" and len(found[1]) == 6 and found[1] != "@user:"
    assert len(found[4]) == len("jehnnybgoode") and found[4] != "jehnnybgoode"
    assert with_other_handles(["@user"])[0] == found[1][:-1], "one handle has one name"


@given(st.lists(st.text(min_size=1, max_size=8), max_size=12))
def test_a_post_keeps_the_number_of_its_words(words):
    for written in WRITTEN.values():
        assert len(written(words)) == len(words)


def test_what_is_stated_of_a_post_holds_for_the_rewritten_one():
    entities = (Entity(start=0, end=2, label="PER"),)
    post = Post(text="Ann  Lee sings", tokens=("Ann", "Lee", "sings"), offsets=((0, 3), (5, 8), (9, 14)))
    found = rewritten(Post(**{**vars(post), "entities": entities}), in_lower_case)
    assert (found.tokens, found.text, found.entities) == (("ann", "lee", "sings"), "ann lee sings", entities)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, Path]:
    """Data where both Twitter sets hold the same posts, and the folder of a cell trained on one."""
    data, runs = write_data(tmp_path_factory.mktemp("data"), 24), tmp_path_factory.mktemp("runs")
    shutil.copytree(data / "twitter2017", data / "twitter2015")
    for name, other in (("twitter2017", "MISC"), ("twitter2015", "OTHER")):
        for file in (data / name).glob("*.txt"):
            file.write_text(file.read_text(encoding="utf-8").replace("-LOC", f"-{other}"), encoding="utf-8")
    options = ["--data", data, "--out", runs, "--work", runs, "--set", "preset=tiny", "--set", "row.epochs=2"]
    train("row", "--dataset", "twitter2017", "--recipe", "words", "--fusions", "concat", *options)
    return data, runs


def test_the_chosen_cells_are_measured_and_stand_in_the_table(trained, monkeypatch):
    data, runs = trained
    monkeypatch.setattr(results, "PRESETS", ("tiny",))
    said = train("elsewhere", "--data", data, "--root", runs, "--work", runs)
    cell = runs / "tiny" / "twitter2017" / "roberta-resnet50" / "concat"
    stated = read_json(cell / "metrics.json")
    found = stated["elsewhere"]
    assert found["twitter2015"] == found["twitter2017"] and set(found["twitter2017"]) == set(WRITTEN)
    own = stated["splits"]["test"]["photo"]["entity"]["f1"]
    assert found["twitter2017"]["as written"] == pytest.approx(own)
    assert f"on twitter2015: as written {100 * own:.2f}" in said
    lines = results.results_table(runs).split("## Out of domain")[1].splitlines()
    shown = [line for line in lines if line.startswith("| twitter2017 (tiny), concat")]
    assert len(shown) == 2 and "twitter2017, its own" in shown[0] and f"{100 * own:.2f}" in shown[1]


def test_without_an_entity_cell_it_is_told(tmp_path):
    result = CliRunner().invoke(app, ["elsewhere", "--data", str(tmp_path), "--root", str(tmp_path)])
    assert result.exit_code and "finds entities" in str(result.output or result.exception)

"""The conditions of a cell's figures: read from what its files say, and the marks of those that differ."""

import json
from pathlib import Path

import pytest

from mmdemo.cells.card import load_card, read_metrics
from mmdemo.cells.conditions import NOT_STATED, Conditions, marks_text
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from tests.tiny import write_card

FULL = Conditions(
    limit=0,
    splits="official",
    cleaning=False,
    seed=7,
    recipe="lite",
    commit="0123456789abcdef",
    tree="clean",
    commit_exists=True,
    torch="2.9.0",
    hardware="a processor, 2 threads",
    precision="float32",
    training_posts=3373,
    trained_with=("film", "text-only"),
    posts={"valid": 723, "test": 700},
)


def test_what_is_stated_is_read_back():
    values = json.loads(json.dumps(FULL.json()))
    assert values["limit"] is None and values["posts"] == {"valid": 723, "test": 700}
    assert Conditions.of({"conditions": values}) == FULL
    assert Conditions.of(None, {"conditions": values}) == FULL
    assert Conditions.of({}).json() == {} and Conditions().limit is None


def test_an_older_card_states_what_it_states():
    training = {"limit": None, "commit": "dff85e2", "split_scheme": "official"}
    metrics = {"seed": 1337, "splits": {"test": {"posts": 723, "photo": {}}}}
    found = Conditions.of(metrics, training, False)
    assert (found.limit, found.seed, found.splits, found.posts) == (0, 1337, "official", {"test": 723})
    assert found.facts["Posts"] == "all" and found.facts["Posts scored"] == "test 723"
    for name in ("Recipe", "torch", "Hardware", "Precision", "Training posts"):
        assert found.facts[name] == NOT_STATED, name
    assert found.facts["Code"] == "commit dff85e2, tree not stated" and found.marks == ("commit not checked",)
    assert set(Conditions().facts.values()) == {NOT_STATED}


@pytest.mark.parametrize(
    ("changed", "mark"),
    [
        ({"limit": 300}, "limited: 300 posts"),
        ({"limit": 12000}, "limited: 12,000 posts"),
        ({"splits": "report"}, "report's splits"),
        ({"tree": "dirty"}, "uncommitted tree"),
        ({"commit_exists": False}, "commit unknown here"),
        ({"commit_exists": None}, "commit not checked"),
        ({"commit": None}, "commit not stated"),
        ({"commit": "unknown"}, "commit not stated"),
        ({"commit": "none", "commit_exists": False}, "commit not stated"),
    ],
    ids=str,
)
def test_what_differs_from_a_full_figure_of_known_code_is_marked(changed, mark):
    assert FULL.marks == () and marks_text({"conditions": FULL.json()}) == ""
    assert marks_text({"conditions": FULL.json() | changed}) == mark


def test_several_marks_stand_in_one_line():
    changed = FULL.json() | {"limit": 9, "tree": "dirty"}
    assert marks_text({"conditions": changed}) == "limited: 9 posts; uncommitted tree"


@pytest.mark.parametrize("odd", [-1, True, 1.5, "300", [3], {"a": 1}, 10**400, None], ids=str)
def test_values_of_another_type_are_not_stated(odd):
    keys = ("seed", "training_posts", "torch", "hardware", "recipe", "tree", "commit_exists", "posts")
    found = Conditions.of({"conditions": dict.fromkeys(keys, odd), "splits": odd})
    for name in ("seed", "training_posts", "tree", "commit_exists"):
        if not isinstance(odd, bool) or name != "commit_exists":
            assert getattr(found, name) is None, name
    assert json.dumps(found.json()) and found.facts and found.marks
    assert Conditions.of({"conditions": {"limit": odd}}).limit == (0 if odd is None else None)
    assert Conditions.of({"conditions": odd}, {"conditions": odd}).json() == {}


def test_a_long_text_is_cut():
    assert len(Conditions.of({"conditions": {"hardware": "x" * 10**6}}).facts["Hardware"]) == 200


def test_a_cards_figures_have_all_that_both_files_say(tmp_path: Path):
    config = ModelConfig(dataset=find_dataset("mnre"), preset="tiny", clean_text=True)
    folder = write_card(tmp_path, config, {"limit": 300, "commit": "abcdef0", "recipe": "small"})
    stated = {"cell": config.cell, "seed": 3, "conditions": {"commit_exists": False}}
    (folder / "metrics.json").write_text(json.dumps(stated))
    expected = {"limit": 300, "cleaning": True, "seed": 3, "recipe": "small", "commit": "abcdef0"}
    expected |= {"commit_exists": False}
    assert load_card(folder).metrics["conditions"] == expected
    assert read_metrics(folder) == load_card(folder).metrics
    (folder / "config.json").unlink()
    assert read_metrics(folder)["conditions"] == {"seed": 3, "commit_exists": False}

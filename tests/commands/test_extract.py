"""``python -m mmdemo extract``: JSON for programs, entities and arcs for people."""

import json

import pytest
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.commands.extract import lines
from mmdemo.types import InputError

TWEET = "Kevin Durant enters Oracle Arena"
MARKED = "[E1] Kevin Durant [/E1] enters [E2] Oracle Arena [/E2]"


@pytest.fixture
def call(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))

    def run(*options: str) -> str:
        result = CliRunner().invoke(app, ["extract", "--preset", "tiny", *options], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def test_json_tells_entities_relations_and_places(call):
    answer = json.loads(call("--text", MARKED, "--json", "--with-none", "--words"))
    spans = {(e["text"], MARKED[e["start_char"] : e["end_char"]]) for e in answer["entities"]}
    assert {("Kevin Durant", "Kevin Durant"), ("Oracle Arena", "Oracle Arena")} <= spans
    (one,) = [*answer["relations"], *answer.get("none", [])]
    texts = {e["id"]: e["text"] for e in answer["entities"]}
    assert (texts[one["head"]], texts[one["tail"]]) == ("Kevin Durant", "Oracle Arena")
    assert [word["text"] for word in answer["words"]] == TWEET.split()


def test_people_read_entities_and_who_answered(call):
    told = call("--text", TWEET, "--entities", "tiny/twitter2015/blip/film", "--words").splitlines()
    assert [line.split()[-1] for line in told[:5]] == TWEET.split()
    assert told[-1].startswith("entities by tiny/twitter2015/blip/film, relations by tiny/mnre/")


def test_arcs_say_direction_and_contradiction():
    entity = {"label": "PER", "score": 0.9}
    scores = {"score": 0.83, "score_with_entities": 0.67}
    couple = {"id": "r0", "head": "e0", "tail": "e1", "label": "/per/per/couple", **scores}
    parent = {"id": "r1", "head": "e1", "tail": "e0", "label": "/per/per/parent", **scores}
    answer = {
        "entities": [{"id": "e0", "text": "Ann", **entity}, {"id": "e1", "text": "Bob", **entity}],
        "relations": [
            {**couple, "symmetric": True, "contradicts": []},
            {**parent, "symmetric": False, "contradicts": ["r2"]},
        ],
        "pairs": {"asked": 2, "answered": 2, "without_relation": 0},
        "warnings": [],
        "entities_by": "a",
        "relations_by": "b",
    }
    assert lines(answer) == [
        " 90.0%  PER     Ann",
        " 90.0%  PER     Bob",
        " 67.0%  Ann -couple- Bob",
        " 67.0%  r1: Bob -parent-> Ann  (contradicts r2)",
        "0 of 2 pairs without a relation",
        "entities by a, relations by b",
    ]


def test_bad_marks_are_one_sentence(call):
    with pytest.raises(InputError, match="the marks lack a tail"):
        call("--text", "[E1] Ann [/E1]")

"""The table of measures: whole, in step with what is computed, and the only place that knows the keys."""

from pathlib import Path

import pytest

from mmdemo.measures import MEASURES, SHOWN, figure, headline_of, shown, tasks_of
from train.score.metrics import headline, score_relations, score_tags

ROOT = Path(__file__).resolve().parents[1]
TAGS = [["B-a", "I-a", "O"], ["B-b", "O", "O"]]
SCORES = {
    "entities": score_tags(TAGS, [["B-a", "I-a", "O"], ["O", "O", "O"]]),
    "relations": score_relations(["x", "None", "y"], ["x", "x", "y"], ["None", "x", "y"]),
}


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.key)
def test_a_measure_is_where_the_scorer_puts_it(measure):
    value = figure(SCORES[measure.task], measure.path)
    assert value is not None and 0 < value < 1
    other = next(scores for task, scores in SCORES.items() if task != measure.task)
    assert figure(other, measure.path) is None


@pytest.mark.parametrize("place", SHOWN)
@pytest.mark.parametrize("task", SCORES)
def test_every_place_shows_the_headline_first_and_nothing_twice(place, task):
    measures = shown(place, task)
    assert measures[0] == headline_of(task) and headline_of(task, "report") in measures
    assert len(set(measures)) == len(measures) and {m.task for m in measures} == {task}


def test_keys_are_unique_and_each_is_shown_somewhere():
    keys = [measure.key for measure in MEASURES]
    assert len(set(keys)) == len(keys)
    assert {key for place in SHOWN.values() for shown_keys in place.values() for key in shown_keys} == set(
        keys
    )


def test_a_task_has_one_headline_of_each_kind():
    for task in SCORES:
        kinds = sorted(m.headline for m in MEASURES if m.task == task and m.headline)
        assert kinds == ["field", "report"]


def test_scores_tell_their_task_and_headline():
    for task, scores in SCORES.items():
        assert tasks_of(scores) == (task,)
        assert headline(scores) == figure(scores, headline_of(task).path)
    assert tasks_of({"loss": 1.0}) == ()
    both = SCORES["entities"] | SCORES["relations"]
    each = [headline(scores) for scores in SCORES.values()]
    assert tasks_of(both) == tuple(SCORES) and headline(both) == pytest.approx(sum(each) / 2)
    with pytest.raises(KeyError):
        headline({"entity": {}})


@pytest.mark.parametrize(
    "held", [None, 3, [], {}, {"a": None}, {"a": {"b": "1"}}, {"a": {"b": True}}, {"a": 1}]
)
def test_what_is_no_figure_is_none(held):
    assert figure(held, ("a", "b")) is None
    assert figure({"a": {"b": 1}}, ("a", "b")) == 1.0


def test_no_other_module_spells_the_keys():
    homes = {"mmdemo/measures.py", "train/score/metrics.py"}
    for file in sorted([*ROOT.glob("mmdemo/**/*.py"), *ROOT.glob("train/**/*.py")]):
        if file.relative_to(ROOT).as_posix() not in homes:
            source = file.read_text(encoding="utf-8")
            assert not [k for k in ("entity_strict", "micro_without_none", "macro_present") if k in source], (
                file
            )

"""Scores against values computed by hand, the report's kind beside the field's (SPEC §6)."""

import pytest

from mmdemo.datasets.discovery import find_dataset
from train.score.metrics import headline, score_relations, score_tags

RELATIONS = find_dataset("mnre").relation_labels


def triple(precision: float, recall: float, f1: float) -> dict[str, object]:
    return {"precision": pytest.approx(precision), "recall": pytest.approx(recall), "f1": pytest.approx(f1)}


# ---------------------------------------------------------------- tags


def test_tags_by_hand():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
    found = [["B-PER", "I-PER", "O", "O"], ["O", "B-LOC"]]
    scores = score_tags(gold, found)
    # Entities: gold 3, found 2, both right 1 (the second post's is of another type).
    assert scores["entity"] == scores["entity_strict"] == triple(1 / 2, 1 / 3, 0.4)
    # Tokens: 4 of 6 right; O has precision 2/3 and recall 1 (support 2); B-PER, I-PER 1; B-LOC, B-ORG 0.
    assert scores["token"] == {
        "accuracy": pytest.approx(4 / 6),
        **triple((2 * 2 / 3 + 1 + 1) / 6, 4 / 6, (2 * 0.8 + 1 + 1) / 6),
    }
    assert scores["per_class"] == {
        "LOC": {**triple(0, 0, 0), "support": 1},
        "ORG": {**triple(0, 0, 0), "support": 1},
        "PER": {**triple(1, 1, 1), "support": 1},
    }
    assert headline(scores) == pytest.approx(0.4)


def test_half_a_span_is_no_entity():
    scores = score_tags([["B-PER", "I-PER"]], [["B-PER", "O"]])
    assert scores["entity"] == triple(0, 0, 0) and scores["token"]["accuracy"] == 0.5


def test_a_tagger_that_says_o_has_a_high_accuracy_and_no_entity():
    gold = [["B-PER", "I-PER", *["O"] * 10]] * 3 + [["O"] * 2]
    scores = score_tags(gold, [["O"] * len(tags) for tags in gold])
    assert scores["token"]["accuracy"] == pytest.approx(32 / 38)  # .84, as the report's weakest models
    assert scores["token"]["f1"] == pytest.approx(32 / 38 * (64 / 70))
    assert scores["entity"] == scores["entity_strict"] == triple(0, 0, 0)
    assert headline(scores) == 0


def test_nothing_to_find_and_nothing_found_is_no_error():
    scores = score_tags([["O", "O"]], [["O", "O"]])
    assert scores["token"]["accuracy"] == 1 and scores["entity"] == triple(0, 0, 0)
    assert scores["per_class"] == {}


def test_orphan_i_tags_are_entities_by_default_and_none_when_strict():
    gold = [["O", "I-PER", "O", "B-LOC"]]
    found = [["O", "B-PER", "O", "B-LOC"]]
    scores = score_tags(gold, found)
    assert scores["entity"] == triple(1, 1, 1)
    assert scores["entity_strict"] == triple(1 / 2, 1, 2 / 3)


def test_a_type_that_is_only_predicted_has_a_row():
    scores = score_tags([["O", "B-LOC"]], [["B-PER", "B-LOC"]])
    assert scores["per_class"]["PER"] == {**triple(0, 0, 0), "support": 0}
    assert scores["entity"] == triple(1 / 2, 1, 2 / 3)


# ---------------------------------------------------------------- relations


def test_relations_by_hand():
    scores = score_relations(["a", "a", "b", "None"], ["a", "b", "b", "None"], ["None", "a", "b", "c"])
    assert scores["accuracy"] == 0.75
    assert scores["micro"] == triple(0.75, 0.75, 0.75)
    assert scores["micro_without_none"] == triple(2 / 3, 2 / 3, 2 / 3)
    assert scores["macro"] == triple((1 + 1 + 0.5) / 4, (1 + 0.5 + 1) / 4, (1 + 2 / 3 + 2 / 3) / 4)
    assert scores["macro_present"] == triple((1 + 1 + 0.5) / 3, (1 + 0.5 + 1) / 3, (1 + 2 / 3 + 2 / 3) / 3)
    assert scores["weighted"] == triple((1 + 2 * 1 + 0.5) / 4, 0.75, (1 + 2 * 2 / 3 + 2 / 3) / 4)
    assert scores["per_class"]["a"] == {**triple(1, 0.5, 2 / 3), "support": 2}
    assert scores["per_class"]["c"] == {**triple(0, 0, 0), "support": 0}
    assert headline(scores) == pytest.approx(2 / 3)


def test_none_found_for_a_relation_costs_recall_and_the_reverse_precision():
    missed = score_relations(["a", "a"], ["a", "None"], ["None", "a"])["micro_without_none"]
    invented = score_relations(["a", "None"], ["a", "a"], ["None", "a"])["micro_without_none"]
    assert missed == triple(1, 1 / 2, 2 / 3) and invented == triple(1 / 2, 1, 2 / 3)


def test_always_none_has_a_high_accuracy_and_finds_nothing():
    gold = ["None"] * 603 + ["/per/per/peer"] * 397
    scores = score_relations(gold, ["None"] * 1000, RELATIONS)
    assert scores["accuracy"] == pytest.approx(0.603)
    assert scores["micro_without_none"] == triple(0, 0, 0)
    assert scores["macro"]["f1"] == pytest.approx(1.206 / 1.603 / 23)
    assert list(scores["per_class"]) == list(RELATIONS)


def test_always_none_on_the_real_test_split(shared_data):
    from mmdemo.formats.reading import read_split

    gold = [row.post.relations[0].label for row in read_split(shared_data, find_dataset("mnre"), "test")]
    assert score_relations(gold, ["None"] * len(gold), RELATIONS)["accuracy"] == pytest.approx(
        0.603, abs=5e-4
    )


@pytest.mark.parametrize(
    ("dataset", "default", "strict"), [("twitter2015", 5207, 5072), ("twitter2017", 1351, 1351)]
)
def test_the_real_test_splits_have_the_known_entities(shared_data, dataset, default, strict):
    from seqeval.metrics.v1 import precision_recall_fscore_support
    from seqeval.scheme import IOB2

    from mmdemo.formats.reading import read_split
    from mmdemo.posts.gold import gold_tags

    gold = [gold_tags(row.post) for row in read_split(shared_data, find_dataset(dataset), "test")]
    scores = score_tags(gold, gold)
    assert sum(row["support"] for row in scores["per_class"].values()) == default
    assert scores["entity"]["f1"] == scores["entity_strict"]["f1"] == 1
    *_, support = precision_recall_fscore_support(gold, gold, average="micro", scheme=IOB2)
    assert support == strict

"""Triples judged against what sentences state, the fitted map, and the command over a tiny zoo."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from mmdemo.answer.extraction.records import Extraction, FoundEntity, FoundRelation
from mmdemo.cells.calibration import TripleCalibration
from mmdemo.cells.files import read_json
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.types import Ask, Entity, InputError, Pair, Post, Question, Relation, Span
from tests.tiny import TOKENIZER, build_cell, write_data
from train.__main__ import app as train
from train.score import triples
from train.score.triples import JudgedTriples, fit_triples, sentences

POST = Post(text="", tokens=tuple("Ann Lee met Bob in Rome".split()))
ANN, BOB, ROME = (0, 2), (3, 4), (5, 6)


def relation(head: Span, tail: Span, label: str) -> Relation:
    return Relation(head=head, tail=tail, label=label)


def answered(*told: tuple[Span, Span, str]) -> Extraction:
    """An answer with these relations, each of .8 between entities of .5."""
    spans = sorted({span for head, tail, _ in told for span in (head, tail)})
    ids = {span: f"e{i}" for i, span in enumerate(spans)}
    entities = tuple(
        FoundEntity(id=ids[span], label="PER", score=0.5, text="", start=span[0], end=span[1])
        for span in spans
    )
    relations = tuple(
        FoundRelation(id=f"r{i}", head=ids[h], tail=ids[t], label=label, score=0.8, score_with_entities=0.2)
        for i, (h, t, label) in enumerate(told)
    )
    return Extraction(
        post=POST,
        entities=entities,
        relations=relations,
        entities_by="",
        relations_by="",
        entity_labels="",
        relation_labels="",
    )


def judged(post: Post, *told: tuple[Span, Span, str]) -> list[bool]:
    found = list(triples.judged_relations(post, answered(*told), "None", {"peer"}))
    assert all(one[:2] == (0.8, 0.25) for one in found)
    return [right for _, _, right in found]


def test_a_relation_is_right_where_a_row_states_it_exactly():
    post = replace(POST, relations=(relation(ANN, BOB, "peer"), relation(BOB, ROME, "born")))
    assert judged(post, (ANN, BOB, "peer"), (BOB, ROME, "born")) == [True, True]
    assert judged(post, (BOB, ANN, "peer"), (ROME, BOB, "born")) == [True, False]  # a symmetric one turns
    assert judged(post, (ANN, BOB, "born")) == [False]
    assert judged(post, ((1, 2), BOB, "peer")) == [False]  # wrong bounds


def test_of_pairs_that_no_row_states_nothing_is_known_unless_all_entities_are():
    stated = (relation(ANN, BOB, "peer"), relation(BOB, ROME, "None"))
    post = replace(POST, relations=stated)
    assert judged(post, (ANN, ROME, "born")) == []
    assert judged(post, (BOB, ROME, "born")) == [False]  # stated to have none
    whole = replace(post, entities=(Entity(start=0, end=2, label="PER"),))
    assert judged(whole, (ANN, ROME, "born")) == [False]


def test_rows_of_one_sentence_are_one_post():
    rows = [
        Question(
            post=replace(POST, relations=(relation(head, tail, "peer"),), entities=()),
            ask=Ask(entities=False, relations=(Pair(head=head, tail=tail),)),
        )
        for head, tail in ((ANN, BOB), (BOB, ROME))
    ]
    (post,) = sentences(rows)
    assert [(one.head, one.tail) for one in post.relations or ()] == [(ANN, BOB), (BOB, ROME)]
    assert post.entities is None, "a relation's row leaves entities unsaid"


def test_the_map_that_drew_the_answers_is_found():
    rng = np.random.default_rng(0)
    relations, entities = rng.uniform(0.3, 1, 20000), rng.uniform(0.2, 1, 20000)
    true = TripleCalibration(a=0.5, b=1.5, c=-1.2)
    chances = np.array([true.score(r, e) for r, e in zip(relations, entities, strict=True)])
    found = fit_triples(
        JudgedTriples(relations=relations, entities=entities, right=rng.random(20000) < chances)
    )
    assert found is not None
    assert (found.a, found.b, found.c) == pytest.approx((0.5, 1.5, -1.2), abs=0.12)


@pytest.mark.parametrize("right", [np.ones(40, dtype=bool), np.zeros(40, dtype=bool), np.ones(5, dtype=bool)])
def test_too_few_right_or_wrong_give_no_map(right):
    scores = np.full(len(right), 0.5)
    assert fit_triples(JudgedTriples(relations=scores, entities=scores, right=right)) is None


@pytest.fixture
def asked(tmp_path, monkeypatch) -> list[str]:
    """The command over an entity cell and a relation cell without training, and a folder of data."""
    root = tmp_path / "zoo"
    (root / "lite" / "base").mkdir(parents=True)
    shutil.copy(TOKENIZER, root / "lite" / "base")
    torch.manual_seed(5)
    for name in ("twitter2017", "mnre"):
        build_cell(root, ModelConfig(dataset=find_dataset(name), preset="tiny"))
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(root))
    data = write_data(tmp_path / "data", posts=1, valid=24)
    return ["triples", "--data", str(data), "--preset", "tiny"]


def test_what_was_measured_is_written_beside_what_was_there(asked, tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    found = JudgedTriples(
        relations=rng.uniform(0, 1, 300), entities=rng.uniform(0, 1, 300), right=rng.random(300) < 0.4
    )
    monkeypatch.setattr(triples, "judge_triples", lambda *given: found)
    (cell,) = (file.parent for file in (tmp_path / "zoo" / "tiny" / "mnre").rglob("metrics.json"))
    before = read_json(cell / "metrics.json")
    result = CliRunner().invoke(train, asked, catch_exceptions=False)
    assert result.exit_code == 0 and "ECE of triples" in result.stdout
    stated = read_json(cell / "metrics.json")
    assert {key: stated[key] for key in before} == before
    assert stated["triples"]["entities"] == "twitter2017" and stated["triples"]["judged"]["test"] == 300
    assert stated["triples"]["after"]["ece"] < stated["triples"]["before"]["ece"]
    assert TripleCalibration.of(stated, "twitter2017") == fit_triples(found)


def test_cells_without_training_are_too_seldom_right_to_tell(asked, tmp_path):
    with pytest.raises(InputError, match="too few relations of tiny/mnre"):
        CliRunner().invoke(train, asked, catch_exceptions=False)
    (cell,) = (file.parent for file in (tmp_path / "zoo" / "tiny" / "mnre").rglob("metrics.json"))
    assert "triples" not in read_json(cell / "metrics.json")


def test_an_unknown_part_of_a_name_is_one_sentence(asked):
    with pytest.raises(InputError, match="no ready cell of 'nothing' tells relations"):
        CliRunner().invoke(train, [*asked, "--cells", "nothing"], catch_exceptions=False)

"""A stored cell as a row's teacher: its probabilities beside gold, its labels for other datasets' posts."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from mmdemo.cells.card import load_card
from mmdemo.cells.conditions import Conditions
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.batch import collate
from mmdemo.models.model import ModelOutput
from mmdemo.posts.gold import gold_tags
from mmdemo.types import InputError
from tests.tiny import write_data
from tests.train.cells.test_row import settings
from train.__main__ import app
from train.cells import teacher as teaching_cell
from train.cells.joint import run_rows
from train.cells.row import run_row
from train.cells.run import ensure_base, material_of
from train.cells.teacher import Teacher, teachers_of
from train.fit.rows.loss import row_loss, teaching
from train.fit.rows.stage import fresh_row, taught_examples
from train.fit.stages import Material, shared_part

T17, MNRE = find_dataset("twitter2017"), find_dataset("mnre")
NEW = ["Zoe", "Quill", "hums"]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """MNRE's training split also has one text of its own, twice, and one that T17's test split holds."""
    folder = write_data(tmp_path_factory.mktemp("data"), 24)
    held_out = [line.split("\t")[0] for line in (folder / "twitter2017/test.txt").read_text().split("\n")[1:]]
    held_out = held_out[: held_out.index("")]
    with (folder / "mnre" / "mnre_train.txt").open("a") as file:
        for tokens in (NEW, [token.upper() for token in NEW], held_out):
            h, t = {"name": tokens[0], "pos": [0, 1]}, {"name": tokens[1], "pos": [1, 2]}
            file.write(f"{dict(token=tokens, h=h, t=t, img_id='x.jpg', relation='None')}\n")
    return folder


@pytest.fixture(scope="module")
def cell(data, tmp_path_factory) -> Path:
    """The teacher: a row's cell."""
    return next(run_row(settings(data, tmp_path_factory.mktemp("teacher")), ["concat"]))


def taught_by(cell: Path, data: Path, place: Path, *others: str, **options):
    teacher = Teacher(folder=cell, others=tuple(map(find_dataset, others)))
    own = replace(settings(data, place, **options), teacher=teacher)
    ensure_base(own)
    return own


def told(own) -> Material:
    return material_of(own, own.recipe("row"))


def test_a_row_learns_from_a_cell_and_from_posts_that_it_labels(data, cell, tmp_path, capsys):
    own = taught_by(cell, data, tmp_path, "mnre")
    folder = next(run_row(own, ["film"]))
    assert "posts of mnre that tiny/twitter2017/roberta-resnet50/concat labels: 1" in capsys.readouterr().out
    card = load_card(folder)
    assert card.training["teacher"] == own.teacher.facts and len(own.teacher.facts["sha256"]) == 64
    assert Conditions.of(card.metrics).training_posts == 24 + 1
    plain = replace(own, teacher=None)
    with pytest.raises(InputError, match="other settings"):
        next(run_row(plain, ["film"]))


def test_gold_stays_and_new_texts_come_once_and_without_held_out_ones(data, cell, tmp_path):
    own = taught_by(cell, data, tmp_path, "mnre")
    found, plain = told(own), told(replace(own, teacher=None))
    assert [gold_tags(q.post) for q in found.train[:24]] == [gold_tags(q.post) for q in plain.train]
    assert [q.post.tokens for q in found.train[24:]] == [tuple(NEW)]
    assert found.train[24].post.relations is None and found.train[24].post.entities is not None
    assert found.valid == plain.valid
    assert found.taught is not None and len(found.taught) == 25
    for question, answer in zip(found.train, found.taught, strict=True):
        assert answer.shape == (len(question.post.tokens), len(T17.tags))
        np.testing.assert_allclose(answer.sum(1), 1, atol=1e-3)


def test_answers_are_kept(data, cell, tmp_path, monkeypatch):
    own = taught_by(cell, data, tmp_path)
    first = told(own)
    monkeypatch.setattr(teaching_cell, "load_model", lambda *_: pytest.fail("asked twice"))
    for one, again in zip(first.taught or (), told(own).taught or (), strict=True):
        np.testing.assert_allclose(one, again, atol=1e-3)


def test_a_share_of_the_posts_keeps_their_answers(data, cell, tmp_path):
    own = taught_by(cell, data, tmp_path)
    whole = told(own)
    part = shared_part(whole, replace(own.recipe("row"), share=0.5))
    assert part.taught is not None and len(part.taught) == len(part.train) == 12
    for question, answer in zip(part.train, part.taught, strict=True):
        assert answer is (whole.taught or ())[whole.train.index(question)]


def test_what_cannot_be_taught_is_refused(data, cell, tmp_path):
    with pytest.raises(InputError, match="answers with the labels of twitter2017; not mnre's"):
        told(taught_by(cell, data, tmp_path, dataset="mnre"))
    relations = next(run_row(settings(data, tmp_path / "mnre", dataset="mnre"), ["concat"]))
    with pytest.raises(InputError, match="entities alone"):
        told(taught_by(relations, data, tmp_path, "twitter2017", dataset="mnre"))
    assert told(taught_by(relations, data, tmp_path, dataset="mnre")).taught is not None
    with pytest.raises(InputError, match="both teach twitter2017"):
        teachers_of([MNRE, T17], [cell, cell], [])
    with pytest.raises(InputError, match="not mnre's"):
        teachers_of([MNRE], [cell], [])
    asked = ["row", "--dataset", "twitter2017", "--data", str(data), "--taught", "mnre"]
    answer = CliRunner().invoke(app, asked)
    assert answer.exit_code != 0 and "needs --teacher" in str(answer.exception or answer.output)


def test_of_rows_that_train_together_each_has_its_own_teacher_or_none(data, cell, tmp_path):
    names = ("twitter2017", "mnre")
    first, second = teachers_of(list(map(find_dataset, names)), [cell], [MNRE, T17])
    assert first == Teacher(folder=cell, others=(MNRE,)) and second is None
    runs = [
        replace(settings(data, tmp_path, dataset=name), teacher=own)
        for name, own in zip(names, (first, second), strict=True)
    ]
    taught, plain = (load_card(folder) for folder in run_rows(runs, ["concat"]))
    assert taught.training["teacher"] == first.facts and "teacher" not in plain.training
    assert Conditions.of(taught.metrics).training_posts == 24 + 1


def test_the_loss_is_how_far_the_cells_are_from_the_teacher(data, cell, tmp_path):
    own = taught_by(cell, data, tmp_path)
    material, recipe = told(own), replace(own.recipe("row"), align=0.0)
    row = fresh_row(own.config, ["concat", "image-only"], recipe, own.out).eval()
    batch = collate(taught_examples(material)[:4])
    assert batch.taught is not None and batch.targets is not None
    cells = row.by_fusion()
    with torch.no_grad():
        found = row(batch)
    # A cell that answers as the teacher does has nothing to learn from it; the photo alone is not asked.
    same = found | {"concat": ModelOutput(logits=batch.taught.log(), trace={})}
    assert float(teaching(cells, same, batch)) == pytest.approx(0, abs=1e-5)
    far = float(teaching(cells, found, batch))
    assert far > 0
    gold = float(row_loss(row, found, replace(batch, taught=None), recipe))
    mixed = float(row_loss(row, found, batch, replace(recipe, distill=0.25)))
    assert mixed == pytest.approx(0.75 * gold + 0.25 * far, rel=1e-5)
    # Words that the teacher did not see say nothing.
    blind = replace(batch, taught=torch.full_like(batch.taught, math.nan))
    assert float(teaching(cells, found, blind)) == 0

"""Saved answers meet the posts that they are to: the cell's own split scheme and limit, or an error."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmdemo.cells.files import write_json
from mmdemo.datasets.discovery import find_dataset
from mmdemo.models.config import ModelConfig
from mmdemo.types import InputError
from tests.tiny import write_card, write_data
from train.data.source import DataSource
from train.score.answers import answered_questions, load_answers, save_answers
from train.score.calibrate import calibrate_all
from train.score.photo_effect import measure_all


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> DataSource:
    return DataSource(folder=write_data(tmp_path_factory.mktemp("data"), 60))


def answer(place: Path, source: DataSource, name: str, limit: int | None, **metrics) -> str:
    """A cell with answers to its posts, and its metrics and card, but no weights."""
    dataset = find_dataset(name)
    cell, labels = f"tiny/{name}/blip/film", dataset.outputs(dataset.tasks[0])
    for split in ("valid", "test"):
        posts = source.posts(dataset, split)[:limit]
        sizes = [(len(p.tokens), len(dataset.tags)) if p.entities is not None else () for p in posts]
        rows = [np.full(size or len(labels), 1 / len(labels)) for size in sizes]
        save_answers(place / "work/answers" / cell / f"{split}.npz", dict.fromkeys(("photo", "none"), rows))
    write_json(place / "out" / cell / "metrics.json", {"cell": cell, "splits": {}, **metrics})
    config = ModelConfig(dataset=dataset, model="blip", fusion="film", preset="tiny")
    write_card(place / "out", config, {"limit": limit})
    return cell


@pytest.mark.parametrize("dataset", ["twitter2017", "mnre"])
@pytest.mark.parametrize(("scheme", "limit"), [("report", None), ("official", 5), ("report", 3)])
def test_a_cells_own_split_scheme_and_limit_count(source, tmp_path, dataset, scheme, limit):
    own = replace(source, scheme=scheme)
    cell = answer(tmp_path, own, dataset, limit, split_scheme=scheme)
    folder, answers = tmp_path / "out" / cell, tmp_path / "work/answers" / cell
    found, questions, rows = answered_questions(folder, answers, source, "test")
    assert found == find_dataset(dataset)
    assert questions == own.questions(found, "test", limit) and len(rows["photo"]) == len(questions)
    assert list(calibrate_all(tmp_path / "out", tmp_path / "work", source, "tiny")) == [cell]
    assert list(measure_all(tmp_path / "out", tmp_path / "work", source, "tiny")) == [cell]


@pytest.mark.parametrize("measure", [calibrate_all, measure_all])
@pytest.mark.parametrize("dataset", ["twitter2017", "mnre"])
def test_answers_to_other_posts_are_refused(source, tmp_path, dataset, measure):
    answer(tmp_path, replace(source, scheme="report"), dataset, None)  # whose metrics do not say so
    with pytest.raises(InputError, match="answers other posts than those of (valid|test) in"):
        measure(tmp_path / "out", tmp_path / "work", source, "tiny")


def test_as_many_answers_to_other_posts_are_refused_by_their_words(source, tmp_path):
    cell = answer(tmp_path, source, "twitter2017", None)
    folder, answers = tmp_path / "out" / cell, tmp_path / "work/answers" / cell
    (answers / "valid.npz").replace(answers / "test.npz")
    with pytest.raises(InputError, match="answers other posts"):
        answered_questions(folder, answers, source, "test")


def test_answers_about_posts_and_about_pairs_stay_apart(tmp_path):
    """Rows of two tasks have other columns; they come back in the order in which questions are asked."""
    rows = [np.full((3, 5), 0.2), np.full((2, 5), 0.2), np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.8, 0.1])]
    save_answers(tmp_path / "test.npz", {"photo": rows, "none": rows})
    found = load_answers(tmp_path / "test.npz")
    assert list(found) == ["none", "photo"]
    for row, again in zip(rows, found["photo"], strict=True):
        np.testing.assert_allclose(row, again, rtol=1e-6)


@pytest.mark.parametrize("left", [0, 30, -30])
def test_answers_that_are_cut_off_name_the_file_and_what_to_do(tmp_path, left):
    file = tmp_path / "test.npz"
    save_answers(file, {"photo": [np.ones((3, 4)), np.ones((2, 4))]})
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(InputError, match=f"{file} are missing or damaged; train the cell again"):
        load_answers(file)

"""Saved answers meet the posts that they are to: the cell's own split scheme and limit, or an error."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmdemo.cells.files import write_json
from mmdemo.datasets.bio import bio_tags, output_labels
from mmdemo.types import InputError
from tests.tiny import write_data
from train.data.source import DataSource
from train.score.answers import answered_posts, load_answers, save_answers
from train.score.calibrate import calibrate_all
from train.score.photo_effect import measure_all


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> DataSource:
    return DataSource(folder=write_data(tmp_path_factory.mktemp("data"), 60))


def answer(place: Path, source: DataSource, dataset: str, limit: int | None, **metrics) -> str:
    """A cell with answers to its posts, and its metrics and card, but no weights."""
    cell, labels = f"tiny/{dataset}/blip/film", output_labels(dataset)
    for split in ("valid", "test"):
        posts = source.posts(dataset, split)[:limit]
        sizes = [(len(p.tokens), len(bio_tags(dataset))) if p.entities is not None else () for p in posts]
        rows = [np.full(size or len(labels), 1 / len(labels)) for size in sizes]
        save_answers(place / "work/answers" / cell / f"{split}.npz", dict.fromkeys(("photo", "none"), rows))
    write_json(place / "out" / cell / "metrics.json", {"cell": cell, "splits": {}, **metrics})
    write_json(place / "out" / cell / "config.json", {"training": {"limit": limit}})
    return cell


@pytest.mark.parametrize("dataset", ["twitter2017", "mnre"])
@pytest.mark.parametrize(("scheme", "limit"), [("report", None), ("official", 5), ("report", 3)])
def test_a_cells_own_split_scheme_and_limit_count(source, tmp_path, dataset, scheme, limit):
    own = replace(source, scheme=scheme)
    cell = answer(tmp_path, own, dataset, limit, split_scheme=scheme)
    posts, rows = answered_posts(tmp_path / "out" / cell, tmp_path / "work/answers" / cell, source, "test")
    assert posts == own.posts(dataset, "test")[:limit] and len(rows["photo"]) == len(posts)
    assert list(calibrate_all(tmp_path / "out", tmp_path / "work", source, "tiny")) == [cell]
    assert list(measure_all(tmp_path / "out", tmp_path / "work", source, "tiny")) == [cell]


@pytest.mark.parametrize("measure", [calibrate_all, measure_all])
@pytest.mark.parametrize("dataset", ["twitter2017", "mnre"])
def test_answers_to_other_posts_are_refused(source, tmp_path, dataset, measure):
    answer(tmp_path, replace(source, scheme="report"), dataset, None)  # whose metrics do not say so
    with pytest.raises(InputError, match="answers other posts than the 8 of (valid|test) in"):
        measure(tmp_path / "out", tmp_path / "work", source, "tiny")


def test_as_many_answers_to_other_posts_are_refused_by_their_words(source, tmp_path):
    cell = answer(tmp_path, source, "twitter2017", None)
    folder, answers = tmp_path / "out" / cell, tmp_path / "work/answers" / cell
    (answers / "valid.npz").replace(answers / "test.npz")
    with pytest.raises(InputError, match="answers other posts"):
        answered_posts(folder, answers, source, "test")


@pytest.mark.parametrize("left", [0, 30, -30])
def test_answers_that_are_cut_off_name_the_file_and_what_to_do(tmp_path, left):
    file = tmp_path / "test.npz"
    save_answers(file, {"photo": [np.ones((3, 4)), np.ones((2, 4))]})
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(InputError, match=f"{file} are missing or damaged; train the cell again"):
        load_answers(file)

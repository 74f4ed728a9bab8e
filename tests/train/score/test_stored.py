"""Scoring stored cells again: the same figures where nothing changed, and nothing that belonged to others."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mmdemo.cells.files import read_json, write_json
from mmdemo.types import InputError
from tests.tiny import write_data
from train.__main__ import app
from train.score import stored
from train.score.answers import load_answers
from train.score.stored import FROM_ANSWERS

ROW = "tiny/mnre/roberta-resnet50"
CELLS = [f"{ROW}/film", f"{ROW}/concat"]


def train(*arguments: str) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def trained(tmp_path) -> tuple[Path, Path]:
    """Data, and a folder of two trained cells whose metrics.json say what followed from their answers."""
    data, runs = write_data(tmp_path / "data", 24, valid=12), tmp_path / "runs"
    options = ["--data", data, "--out", runs, "--work", runs, "--recipe", "words"]
    sets = ["--set", "preset=tiny", "--set", "row.epochs=1"]
    train("row", "--dataset", "mnre", "--fusions", "film,concat", *options, *sets)
    for cell in CELLS:
        file = runs / cell / "metrics.json"
        write_json(file, read_json(file) | dict.fromkeys(FROM_ANSWERS, {"of": "before"}))
    return data, runs


def test_what_has_not_changed_scores_the_same_and_what_followed_is_gone(trained, tmp_path):
    data, runs = trained
    before = {cell: read_json(runs / cell / "metrics.json") for cell in CELLS}
    said = train(
        "rescore", "--data", data, "--root", runs, "--work", tmp_path / "again", "--cells", f"{ROW}/*"
    )
    assert [line.partition(" ")[0] for line in said.splitlines()] == sorted(CELLS)
    for cell in CELLS:
        found = read_json(runs / cell / "metrics.json")
        assert found["splits"] == before[cell]["splits"] and found["conditions"] == before[cell]["conditions"]
        assert not set(FROM_ANSWERS) & set(found) and set(found["scored"]) == {"commit", "tree", "torch"}
        for split in ("valid", "test"):
            kept, again = (
                load_answers(w / "answers" / cell / f"{split}.npz") for w in (runs, tmp_path / "again")
            )
            assert kept.keys() == again.keys()
            for condition, rows in kept.items():
                np.testing.assert_allclose(np.concatenate(rows), np.concatenate(again[condition]), atol=1e-6)


def test_it_goes_on_where_it_was_stopped(trained, tmp_path):
    data, runs = trained
    options = ["--data", data, "--root", runs, "--work", tmp_path / "again", "--cells"]
    assert train("rescore", *options, "*/film").startswith(CELLS[0])
    file = runs / CELLS[0] / "metrics.json"
    write_json(file, {**read_json(file), "calibration": {"of": "now"}})
    assert train("rescore", *options, "*").startswith(CELLS[1])
    assert read_json(file)["calibration"] == {"of": "now"}


def test_a_kill_before_the_figures_are_written_leaves_the_cell_to_do(trained, tmp_path, monkeypatch):
    data, runs = trained
    options = ["--data", data, "--root", runs, "--work", tmp_path / "again", "--cells", "*/film"]

    def killed(file: Path, value: dict[str, object]) -> None:
        raise InputError("killed")

    monkeypatch.setattr(stored, "write_json", killed)
    with pytest.raises(InputError, match="killed"):
        train("rescore", *options)
    monkeypatch.undo()
    assert "scored" not in read_json(runs / CELLS[0] / "metrics.json")
    assert train("rescore", *options).startswith(CELLS[0])
    assert "scored" in read_json(runs / CELLS[0] / "metrics.json")


def test_no_cell_of_that_name_is_told(trained):
    data, runs = trained
    result = CliRunner().invoke(
        app, ["rescore", "--data", str(data), "--root", str(runs), "--cells", "lite/*"]
    )
    assert result.exit_code and "no cell in" in str(result.output or result.exception)

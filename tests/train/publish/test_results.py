"""README's tables come from metrics.json."""

import json
from pathlib import Path

import pytest

from mmdemo.types import InputError
from train.publish.results import END, START, results_table, write_results

ROOT = Path(__file__).parents[2]


def put_cell(root: Path, cell: str, photo: dict[str, object]) -> None:
    folder = root / cell
    folder.mkdir(parents=True)
    test = {condition: photo for condition in ("photo", "blank", "shuffled", "none")}
    (folder / "metrics.json").write_text(json.dumps({"cell": cell, "splits": {"valid": test, "test": test}}))


def test_table_shows_the_field_s_figure_first_and_the_report_s_beside_it(tmp_path: Path) -> None:
    put_cell(
        tmp_path,
        "lite/twitter2017/roberta-resnet50/film",
        {
            "entity": {"f1": 0.8312},
            "entity_strict": {"f1": 0.83},
            "token": {"accuracy": 0.961, "f1": 0.9605},
        },
    )
    put_cell(
        tmp_path,
        "lite/mnre/roberta-resnet50/concat",
        {
            "micro_without_none": {"f1": 0.61},
            "macro": {"f1": 0.4},
            "accuracy": 0.74,
            "weighted": {"f1": 0.73},
        },
    )
    lines = results_table(tmp_path).splitlines()
    assert (
        "| roberta-resnet50 | **film** | 83.12 | 83.12 | 83.00 | 96.10 | 96.05 | 83.12 | 83.12 | 83.12 |"
        in lines
    )
    assert (
        "| roberta-resnet50 | **concat** | 61.00 | 61.00 | 40.00 | 74.00 | 73.00 | 61.00 | 61.00 | 61.00 |"
        in lines
    )


def test_photos_seeds_and_published_figures_are_told_where_they_are_measured(tmp_path: Path) -> None:
    photo = {"entity": {"f1": 0.8}, "entity_strict": {"f1": 0.8}, "token": {"accuracy": 0.96, "f1": 0.96}}
    put_cell(tmp_path, "lite/twitter2017/blip/film", photo)
    put_cell(tmp_path, "lite/twitter2017/blip/hybrid", photo)
    file = tmp_path / "lite/twitter2017/blip/film/metrics.json"
    run = {"valid": {"photo": 0.8}, "test": dict.fromkeys(("photo", "blank", "shuffled", "none"), 0.7)}
    metrics = json.loads(file.read_text()) | {
        "photo_effect": {"against": {"none": {"change": -0.012, "low": -0.02, "high": -0.001}}},
        "seeds": [run, {**run, "valid": {"photo": 0.82}}],
    }
    file.write_text(json.dumps(metrics))
    table = results_table(tmp_path)
    assert "of 1 cells 0 gain and 1 lose beyond a 95 % interval" in table and "-1.20 to -1.20" in table
    assert "| blip | film | 2 | 81.00 ± 1.41 | 70.00 ± 0.00 |" in table
    assert "| this zoo's chosen cell | - | 80.00 | - |" in table and "| UMT | 73.41 | 85.31 | - |" in table


def test_only_the_part_between_the_marks_is_replaced(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    write_results(tmp_path / "none", readme)
    assert readme.read_text() == f"before\n{START}\n\n{END}\nafter\n"


def test_a_readme_without_marks_is_refused_and_left_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("no marks")
    with pytest.raises(InputError, match="README.md lacks"):
        write_results(tmp_path, readme)
    assert readme.read_text() == "no marks"


def test_the_shipped_readme_is_up_to_date() -> None:
    assert results_table(ROOT / "checkpoints") in (ROOT / "README.md").read_text(encoding="utf-8")

"""The tables of docs/results.md and README come from metrics.json."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdemo.types import InputError
from train.__main__ import app
from train.publish.results import (
    CHOSEN,
    PAGES,
    RESULTS,
    chosen_table,
    note_commits,
    results_table,
    write_results,
)

ROOT = Path(__file__).parents[3]


COMMIT = "0123456789abcdef"


def put_cell(root: Path, cell: str, photo: dict[str, object]) -> None:
    folder = root / cell
    folder.mkdir(parents=True)
    test = {condition: photo for condition in ("photo", "blank", "shuffled", "none")}
    stated = {"cell": cell, "commit": COMMIT, "conditions": {"commit_exists": True}}
    (folder / "metrics.json").write_text(json.dumps({**stated, "splits": {"valid": test, "test": test}}))


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
    figures = "83.12 | 83.12 | 83.00 | 96.10 | 96.05 | 83.12 | 83.12 | 83.12 |"
    assert f"| roberta-resnet50 | **film** | - | 0123456 | - | {figures}" in lines
    figures = "61.00 | 61.00 | 40.00 | 74.00 | 73.00 | 61.00 | 61.00 | 61.00 |"
    assert f"| roberta-resnet50 | **concat** | - | 0123456 | - | {figures}" in lines


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
    assert (
        "- joint: of 1 cells 0 gain and 1 lose beyond a 95 % interval" in table and "-1.20 to -1.20" in table
    )
    assert "| blip | film | 2 | 81.00 ± 1.41 | 70.00 ± 0.00 |" in table
    assert "| this zoo's chosen cell | - | 80.00 | - |" in table and "| UMT | 73.41 | 85.31 | - |" in table


def test_a_figure_says_on_how_many_posts_and_from_which_seed_it_is(tmp_path: Path) -> None:
    photo = {"entity": {"f1": 0.8}, "entity_strict": {"f1": 0.7}, "token": {"accuracy": 0.96, "f1": 0.9}}
    put_cell(tmp_path, "lite/twitter2017/blip/film", photo)
    file = tmp_path / "lite/twitter2017/blip/film/metrics.json"
    metrics = json.loads(file.read_text()) | {"seed": 7, "data": "own photos", "split_scheme": "report"}
    metrics["splits"]["valid"]["posts"], metrics["splits"]["test"]["posts"] = 40, 1234
    file.write_text(json.dumps(metrics))
    line = (
        "| twitter2017 | blip, film (report's splits) | 7 | 0123456 | 40 | 1,234 | entity F1 | 80.00 | 80.00 "
    )
    line += "| token accuracy | 96.00 | 96.00 |"
    told = (
        "Preset lite; photos: own photos; splits: report; not stated: posts, training posts, text cleaning, "
    )
    told += "recipe, torch, hardware, precision."
    assert chosen_table(tmp_path).splitlines()[2:] == [line, "", told]
    table = results_table(tmp_path)
    assert (
        line in table
        and "| blip | **film** (report's splits) | 7 | 0123456 | 1,234 | 80.00 | 80.00 | 70.00 |" in table
    )
    assert f"All 1 cells, the chosen one in bold. {told}" in table
    assert "| blip (report's splits) | 1 | 80.00 | 80.00 | 0.00 |" in table


def test_posts_without_photos_have_dashes_where_no_other_photo_was_tried(tmp_path: Path) -> None:
    photo = {"entity": {"f1": 0.8}, "entity_strict": {"f1": 0.8}, "token": {"accuracy": 0.96, "f1": 0.96}}
    name = "lite/twitter2017/blip/film"
    put_cell(tmp_path, name, photo)
    both = {"photo": photo, "none": photo}
    seeds = [{"valid": {"photo": 0.8}, "test": {"photo": 0.8, "none": 0.8}}]
    calibration = {"entities": {"before": {"ece": 0.2}, "after": {"ece": 0.1}}}
    splits = {"valid": both, "test": both}
    stated = {"cell": name, "splits": splits, "seeds": seeds, "calibration": calibration}
    stated |= {"commit": COMMIT, "conditions": {"commit_exists": True}}
    (tmp_path / name / "metrics.json").write_text(json.dumps(stated))
    table = results_table(tmp_path)
    assert (
        "| blip | **film** | - | 0123456 | - | 80.00 | 80.00 | 80.00 | 96.00 | 96.00 | - | - | 80.00 |"
        in table
    )
    assert "| blip | film | 1 | 80.00 ± 0.00 | 80.00 ± 0.00 | - | - | 80.00 ± 0.00 |" in table
    assert "0.200 before, 0.100 after" in table


def test_a_limited_figure_is_marked_wherever_it_stands_and_never_chosen_over_a_full_one(
    tmp_path: Path,
) -> None:
    photo = {"entity": {"f1": 0.9}, "entity_strict": {"f1": 0.9}, "token": {"accuracy": 0.96, "f1": 0.96}}
    put_cell(tmp_path, "lite/twitter2017/blip/film", photo)
    put_cell(
        tmp_path,
        "lite/twitter2017/blip/hybrid",
        photo | {"entity": {"f1": 0.8}, "entity_strict": {"f1": 0.8}},
    )
    folder = tmp_path / "lite/twitter2017/blip/film"
    (folder / "config.json").write_text(json.dumps({"training": {"limit": 300}}))  # as older cells state it
    run = {"valid": {"photo": 0.9}, "test": {"photo": 0.9}}
    effect = {"against": {"none": {"change": 0.0, "low": 0.0, "high": 0.0}}}
    stated = {"seeds": [run, run], "photo_effect": effect, "calibration": {}}
    stated["calibration"] = {"before": {"ece": 0.2}, "after": {"ece": 0.1}}
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps(metrics | stated))
    table = results_table(tmp_path)
    mark = "(limited: 300 posts)"
    assert chosen_table(tmp_path).splitlines()[2].startswith("| twitter2017 | blip, hybrid | - |")
    assert f"| blip | film {mark} | - | 0123456 |" in table and f"| blip | film {mark} | 2 |" in table
    assert "| blip (1 limited: 300 posts) | 2 | 80.00 | 90.00 |" in table
    assert f"0.100 after {mark}." in table and f"to +0.00 points {mark}." in table
    with_90 = [line for line in table.splitlines() if "90.00" in line]
    assert len(with_90) == 3 and all("limited: 300 posts" in line for line in with_90)
    (folder.parent / "hybrid" / "metrics.json").unlink()
    assert f"| twitter2017 | blip, film {mark} | - |" in chosen_table(tmp_path)  # the only one
    assert f"Marks of this zoo's: twitter2017: {mark[1:-1]}." in results_table(tmp_path)


def test_what_git_says_of_commits_is_noted_with_the_figures(tmp_path: Path, monkeypatch) -> None:
    photo = {"entity": {"f1": 0.8}, "entity_strict": {"f1": 0.8}, "token": {"accuracy": 0.96, "f1": 0.96}}
    for fusion in ("film", "hybrid", "native"):
        put_cell(tmp_path, f"lite/twitter2017/blip/{fusion}", photo)
    files = {name: tmp_path / f"lite/twitter2017/blip/{name}/metrics.json" for name in ("film", "native")}
    files["film"].write_text(files["film"].read_text().replace(COMMIT, "fffffff"))
    stated = json.loads(files["native"].read_text())
    files["native"].write_text(json.dumps({k: v for k, v in stated.items() if k != "commit"}))
    says = {COMMIT: True, "fffffff": False}
    monkeypatch.setattr("train.publish.results.exist_here", lambda commits: {c: says[c] for c in commits})
    told = note_commits(tmp_path)
    assert sorted(told.removeprefix("commits: ").split(", ")) == ["1 here", "1 not stated", "1 unknown here"]
    assert json.loads(files["film"].read_text())["conditions"] == {"commit_exists": False}
    assert "film (commit unknown here)" in results_table(tmp_path)
    before = {file: file.read_bytes() for file in files.values()}
    monkeypatch.setattr("train.publish.results.exist_here", lambda commits: dict.fromkeys(commits))
    assert "2 not checked" in note_commits(tmp_path)  # without git notes stay as they are
    assert {file: file.read_bytes() for file in before} == before


def test_a_missing_figure_is_named(tmp_path: Path) -> None:
    put_cell(tmp_path, "lite/twitter2017/blip/film", {"entity": {"f1": 0.8}})
    with pytest.raises(InputError, match="lite/twitter2017/blip/film.*splits/valid/photo/token/accuracy"):
        results_table(tmp_path)


def test_each_page_gets_the_parts_it_has_marks_for(tmp_path: Path) -> None:
    put_cell(
        tmp_path,
        "lite/mnre/blip/film",
        {
            "micro_without_none": {"f1": 0.61},
            "macro": {"f1": 0.4},
            "accuracy": 0.74,
            "weighted": {"f1": 0.73},
        },
    )
    short, whole = tmp_path / "README.md", tmp_path / "results.md"
    short.write_text(f"a\n{CHOSEN.start}\nold\n{CHOSEN.end}\nb\n")
    whole.write_text(f"{RESULTS.start}\n{RESULTS.end}\n")
    shown = CliRunner().invoke(
        app, ["results", "--root", str(tmp_path), "--readme", str(whole), "--page", str(short)]
    )
    assert shown.exit_code == 0 and shown.stdout == results_table(tmp_path) + "\n"
    assert shown.stderr.startswith("commits: 1 ")
    assert short.read_text() == f"a\n{CHOSEN.start}\n{chosen_table(tmp_path)}\n{CHOSEN.end}\nb\n"
    assert whole.read_text() == f"{RESULTS.start}\n{results_table(tmp_path)}\n{RESULTS.end}\n"


def test_no_page_is_written_where_one_cannot_be(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(f"{RESULTS.start}\nold\n{RESULTS.end}\n")
    bad.write_text("no marks")
    with pytest.raises(InputError, match="bad.md lacks"):
        write_results(tmp_path, [good, bad])
    assert "old" in good.read_text() and bad.read_text() == "no marks"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_shipped_pages_are_what_the_command_writes_now(page: Path) -> None:
    shipped = (ROOT / page).read_text(encoding="utf-8")
    mark = next(mark for mark in (RESULTS, CHOSEN) if mark.start in shipped)
    before, _, rest = shipped.partition(mark.start)
    part = {RESULTS: results_table, CHOSEN: chosen_table}[mark](ROOT / "checkpoints")
    assert len(part.splitlines()) >= 5
    assert shipped == f"{before}{mark.start}\n{part}\n{mark.end}{rest.partition(mark.end)[2]}"

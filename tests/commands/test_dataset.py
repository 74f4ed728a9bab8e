"""``python -m mmdemo dataset``: a folder to a record and back, as lines and as JSON."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdemo.commands.dataset import app
from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.records import read_record
from mmdemo.datasets.toml_file import FILE, read_toml
from mmdemo.types import InputError

LINES = [
    {"sentence": ["Ann", "leads", "Blur", str(number)], "ner": [[0, 0, "singer"], [2, 2, "band"]],
     "relations": [[0, 0, 2, 2, "leads"]]}
    for number in range(30)
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bands").mkdir()
    (tmp_path / "bands" / "all.json").write_text("\n".join(map(json.dumps, LINES)))
    return tmp_path / "bands"


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_first_session(folder: Path) -> None:
    said = run("new", folder)
    assert "all.json: 30 posts, dygie, no split in its name" in said and "splits made" in said
    assert "2 entities: band (30), singer (30)" in said and "1 relations: leads (30)" in said
    said = run("check", folder)
    assert "train: 24 posts" in said and "3 relations: leads 3" in said
    assert run("show", folder) == (folder / FILE).read_text().replace(" # 30 in the files", "")
    with pytest.raises(InputError, match="exists already; edit it, or say --force"):
        run("new", folder)


def test_json(folder: Path) -> None:
    made = json.loads(run("new", folder, "--name", "mine", "--title", "My own", "--json"))
    dataset = read_record(made["dataset"], "output")
    assert dataset == read_toml(folder) and (dataset.name, dataset.title) == ("mine", "My own")
    assert made["entities"] == {"singer": 30, "band": 30} and made["unread"] == {}
    report = json.loads(run("check", folder, "--json"))
    assert report["splits"]["test"]["posts"] == 3 and report["problems"] == []
    assert read_record(json.loads(run("show", folder, "--json")), "output") == dataset


def test_what_comes_with_the_program_is_listed() -> None:
    assert [line.partition(":")[0] for line in run("list").splitlines()] == list(bundled())
    assert [row["name"] for row in json.loads(run("list", "--json"))] == list(bundled())
    for name in bundled():
        assert f'name = "{name}"' in run("show", name)


def test_a_bundled_dataset_is_checked_in_its_folder(shared_data: Path) -> None:
    there = [name for name, one in bundled().items() if (shared_data / one.files.train).is_file()]
    assert "posts" in run("check", shared_data, "--name", there[0])


def test_a_folder_without_a_record_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dataset.toml cannot be read"):
        run("check", tmp_path)

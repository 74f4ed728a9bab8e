"""``python -m mmdemo zoo``: figures with their marks, their conditions as JSON, and the check of commits."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.cells.files import read_json, write_json

CELL = "tiny/twitter2017/roberta-resnet50/film"


@pytest.fixture
def zoo(tiny_zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo whose `CELL` has a figure."""
    root = tmp_path / "zoo"
    shutil.copytree(tiny_zoo, root)
    state(root, splits={"test": {"posts": 300, "photo": {"entity": {"f1": 0.5}}}})
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(root))
    return root


def state(root: Path, **stated: object) -> None:
    file = root / CELL / "metrics.json"
    write_json(file, read_json(file) | stated)


def call(*arguments: str) -> str:
    return CliRunner().invoke(app, ["zoo", "--preset", "tiny", *arguments], catch_exceptions=False).stdout


def line() -> str:
    [found] = [text for text in call().splitlines() if CELL in text]
    return found


def test_a_figure_is_listed_with_its_marks(zoo):
    assert line().endswith(f"{CELL}  (commit not stated)") and " 50.0%" in line()
    known = {"commit_exists": True, "limit": None}
    state(zoo, commit="abcdef0", conditions=known)
    assert line().endswith(CELL)
    state(zoo, conditions=known | {"limit": 300, "tree": "dirty"})
    assert line().endswith(f"{CELL}  (limited: 300 posts; uncommitted tree)")


def test_json_has_conditions_and_marks_beside_what_it_had(zoo):
    state(zoo, commit="abcdef0", conditions={"limit": 300, "commit_exists": False})
    [entry] = [e for e in json.loads(call("--json")) if e["folder"].endswith(CELL)]
    keys = {"dataset", "model", "fusion", "preset", "status", "problem", "size", "metrics", "folder"}
    assert entry.keys() == keys | {"conditions", "marks"}
    assert entry["marks"] == ["limited: 300 posts", "commit unknown here"]
    assert entry["conditions"]["limit"] == 300 and entry["conditions"]["posts"] == {"test": 300}
    assert entry["conditions"] == entry["metrics"]["conditions"]


@pytest.mark.parametrize(
    ("here", "told", "code"), [(True, "here", 0), (False, "unknown here", 1), (None, "not checked", 0)]
)
def test_the_check_asks_git_of_each_commit(zoo, monkeypatch, here, told, code):
    monkeypatch.setattr("mmdemo.cells.commits.exist_here", lambda commits: dict.fromkeys(commits, here))
    state(zoo, commit="abcdef0123456789")
    done = CliRunner().invoke(app, ["zoo", "--preset", "tiny", "--check"], catch_exceptions=False)
    assert done.exit_code == code
    assert f"{told:12}  abcdef0123  {CELL}" in done.stdout.splitlines()
    assert f"1 {told}" in done.stdout and ("no git" in done.stdout) == (here is None)
    assert json.loads(call("--check", "--json"))[CELL] == {"commit": "abcdef0123456789", "found": told}

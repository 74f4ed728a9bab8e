"""What git says of the code's commits, and that nothing is said where there is no git."""

import subprocess
from pathlib import Path

import pytest

from mmdemo.cells.commits import CodeState, code_state, exist_here


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@b.example", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with two commits on one branch, and a third that no branch leads to."""
    root = tmp_path / "code"
    (root / "train").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    for text in ("one", "two", "three"):
        (root / "train" / "run.py").write_text(text)
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", text)
    (tmp_path / "lost").write_text(git(root, "rev-parse", "HEAD"))
    git(root, "reset", "-q", "--hard", "HEAD~1")
    return root


def test_the_code_is_at_a_commit_and_its_tree_clean_or_not(root):
    head = git(root, "rev-parse", "HEAD")
    assert code_state(root) == CodeState(commit=head, tree="clean")
    (root / "notes.md").write_text("not code")
    assert code_state(root).tree == "clean"
    (root / "train" / "new.py").write_text("code")
    assert code_state(root) == CodeState(commit=head, tree="dirty")
    (root / "train" / "new.py").unlink()
    (root / "train" / "run.py").write_text("changed")
    assert code_state(root).tree == "dirty"


def test_commits_are_here_where_a_branch_leads_to_them(root):
    head, first = git(root, "rev-parse", "HEAD"), git(root, "rev-parse", "HEAD~1")
    lost = (root.parent / "lost").read_text()
    odd = ("", "HEAD", "main", "--all", "a\nb", "0" * 41, head.upper(), "fffffff")
    found = exist_here([head, head[:7], first, lost, *odd], root)
    assert found == {head: True, head[:7]: True, first: True, lost: False} | dict.fromkeys(odd, False)


def test_of_a_shallow_copy_older_commits_cannot_be_known(root, tmp_path):
    head, first = git(root, "rev-parse", "HEAD"), git(root, "rev-parse", "HEAD~1")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{root}", "shallow")
    assert exist_here([head, first], tmp_path / "shallow") == {head: True, first: None}


def test_without_a_repository_of_its_own_nothing_is_known(root, tmp_path, monkeypatch):
    assert code_state(tmp_path) == CodeState() and exist_here(["abcdef0"], tmp_path) == {"abcdef0": None}
    installed = root / "train"  # inside another's repository
    assert code_state(installed) == CodeState() and exist_here(["abcdef0"], installed) == {"abcdef0": None}
    head = git(root, "rev-parse", "HEAD")
    monkeypatch.setenv("PATH", str(tmp_path / "no git here"))
    assert code_state(root) == CodeState() and exist_here([head], root) == {head: None}

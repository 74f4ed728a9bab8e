"""Which commits the repository of this code has, asked of git; where there is none, nothing is known."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: What decides how a cell is trained and scored: changes elsewhere (docs, checkpoints) do not.
CODE = ("mmdemo", "train")
COMMIT = re.compile(r"[0-9a-f]{7,40}")
SECONDS = 30

#: What is said of a commit by whether it was found.
FOUND: dict[bool | None, str] = {None: "not checked", True: "here", False: "unknown here"}


@dataclass(frozen=True, kw_only=True)
class CodeState:
    """The commit of the code, and whether its tree is "clean" or "dirty"; None where git cannot say."""

    commit: str | None = None
    tree: str | None = None


def code_state(root: Path = ROOT) -> CodeState:
    """The state of the code in ``root``."""
    if not _is_repository(root):
        return CodeState()
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=normal", "--", *CODE)
    if commit is None or changed is None:
        return CodeState()
    return CodeState(commit=commit.strip(), tree="dirty" if changed.strip() else "clean")


def exist_here(commits: Iterable[str], root: Path = ROOT) -> dict[str, bool | None]:
    """Whether a branch or tag of the repository leads to each commit; None: git cannot say.

    It cannot without git or a repository, and of a shallow copy not whether a commit is older than it.
    """
    wanted = list(dict.fromkeys(commits))
    history = _git(root, "rev-list", "HEAD", "--all") if _is_repository(root) else None
    if history is None:
        return dict.fromkeys(wanted)
    known = history.split()
    shallow = (_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
    missing = None if shallow else False
    return {
        commit: True if COMMIT.fullmatch(commit) and any(k.startswith(commit) for k in known) else missing
        for commit in wanted
    }


def _is_repository(root: Path) -> bool:
    """Whether ``root`` is the top of a repository: an installed copy may lie inside somebody else's."""
    top = _git(root, "rev-parse", "--show-toplevel")
    return top is not None and Path(top.strip()).resolve() == root.resolve()


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints; None where it fails or is not there."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout

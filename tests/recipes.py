"""The pages of docs/contributing/, done as they say: on a copy of the repository.

``python -m tests.recipes FOLDER [PAGE ...]`` makes the copy, with what the pages (or all of them) add in it.
A page's code stands in its blocks: a file's path, then its text; a ``diff``, whose context must stand exactly
once in the file; or ``sh``.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs" / "contributing").glob("*.md"))

#: Not copied: what is built, and the weights, to which the copy has a link.
LEFT = shutil.ignore_patterns(".*", "__pycache__", "checkpoints", "runs")
BLOCK = re.compile(
    r"(?:^`(?P<path>[^`\n]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE
)


def copy_repository(folder: Path) -> None:
    """Write a copy of this repository, as it is now, into a new folder."""
    shutil.copytree(ROOT, folder, ignore=LEFT)
    (folder / "checkpoints").symlink_to(ROOT / "checkpoints")


def follow(page: Path, folder: Path) -> None:
    """Do in a copy what a page says. Raises AssertionError where the page does not fit the code."""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["path"]:
            target = folder / block["path"]
            assert not target.exists(), f"{page.name}: {block['path']} is there already"
            target.write_text(block["body"], encoding="utf-8")
        elif block["kind"] == "diff":
            _change(page, folder, block["body"])
        elif block["kind"] == "sh":
            subprocess.run(["bash", "-ec", block["body"]], cwd=folder, check=True)


def _change(page: Path, folder: Path, diff: str) -> None:
    head, *hunks = re.split(r"^@@.*\n", diff, flags=re.MULTILINE)
    named = re.fullmatch(r"--- a/(\S+)\n\+\+\+ b/(\S+)\n", head)
    assert named and named[1] == named[2] and hunks, f"{page.name}: a diff that names no file"
    file = folder / named[1]
    text = file.read_text(encoding="utf-8")
    for hunk in hunks:
        old, new = ("".join(_lines(hunk, kept)) for kept in (" -", " +"))
        assert text.count(old) == 1, f"{page.name}: {named[1]} has {text.count(old)} times:\n{old}"
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def _lines(hunk: str, kept: str) -> Iterator[str]:
    for line in hunk.splitlines(keepends=True):
        mark, rest = (line[0], line[1:]) if line.strip("\n") else (" ", line)
        assert mark in " -+", f"no line of a diff: {line}"
        if mark in kept:
            yield rest


if __name__ == "__main__":
    chosen = [page for page in PAGES if page.stem in sys.argv[2:] or not sys.argv[2:]]
    copy_repository(Path(sys.argv[1]))
    for one in chosen:
        follow(one, Path(sys.argv[1]))

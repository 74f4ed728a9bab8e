"""The pages: links lead somewhere, commands exist, every variable is told, and README stays short."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from mmdemo.__main__ import app
from train.__main__ import app as train

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "checkpoints" / "README.md",
    *sorted(ROOT.glob("docs/*.md")),
]
RECIPES = sorted(ROOT.glob("docs/contributing/*.md"))


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """Without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """As GitHub names headings."""
    titles = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, *RECIPES], ids=name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.is_file(), link
            assert not anchor or anchor in anchors(target), link


def test_readme_leads_to_every_page():
    text = README.read_text(encoding="utf-8")
    assert [name(page) for page in PAGES[1:] if f"]({name(page)})" not in text] == []


def test_contributing_leads_to_every_recipe():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert RECIPES and [name(page) for page in RECIPES if f"]({name(page)})" not in text] == []


def test_readme_begins_with_a_sentence_a_picture_and_two_commands():
    """Behind the Space's front matter, within one screen; the whole page is short."""
    lines = README.read_text(encoding="utf-8").split("\n---\n", 1)[1].strip().splitlines()
    assert lines[0] == "# mmdemo" and len(lines) <= 110
    screen = lines[:12]
    assert [line for line in screen if line.startswith("![")]
    assert [line.split(" #")[0].strip() for line in screen if line.startswith("make ")] == [
        "make demo",
        "make test",
    ]


def commands_of(tool: Any) -> set[str]:
    return set(typer.main.get_command(tool).commands)  # type: ignore[attr-defined]


def called(page: Path) -> Iterator[tuple[str, str]]:
    """("mmdemo" or "train", command) of each ``python -m …`` on a page."""
    yield from re.findall(r"python -m\s+(mmdemo|train)\s+([a-z_]+)\b", page.read_text(encoding="utf-8"))


def test_commands_of_the_pages_exist():
    known = {"mmdemo": commands_of(app), "train": commands_of(train)}
    found = [(name(page), tool, command) for page in [*PAGES, *RECIPES] for tool, command in called(page)]
    assert len(found) > 20
    assert [one for one in found if one[2] not in known[one[1]]] == []


def test_every_command_of_the_app_is_told():
    told = {command for page in PAGES for tool, command in called(page) if tool == "mmdemo"}
    assert commands_of(app) <= told


def test_every_variable_is_told():
    sources = [ROOT / "app.py", *ROOT.glob("mmdemo/**/*.py")]
    read = {
        v
        for file in sources
        for v in re.findall(r'"(MMDEMO_[A-Z_]+[A-Z])"', file.read_text(encoding="utf-8"))
    }
    text = (ROOT / "docs" / "space.md").read_text(encoding="utf-8")
    assert read and {variable for variable in read if f"`{variable}`" not in text} == set()

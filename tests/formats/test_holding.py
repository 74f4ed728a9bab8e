"""The table of docs/formats.md is what a trial of every format finds; each ✔ comes back."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.formats.holding import BEGIN, END, holding, table
from mmdemo.formats.table import FORMATS, SOURCES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_holds_what_its_record_says(name: str) -> None:
    """A ✔ is a part that came back; the record's own words (what exports leave out) must say the same."""
    found = FORMATS[name]
    held = holding(found)
    assert held is not None and held.equal
    assert (held.entities, held.relations, held.text) == (found.entities, found.relations, found.text)
    assert (held.nested, held.scores) == (found.nested and found.entities, found.scores)
    assert (held.relation_scores, held.photo_words) == (found.relation_scores, found.photo_words)
    assert (held.annotators, held.decisions) == (found.annotators, found.decided)
    assert held.photos or not found.photo_id


def test_what_is_only_read_has_no_marks() -> None:
    assert all(holding(SOURCES[name]) is None for name in SOURCES.keys() - FORMATS.keys())


def test_the_page_has_the_table_of_today() -> None:
    """`python -m mmdemo formats --page docs/formats.md` writes it."""
    assert f"{BEGIN}\n\n{table()}\n\n{END}" in PAGE.read_text(encoding="utf-8")


def test_the_command_fills_a_page_and_refuses_one_without_marks(tmp_path: Path) -> None:
    page = tmp_path / "x.md"
    page.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n")
    assert CliRunner().invoke(app, ["formats", "--page", str(page)]).exit_code == 0
    text = page.read_text()
    assert (
        text.startswith("before\n") and text.endswith("after\n") and "stale" not in text and "`conll`" in text
    )
    page.write_text("no marks")
    assert CliRunner().invoke(app, ["formats", "--page", str(page)]).exit_code != 0
    assert page.read_text() == "no marks"

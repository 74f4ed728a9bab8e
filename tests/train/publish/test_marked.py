"""Only what stands between the marks of a page is replaced."""

from pathlib import Path

import pytest

from mmdemo.types import InputError
from train.publish.marked import Mark, write_marked

ONE, TWO = Mark(name="one", command="make one"), Mark(name="two", command="make two")


def test_the_part_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{ONE.start}\nold\n{ONE.end}\nafter\n")
    for part in ("first", r"second \1", ""):
        write_marked([page], {ONE: part, TWO: "for another page"})
        assert page.read_text() == f"before\n{ONE.start}\n{part}\n{ONE.end}\nafter\n"


def test_a_page_may_have_several_parts(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("".join(f"{mark.start}\n{mark.end}\n" for mark in (TWO, ONE)))
    write_marked([page], {ONE: "1", TWO: "2"})
    assert page.read_text() == f"{TWO.start}\n2\n{TWO.end}\n{ONE.start}\n1\n{ONE.end}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no marks", "lacks the lines <!-- one: make one -->"),
        (f"{ONE.start} text", "once each"),
        (f"text {ONE.end}", "once each"),
        (f"{ONE.start}{ONE.end}{ONE.start}{ONE.end}", "once each"),
        (f"{ONE.end} text {ONE.start}", "before"),
    ],
)
def test_a_page_without_a_place_is_refused_and_left_alone(tmp_path: Path, text: str, says: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(InputError, match=says):
        write_marked([page], {ONE: "new"})
    assert page.read_text() == text


def test_a_page_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="page.md is not there"):
        write_marked([tmp_path / "page.md"], {ONE: "new"})

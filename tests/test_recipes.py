"""The pages of docs/contributing/ work: what they add, all in one copy, joins the contracts it should."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recipes import PAGES, copy_repository, follow

#: The contracts that a new piece joins by being listed; what they ask of one piece says nothing of another.
OF_PIECES = (
    "tests/models/test_fusions.py",
    "tests/models/test_tables.py",
    "tests/datasets/test_records.py",
    "tests/formats/test_formats.py",
    "tests/explain/test_views.py",
    "tests/explain/test_gain.py",
)
#: What holds of the whole: names, arrows, sizes, the page.
OF_THE_WHOLE = (
    "tests/test_architecture.py",
    "tests/ui/about",
    "tests/ui/shell/test_app.py::test_the_page_builds_and_offers_its_stable_endpoints",
)
#: What the pages add: tests with these names must have passed. A test's name holds its file, row or view.
ADDED = {
    "fusion.md": ("test_fusions.py::test_shapes_and_trace[gated-]", "[mmdemo.models.fusion.gated]"),
    "dataset.md": ("test_bundled_records_come_back_equal[harbour]",),
    "encoder-row.md": ("test_rows_speak_of_rows_and_sources_that_there_are[bert-clip]",),
    "format.md": ("test_what_fits_reads_back[array]", "[mmdemo.formats.array]"),
    "tab.md": ("test_a_datasets_title_is_shown_as_text", "[mmdemo.ui.about.tab]"),
    "explanation.md": ("whatever_the_fusion[gain]", "test_gain.py::", "[mmdemo.explain.gain]"),
}


def test_every_page_says_what_it_adds():
    assert {page.name for page in PAGES} == set(ADDED)


@pytest.mark.long
def test_all_recipes_together_keep_the_contracts(request: pytest.FixtureRequest, tmp_path: Path):
    """What is asked of a piece that was there before is asked by this very run: not again in the copy."""
    copy = tmp_path / "copy"
    copy_repository(copy)
    for page in PAGES:
        follow(page, copy)
    command = [sys.executable, "-m", "pytest", "-vv", "-p", "no:cacheprovider", "-n", "0"]
    done_here = {item.nodeid for item in request.session.items if "[" in item.nodeid}
    command += [f"--deselect={test}" for test in sorted(done_here) if test.startswith(OF_PIECES)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command += [*OF_PIECES, *OF_THE_WHOLE]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    passed = [line.split(" ")[0] for line in done.stdout.splitlines() if " PASSED" in line]
    for page, names in ADDED.items():
        for name in names:
            assert any(name in one for one in passed), f"{page}: no test of {name} ran"


def test_a_page_that_no_longer_fits_the_code_is_refused(tmp_path: Path):
    (tmp_path / "file.py").write_text("one\n\ntwo\n")
    page = tmp_path / "page.md"
    diff = "```diff\n--- a/file.py\n+++ b/file.py\n@@\n {}\n+new\n```\n"
    page.write_text(diff.format("gone"))
    with pytest.raises(AssertionError, match="page.md: file.py has 0 times"):
        follow(page, tmp_path)
    page.write_text(diff.format("two"))
    follow(page, tmp_path)
    assert (tmp_path / "file.py").read_text() == "one\n\ntwo\nnew\n"
    page.write_text("`file.py`:\n\n```python\n```\n")
    with pytest.raises(AssertionError, match="file.py is there already"):
        follow(page, tmp_path)

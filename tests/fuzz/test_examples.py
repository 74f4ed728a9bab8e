"""Fuzzing starts from files that are read: each listed format has some."""

from pathlib import Path

import pytest

from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.table import SOURCES
from tests.fuzz.examples import of_format


@pytest.mark.parametrize("name", SOURCES)
def test_each_example_holds_posts(tmp_path: Path, name: str) -> None:
    for called, content in of_format(SOURCES[name]):
        (tmp_path / called).write_bytes(content)
        if name == "brat":
            (tmp_path / called).with_suffix(".txt").write_text("Ann met Bob\n")
        path = tmp_path / called if SOURCES[name].suffix else tmp_path
        left = LeftOut(strict=False, skip=True, guess=True)
        rows = list(SOURCES[name].reader(path, None, left))
        assert rows and not left.damaged, (called, left.sentences)

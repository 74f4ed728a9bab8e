"""The generated parts of hand-written pages: what stands between two marks is replaced, nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mmdemo.types import InputError
from train.fit.state import replace_file


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The comments before and after a generated part; the first one says which command writes it."""

    name: str
    command: str

    @property
    def start(self) -> str:
        return f"<!-- {self.name}: {self.command} -->"

    @property
    def end(self) -> str:
        return f"<!-- {self.name} end -->"


def write_marked(pages: Sequence[Path], parts: Mapping[Mark, str]) -> None:
    """Put into each page the parts that it has marks for; no page is written before all of them can be.

    Raises:
        InputError: a page is not there, has none of the marks, or a mark twice or without its end.
    """
    texts = {page: _renewed(page, parts) for page in pages}
    for page, text in texts.items():
        replace_file(page, partial(_write, text))


def _write(text: str, file: Path) -> None:
    file.write_text(text, encoding="utf-8")


def _renewed(page: Path, parts: Mapping[Mark, str]) -> str:
    if not page.is_file():
        raise InputError(f"{page} is not there: the tables go between the marks of a page that is")
    text = page.read_text(encoding="utf-8")
    for mark in parts:
        if (text.count(mark.start), text.count(mark.end)) not in ((0, 0), (1, 1)):
            raise InputError(f"{page} must have the lines {mark.start} and {mark.end} once each, or neither")
    wanted = [mark for mark in parts if mark.start in text]
    if not wanted:
        marks = " or ".join(f"{mark.start} and {mark.end}" for mark in parts)
        raise InputError(f"{page} lacks the lines {marks}")
    for mark in wanted:
        text = _replaced(text, mark, parts[mark], page)
    return text


def _replaced(text: str, mark: Mark, part: str, page: Path) -> str:
    before, _, rest = text.partition(mark.start)
    _, end, after = rest.partition(mark.end)
    if not end:
        raise InputError(f"{page} has {mark.end} before {mark.start}")
    return f"{before}{mark.start}\n{part}\n{mark.end}{after}"

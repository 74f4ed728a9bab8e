"""Rows of a Markdown table, and what must stand behind a figure in it."""

from collections import Counter
from collections.abc import Sequence

from train.publish.scored import Scored


def marked(name: str, cells: Sequence[Scored]) -> str:
    """The name of a cell's figures, or of several cells', with their marks; of several, each with a count."""
    counts = Counter(mark for cell in cells for mark in cell.marks)
    told = [f"{count} {mark}" if len(cells) > 1 else mark for mark, count in counts.items()]
    return f"{name} ({'; '.join(told)})" if told else name


def percent(fraction: float) -> str:
    return f"{100 * fraction:.2f}"


def head(titles: str, numbers_from: int) -> list[str]:
    """The two first lines of a table; columns from ``numbers_from`` on hold numbers."""
    names = titles.split("|")
    rules = ["---" if at < numbers_from else "--:" for at in range(len(names))]
    return [row(names), f"|{'|'.join(rules)}|"]


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

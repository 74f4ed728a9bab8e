"""The tables of docs/results.md and README, generated from the checkpoints' metrics.json and never typed."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mmdemo.cells.card import read_metrics
from mmdemo.cells.commits import FOUND, exist_here
from mmdemo.cells.conditions import Conditions
from mmdemo.cells.files import read_json, write_json
from mmdemo.measures import headline_of
from train.fit.state import replace_file
from train.publish import tables
from train.publish.elsewhere import out_of_domain
from train.publish.marked import Mark, write_marked
from train.publish.scored import Scored

COMMAND = "python -m train results"
#: Every table, and the one that fits a first page.
RESULTS, CHOSEN = Mark(name="results", command=COMMAND), Mark(name="chosen", command=COMMAND)
#: The presets that ship.
PRESETS = ("base", "lite")
#: The pages that have marks for them.
PAGES = (Path("docs/results.md"), Path("README.md"))


def write_results(root: Path, pages: Sequence[Path] = PAGES) -> str:
    """Put the tables of every shipped cell's figures between the marks of each page; return all tables.

    A page gets the parts that it has marks for.

    Raises:
        InputError: a page lacks the marks, or a metrics.json cannot be read or lacks a figure.
    """
    table = results_table(root)
    parts = {RESULTS: table, CHOSEN: chosen_table(root)}
    write_marked(pages, parts)
    return table


def write_summary(root: Path, preset: str) -> Path:
    """Put every trained cell's metrics into results.json of ``root``, and lite's tables into results.md."""
    cells = [read_metrics(file.parent) for file in sorted(root.glob(f"{preset}/*/*/*/metrics.json"))]
    write_json(root / "results.json", {"preset": preset, "cells": cells})
    if preset == "lite":
        table = results_table(root)
        replace_file(root / "results.md", lambda file: file.write_text(table + "\n", encoding="utf-8"))
    return root / "results.json"


def results_table(root: Path) -> str:
    """All tables in Markdown: the chosen cells, published figures beside them, then each dataset's cells."""
    found = _by_zoo(root)
    if not found:
        return ""
    chosen = {zoo: choose(cells) for zoo, cells in found.items()}
    sections = [f"## The chosen cells\n\n{tables.chosen_rows(chosen)}", tables.comparison(chosen)]
    if lines := out_of_domain(chosen):
        sections.append("\n".join(lines))
    sections += [tables.zoo_section(name, cells, chosen[name]) for name, cells in found.items()]
    return "\n\n".join(sections)


def chosen_table(root: Path) -> str:
    """One line a dataset: the cell that validation chooses, what it was scored on, and its figures."""
    chosen = chosen_cells(root)
    return tables.chosen_rows(chosen) if chosen else ""


def chosen_cells(root: Path) -> dict[str, Scored]:
    """The cell that validation chooses, of each dataset and preset (`Scored.title`)."""
    return {zoo: choose(cells) for zoo, cells in _by_zoo(root).items()}


def choose(cells: Sequence[Scored]) -> Scored:
    """The cell with the best validation figure, by the field's measure; a limited one only among its like."""
    whole = [cell for cell in cells if not cell.limited] or cells
    return max(whole, key=lambda cell: cell.figure("valid", "photo", headline_of(cell.task)))


def note_commits(root: Path) -> str:
    """Note in each metrics.json of ``root`` whether this repository has the cell's commit; what was found.

    The note travels with the figures to where no git is. Where git cannot say, notes stay as they are.
    """
    files = sorted(root.glob("*/*/*/*/metrics.json"))
    commits = {file: Conditions.of(read_metrics(file.parent)).commit for file in files}
    here = exist_here(commit for commit in commits.values() if commit)
    counts: Counter[str] = Counter()
    for file, commit in commits.items():
        found = here[commit] if commit else None
        counts[FOUND[found] if commit else "not stated"] += 1
        metrics = read_json(file)
        noted = metrics.get("conditions") or {}
        if found is not None and noted.get("commit_exists") is not found:
            write_json(file, metrics | {"conditions": {**noted, "commit_exists": found}})
    return "commits: " + (", ".join(f"{count} {kind}" for kind, count in counts.items()) or "no cell")


def _by_zoo(root: Path) -> dict[str, list[Scored]]:
    """The trained cells by `Scored.title`, in the order of datasets, of each that of the presets."""
    cells = [
        Scored(name=metrics["cell"], metrics=metrics)
        for preset in PRESETS
        for file in sorted(root.glob(f"{preset}/*/*/*/metrics.json"))
        for metrics in [read_metrics(file.parent)]
    ]
    found: dict[str, list[Scored]] = {}
    for cell in sorted(cells, key=lambda cell: cell.dataset):
        found.setdefault(cell.title, []).append(cell)
    return found

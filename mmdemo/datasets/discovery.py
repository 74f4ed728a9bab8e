"""Which datasets there are: those that come with the program, and a person's own by their folder."""

from functools import cache
from pathlib import Path

from mmdemo.datasets.schema import TASKS, Dataset, Task
from mmdemo.datasets.toml_file import FILE, read_toml
from mmdemo.types import InputError, quoted

BUNDLED = Path(__file__).parent / "bundled"


@cache
def bundled() -> dict[str, Dataset]:
    """The datasets that come with the program, by name: those with entities first."""
    found = [read_toml(path) for path in sorted(BUNDLED.glob("*.toml"))]
    found.sort(key=lambda dataset: TASKS.index(dataset.tasks[0]))
    return {dataset.name: dataset for dataset in found}


def find_dataset(name: str | Path) -> Dataset:
    """The bundled dataset of this name, or the one in a folder or ``dataset.toml``.

    Raises:
        InputError: there is none, or its file cannot be read.
    """
    known = bundled()
    if str(name) in known:
        return known[str(name)]
    path = Path(name)
    try:
        there = path.is_file() or (path / FILE).is_file()
    except (OSError, ValueError):  # too long for a path, or a NUL in it
        there = False
    if there:
        return read_toml(path)
    raise InputError(
        f"unknown dataset {quoted(name)}; known: {', '.join(known)}, or a folder with a {FILE} "
        "(python -m mmdemo dataset new FOLDER writes one)"
    )


def reviewed_as(dataset: Dataset) -> Dataset:
    """The labels that a reviewer of its posts has: its own, and the relations that it borrows.

    Only a bundled dataset can be borrowed from: a stranger's record must not have a folder of ours read.

    Raises:
        InputError: it borrows from a dataset that does not come along.
    """
    if not dataset.borrow or dataset.relations:
        return dataset
    if dataset.borrow not in bundled():
        raise InputError(
            f"{dataset.name} borrows from {quoted(dataset.borrow)}; known: {', '.join(bundled())}"
        )
    return dataset.with_relations_of(bundled()[dataset.borrow])


def default_for(task: Task) -> Dataset:
    """The bundled dataset that a page or an example starts with for a task."""
    able = [dataset for dataset in bundled().values() if task in dataset.tasks]
    return next((dataset for dataset in able if dataset.default), able[0])

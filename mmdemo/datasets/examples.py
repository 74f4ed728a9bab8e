"""Photos of a record's examples on this machine: in installed packages, or beside a person's own record."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.schema import ExamplePost

PACKAGE = "package:"


def photo_of(example: ExamplePost, folder: Path | None = None) -> Path | None:
    """The example's photo; None where it has none or it is not on this machine.

    ``folder`` is where the record lies; without one only photos of installed packages are found. A path that
    leads out of its package or folder finds nothing.
    """
    if example.photo.startswith(PACKAGE):
        package, _, inner = example.photo.removeprefix(PACKAGE).partition("/")
        if not package.isidentifier():
            return None
        spec = find_spec(package)
        homes = [Path(home) for home in spec.submodule_search_locations or []] if spec else []
    else:
        homes, inner = [folder] if folder is not None else [], example.photo
    for home in homes:
        path = (home / inner).resolve()
        if inner and path.is_relative_to(home.resolve()) and path.is_file():
            return path
    return None


@cache
def example_photos() -> tuple[Path, ...]:
    """The photos of the bundled datasets' examples, each once."""
    examples = [example for dataset in bundled().values() for example in dataset.examples]
    return tuple(dict.fromkeys(path for example in examples if (path := photo_of(example))))

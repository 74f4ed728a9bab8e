"""The formats of files that are known: those to write and read, and those that are only read."""

from collections.abc import Mapping

from mmdemo.formats import conll, csv_file, dygie, folder, jsonl, mnre
from mmdemo.formats.format import Format
from mmdemo.formats.tools import brat, doccano, label_studio, spacy
from mmdemo.types import InputError, quoted

#: Where a file looks like several, the first is meant.
_ALL = (conll, mnre, spacy, dygie, doccano, jsonl, label_studio, brat, csv_file, folder)

#: All formats by name; `FORMATS` are those that are written too.
SOURCES: dict[str, Format] = {module.FORMAT.name: module.FORMAT for module in _ALL}
FORMATS: dict[str, Format] = {name: found for name, found in SOURCES.items() if found.writer}


def find_format(name: str, among: Mapping[str, Format] = FORMATS) -> Format:
    """The named format. Raises InputError for an unknown one."""
    if name not in among:
        raise InputError(f"unknown format {quoted(name)}; known: {', '.join(among)}")
    return among[name]

"""The formats of files that are known: those to write and read, and those that are only read."""

from collections.abc import Mapping

from mmdemo.formats import conll, csv_file, dygie, excel, folder, jsonl, mnre
from mmdemo.formats.format import Format
from mmdemo.formats.tools import brat, doccano, hugging_face, label_studio, spacy, text_spans
from mmdemo.types import InputError, quoted

#: Where a file looks like several, the first is meant.
_ROWS = (label_studio, doccano, jsonl, hugging_face, text_spans)
_ALL = (csv_file, excel, conll, mnre, spacy, dygie, *_ROWS, brat, folder)

#: All formats by name; `FORMATS` are those that are written too.
SOURCES: dict[str, Format] = {module.FORMAT.name: module.FORMAT for module in _ALL}
FORMATS: dict[str, Format] = {name: found for name, found in SOURCES.items() if found.writer}


def find_format(name: str, among: Mapping[str, Format] = FORMATS) -> Format:
    """The named format. Raises InputError for an unknown one."""
    if name not in among:
        raise InputError(f"unknown format {quoted(name)}; known: {', '.join(among)}")
    return among[name]

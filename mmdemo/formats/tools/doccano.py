"""doccano: JSON lines with a text and its spans, by character, and relations between them.

Its exports state spans as ``label`` or ``labels`` (``[start, end, label]``) or, of projects with relations,
as ``entities`` and ``relations``; that form is written. Further keys are doccano's metadata, which it hands
back: they carry the post (`shared.carried`), and as ``ref`` its id, because doccano numbers posts itself.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.carried import carried, unlabelled_among
from mmdemo.formats.shared.fitting import empty_word
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.offsets import joined
from mmdemo.formats.shared.regions import regions_of
from mmdemo.formats.text.lines import write_objects
from mmdemo.formats.text.values import read_rows
from mmdemo.formats.tools.text_spans import row_of
from mmdemo.types import InputError, Post, Question, quoted


def write(path: Path, rows: Sequence[Question], dataset: Dataset) -> None:
    """Write a line for each post."""
    none = unlabelled_among(rows)
    write_objects(path, (_line(row.post, number, none) for number, row in enumerate(rows, 1)))


def _line(post: Post, number: int, none: str) -> dict[str, Any]:
    text, places = joined(post.tokens)
    regions, links = regions_of(post, places)
    line: dict[str, Any] = {"id": number, "text": text, "ref": post.id, **carried(post, none)}
    if post.entities is not None or post.relations is not None:
        line["entities"] = [
            {
                "id": region.number,
                "label": none if region.label is None else region.label,
                "start_offset": region.start,
                "end_offset": region.end,
            }
            for region in regions
        ]
        line["relations"] = [
            {"id": place, "from_id": link.head, "to_id": link.tail, "type": link.label}
            for place, link in enumerate(links, 1)
        ]
    return line


# ---------------------------------------------------------------- reading


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """Posts of a doccano export, one after the other. Raises InputError naming file and line."""
    yield from left.each(read_rows(path, left), lambda found: _row(found[1], dataset, left, found[0]))


def _row(line: dict[str, Any], dataset: Dataset | None, left: LeftOut, where: str) -> Question:
    try:
        return row_of(line, dataset, left, where)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InputError) and " has no text" not in str(error):
            raise
        raise InputError(f"{where} is not a line of doccano: {quoted(error)}") from error


def looks_like(path: Path, start: str) -> bool:
    start = start.replace(": ", ":").replace(", ", ",")
    if path.suffix.lower() not in (".jsonl", ".json") or not start.startswith("{") or '"text":' not in start:
        return False
    rows = any(f'"{key}":[{row}' in start for key in ("label", "labels") for row in ("[", "]"))
    return '"start_offset":' in start or '"ref":' in start or (rows and '"tokens":' not in start)


FORMAT = Format(
    name="doccano",
    title="doccano",
    suffix=".jsonl",
    holds="everything",
    reader=read,
    writer=write,
    problem=empty_word,
    text=True,
    photo_id=True,
    photo_words=True,
    looks_like=looks_like,
)

"""doccano: JSON lines with a text and its spans, by character, and relations between them.

Its exports state spans as ``label`` or ``labels`` (``[start, end, label]``) or, of projects with relations,
as ``entities`` and ``relations``; that form is written. Further keys are doccano's metadata, which it hands
back: they carry the post (`shared.carried`), and as ``ref`` its id, because doccano numbers posts itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.asking import question
from mmdemo.formats.shared.carried import carried, carried_post, unlabelled_among
from mmdemo.formats.shared.fitting import empty_word
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.lines import check_text, read_objects, text_or_none, write_objects
from mmdemo.formats.shared.offsets import UNLABELLED, joined
from mmdemo.formats.shared.regions import Marked, regions_of
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


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> list[Question]:
    """Posts of a doccano export. Raises InputError naming file and line."""
    return [_row(line, dataset, left, where) for where, line in read_objects(path)]


def _row(line: dict[str, Any], dataset: Dataset | None, left: LeftOut, where: str) -> Question:
    try:
        text = line["text"] if "text" in line else line["data"]
        meta = line.get("meta")  # where versions of before 1.6 put the metadata
        values = {**meta, **line} if isinstance(meta, dict) else line
        post, places = carried_post(values, text, dataset, where, left.cut)
        given = line.get("ref", None if "tokens" in line else line.get("id"))
        post = replace(post, id=None if given is None else check_text(str(given), where))
        marked = Marked(places=places, tokens=post.tokens)
        none = text_or_none(line, "unlabelled", where) or UNLABELLED
        stated = next((line[key] for key in ("label", "labels") if line.get(key) is not None), None)
        if "entities" in line:
            for row in line["entities"]:
                label = check_text(row["label"], where)
                name = None if label == none else label
                marked.mark(row["id"], row["start_offset"], row["end_offset"], name, where)
            for row in line.get("relations") or ():
                marked.link(row["from_id"], row["to_id"], check_text(row["type"], where), where)
        elif stated is not None:
            for number, (start, end, label) in enumerate(stated):
                marked.mark(number, start, end, check_text(label, where), where)
        else:
            return question(post, dataset)
        relations = tuple(marked.relations) if "relations" in line else None
        return question(replace(post, entities=tuple(marked.entities), relations=relations), dataset)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where} is not a line of doccano: {quoted(error)}") from error


def looks_like(path: Path, start: str) -> bool:
    keys = ('"label":[', '"labels":[', '"start_offset":')
    start = start.replace(": [", ":[")
    if path.suffix not in (".jsonl", ".json") or not start.startswith("{"):
        return False
    return '"text":' in start and any(key in start for key in keys)


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

"""MNRE: a row for each pair of spans, a Python literal (as published) or a JSON object a line.

Keys: ``token``, ``h`` and ``t`` (``name``, half-open ``pos``), ``img_id``, ``relation``. A post with several
relations takes a row for each, under one id.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.merging import merged, one_pair
from mmdemo.formats.text.lines import check_span, check_text, check_words, read_lines, write_text
from mmdemo.formats.text.literals import read_literal
from mmdemo.formats.text.values import one_a_line, read_rows
from mmdemo.posts.gold import name_of
from mmdemo.types import InputError, Post, Question, Relation, Span

#: Characters of one line; no published one has 500.
MAX_LINE = 1_000_000


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """Posts of an MNRE file, each asked for the relations of its rows' pairs.

    ``id`` is the row's own ``id`` where it has one, else ``<file stem>:<line number>``; ``image_id`` is
    ``img_id`` as it is.

    Raises:
        InputError: a line does not parse, lacks a key, or has a span that is empty or leaves the words.
    """
    return merged(_rows(path, left))


def _rows(path: Path, left: LeftOut) -> Iterator[Question]:
    if not one_a_line(path):
        items = enumerate(read_rows(path, left), 1)
        yield from left.each(items, lambda item: _row(item[1][1], f"{path.stem}:{item[0]}", item[1][0]))
        return

    def row_of(line: tuple[int, str]) -> Question:
        where = f"{path} line {line[0]}"
        return _row(_parse(line[1], where), f"{path.stem}:{line[0]}", where)

    lines = (line for line in read_lines(path, left) if line[1].strip())
    yield from left.each(lines, row_of)


def _parse(line: str, where: str) -> dict[str, Any]:
    """One line's JSON object or, failing that, Python literal. JSON first: only it joins surrogate pairs."""
    if len(line) > MAX_LINE:
        raise InputError(f"{where} has {len(line):,} characters; at most {MAX_LINE:,} are read")
    row: Any = None
    try:
        row = json.loads(line)
    except ValueError:
        try:
            row = read_literal(line.strip())
        except ValueError:
            pass
    except RecursionError:
        pass
    if not isinstance(row, dict):
        raise InputError(f"{where} is not a row in braces, such as {{'token': …}}")
    return row


def _row(row: dict[str, Any], default_id: str, where: str) -> Question:
    try:
        tokens = check_words(row["token"], where)
        head, tail = (check_span(row[side]["pos"], len(tokens), where) for side in ("h", "t"))
        label, image_id = row["relation"], row["img_id"]
    except KeyError as error:
        raise InputError(f"{where} lacks the key {error}") from error
    except TypeError as error:
        raise InputError(f"{where} has no 'pos' in 'h' or 't'") from error
    relation = Relation(head=head, tail=tail, label=check_text(label, f"{where}, 'relation',"))
    post = Post(
        text=" ".join(tokens),
        tokens=tokens,
        relations=(relation,),
        id=check_text(str(row.get("id") or default_id), where),
        image_id=check_text(str(image_id), where) if image_id else None,
    )
    return one_pair(post, relation.pair)


def write(path: Path, rows: Sequence[Question], dataset: Dataset) -> None:
    """Write a row (an ASCII Python literal) for each relation, with an ``id`` where it is not the default.

    A post without an ``id`` gets the default one when it is read.

    Raises:
        InputError: a post has no relation.
    """
    lines = list[str]()
    for row in rows:
        post = row.post
        if not post.relations:
            raise InputError(f"{name_of(post)} has no marked pair with a relation")
        for relation in post.relations:
            line = {
                "token": list(post.tokens),
                "h": _side(post, relation.head),
                "t": _side(post, relation.tail),
                "img_id": post.image_id or "",
                "relation": relation.label,
            }
            if post.id is not None and post.id != f"{path.stem}:{len(lines) + 1}":
                line["id"] = post.id
            lines.append(ascii(line) + "\n")
    write_text(path, "".join(lines))


def _side(post: Post, span: Span) -> dict[str, Any]:
    return {"name": " ".join(post.tokens[span[0] : span[1]]), "pos": list(span)}


def problem(row: Question) -> str | None:
    if row.post.entities:
        return "MNRE holds no entities"
    return None if row.post.relations else "MNRE holds only posts with a relation"


def looks_like(path: Path, start: str) -> bool:
    if path.suffix.lower() not in (".txt", ".json", ".jsonl"):
        return False
    keys = start.replace("'", '"')
    return start.startswith("{") and '"token"' in keys and '"h"' in keys


FORMAT = Format(
    name="mnre",
    title="MNRE",
    suffix=".txt",
    holds="words, relations, ids, photo ids",
    reader=read,
    writer=write,
    problem=problem,
    entities=False,
    photo_id=True,
    looks_like=looks_like,
)

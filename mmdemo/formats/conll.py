"""CoNLL: a word and its tag a line, a blank line after each post, ``IMGID:x`` before it where it has a photo.

As the Twitter sets publish it, fields end at a tab only: tweets hold words of a no-break space or U+FE0F
alone, which `str.split` would drop. A file without any tab has its fields parted by blanks. Of further
columns the last that looks like tags counts, else the last. Tags are BIO, or as `shared.tags` reads them.
Lines that start with ``#`` and are no row are comments, of which ``sent_id`` or ``id`` names a post without
a photo; ``-DOCSTART-`` parts documents and is no post.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.asking import question
from mmdemo.formats.shared.fitting import empty_word, overlap
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.tags import entities_of, is_tag
from mmdemo.formats.text.lines import raw_lines, read_lines, write_text
from mmdemo.formats.text.table_lines import (
    DOCUMENT,
    PHOTO,
    SAMPLE,
    Columns,
    is_blank,
    is_comment,
    split,
    told,
)
from mmdemo.posts.gold import gold_tags, name_of
from mmdemo.types import InputError, Post, Question

_NAMED = re.compile(r"#\s*(?:sent_)?id\s*[=: ]\s*(\S+)")
#: What follows it is a text that was retrieved for the post, every word of it tagged X (ITA, PGIM).
_CONTEXT, _NO_NAME = "<EOS>", "X"


@dataclass(kw_only=True)
class _Block:
    """The lines of one post so far; ``problem`` is the first thing wrong with it."""

    photo: str | None = None
    name: str | None = None
    header: int = 0
    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    problem: InputError | None = None


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """Posts of a CoNLL file, one after the other.

    ``id`` and ``image_id`` are the IMGID; both are None where that line is empty or absent. Orphan I- tags
    open an entity, as in seqeval's default mode, and are kept as they are in ``tags`` (see `gold_tags`).

    Raises:
        InputError: a line has no word or no tag, or a post has no words.
    """
    columns = told((line for _, line in islice(raw_lines(path), SAMPLE) if line is not None), left)
    for block in _blocks(path, columns, left):
        if block.header and not block.tokens and block.problem is None:
            block.problem = InputError(f"{path} line {block.header} starts a post that has no words")
        if block.problem is not None:
            left.damage(block.problem)
        elif block.tokens:
            yield question(_post(block, left))


def _blocks(path: Path, columns: Columns, left: LeftOut) -> Iterator[_Block]:
    block = _Block()
    for number, line in raw_lines(path, left):
        if line is None:
            block.problem = block.problem or InputError(f"{path} line {number} is not UTF-8 text")
        elif is_blank(line):
            yield block
            block = _Block()
        elif line.startswith(PHOTO) and "\t" not in line:
            yield block
            photo = line.removeprefix(PHOTO).strip() or None
            block = _Block(photo=photo, header=number, name=block.name if not block.tokens else None)
        elif line.startswith(DOCUMENT) and not block.tokens and not block.header:
            continue
        elif is_comment(line, columns):
            if found := _NAMED.match(line):
                block.name = found[1]
        else:
            _add(block, line, columns, f"{path} line {number}")
    yield block  # files of the Twitter sets end without a blank line


def _add(block: _Block, line: str, columns: Columns, where: str) -> None:
    try:
        token, tag = columns.fields(line, where)
    except InputError as error:
        block.problem = block.problem or error
        return
    block.tokens.append(token)
    block.tags.append(tag)


def _post(block: _Block, left: LeftOut) -> Post:
    tokens, tags = block.tokens, block.tags
    if _CONTEXT in tokens:
        at = tokens.index(_CONTEXT)
        if at and {tag[2:] for tag in tags[at:]} <= {"", _NO_NAME}:
            left.note("texts behind <EOS> that were retrieved for a post: they are no part of it")
            tokens, tags = tokens[:at], tags[:at]
    entities, own_tags = entities_of(tokens, tags)
    return Post(
        text=" ".join(tokens),
        tokens=tuple(tokens),
        entities=entities,
        id=block.photo or block.name,
        image_id=block.photo,
        tags=own_tags,
    )


def write(path: Path, rows: Sequence[Question], dataset: Dataset) -> None:
    """Write words and tags; a post that states no entities has none.

    Raises:
        InputError: a word, label or photo id cannot stand in a line.
    """
    blocks = []
    for row in rows:
        post = row.post
        tags = ["O"] * len(post.tokens) if post.entities is None else gold_tags(post)
        name = photo_or_id(row) or ""
        fields = [*post.tokens, *tags, name or "-"]
        if not post.tokens or not all(fields) or any(c in text for text in fields for c in "\t\n\r"):
            raise InputError(
                f"{name_of(post)} has no words, or an empty one, or one with a tab or line break"
            )
        words = [f"{token}\t{tag}" for token, tag in zip(post.tokens, tags, strict=True)]
        # An empty IMGID keeps the first token of a file from starting it: U+FEFF there would read as a BOM.
        blocks.append("\n".join([f"{PHOTO}{name}", *words]) + "\n")
    write_text(path, "\n".join(blocks))


def photo_or_id(row: Question) -> str | None:
    """What CoNLL calls a post: its photo's id, as in the public files, or else its own."""
    return row.post.image_id or row.post.id


def problem(row: Question) -> str | None:
    if row.post.relations:
        return "CoNLL holds no relations"
    labels = (entity.label for entity in row.post.entities or ())
    name = photo_or_id(row) or "-"
    if any(c in field for field in (*row.post.tokens, *labels, name) for c in "\t\n\r"):
        return "CoNLL holds no word, label or photo id with a tab or line break"
    if name != name.strip():
        return "CoNLL holds no photo id with a blank at its ends"
    return empty_word(row) or overlap(row, "CoNLL")


def looks_like(path: Path, start: str) -> bool:
    if path.suffix.lower() in (".conll", ".bio", ".iob", ".bioes", ".conllu"):
        return True
    if path.suffix.lower() not in (".txt", ".tsv", ".tab", ""):
        return False
    return start.startswith((PHOTO, DOCUMENT)) or _is_row(start) or _starts_so(path)


def _is_row(line: str) -> bool:
    """Whether a line is a word and a tag, or a word, a tab and something."""
    parts = split(line, "\t" in line)
    return len(parts) > 1 and (is_tag(parts[-1]) or ("\t" in line and len(parts[0].split()) == 1))


def _starts_so(path: Path) -> bool:
    """Whether comments or words without tags are followed by rows: most of a file's first lines."""
    try:
        lines = [line for _, line in islice(read_lines(path), 200) if line.strip()]
    except InputError:
        return False
    rows = [line for line in lines if not line.startswith("#")]
    return bool(rows) and sum(map(_is_row, rows)) * 2 > len(rows) and len(rows) > 1


FORMAT = Format(
    name="conll",
    title="CoNLL",
    suffix=".txt",
    holds="words, entities, photo ids",
    reader=read,
    writer=write,
    problem=problem,
    ordered=True,
    relations=False,
    nested=False,
    name_of=photo_or_id,
    looks_like=looks_like,
)

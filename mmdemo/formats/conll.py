"""CoNLL: a word and its tag a line, a blank line after each post, ``IMGID:x`` before it where it has a photo.

As the Twitter sets publish it, fields end at a tab only: tweets hold words of a no-break space or U+FE0F
alone, which `str.split` would drop. A file without any tab has its fields parted by blanks, the tag last, as
CoNLL-2003 publishes it. Tags are BIO; BIOES and BILOU ones are read too.
"""

from collections.abc import Sequence
from pathlib import Path

from mmdemo.datasets.bio import spans_of, tags_of
from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.asking import question
from mmdemo.formats.shared.fitting import empty_word, overlap
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.lines import read_lines, write_text
from mmdemo.formats.shared.offsets import entity_at
from mmdemo.posts.gold import gold_tags, name_of
from mmdemo.types import InputError, Post, Question, quoted

_PHOTO = "IMGID:"
_DOCUMENT = "-DOCSTART-"
#: How BIOES and BILOU say what BIO says.
_PREFIXES = {"B": "B", "I": "I", "E": "I", "L": "I", "S": "B", "U": "B"}


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> list[Question]:
    """Posts of a CoNLL file.

    ``id`` and ``image_id`` are the IMGID; both are None where that line is empty or absent. Orphan I- tags
    open an entity, as in seqeval's default mode, and are kept as they are in ``tags`` (see `gold_tags`).

    Raises:
        InputError: a line has no word or no tag, or a post has no words.
    """
    rows: list[Question] = []
    image_id: str | None = None
    header, tokens, tags = 0, list[str](), list[str]()

    def flush() -> None:
        nonlocal image_id, header
        if header and not tokens:
            raise InputError(f"{path} line {header} starts a post that has no words")
        if tokens:
            rows.append(question(_post(image_id, tokens, tags)))
        image_id, header = None, 0
        tokens.clear()
        tags.clear()

    lines = list(read_lines(path))
    tabs = any("\t" in line for _, line in lines)
    for number, line in lines:
        if not line or not (tabs or line.strip(" ")) or (line.startswith(_DOCUMENT) and not tabs):
            flush()
        elif line.startswith(_PHOTO) and "\t" not in line:
            flush()
            image_id, header = line.removeprefix(_PHOTO) or None, number
        else:
            token, tag = _fields(line, tabs, f"{path} line {number}")
            tokens.append(token)
            tags.append(tag)
    flush()  # files of the Twitter sets end without a blank line
    return rows


def _fields(line: str, tabs: bool, where: str) -> tuple[str, str]:
    """A line's word and its tag as BIO says it."""
    if tabs:
        token, between, tag = line.partition("\t")
    else:
        token, between, tag = line.strip(" ").partition(" ")
        tag = tag.rpartition(" ")[2]
    if not between or not token:
        raise InputError(f"{where} is not a token, a tab and a tag: {quoted(line)}")
    prefix, _, label = tag.partition("-")
    if tag != "O" and (prefix not in _PREFIXES or not label or "\t" in label):
        raise InputError(f"{where} has the unknown tag {quoted(tag)}")
    return token, tag if tag == "O" else f"{_PREFIXES[prefix]}-{label}"


def _post(image_id: str | None, tokens: list[str], tags: list[str]) -> Post:
    entities = tuple(entity_at((start, end), label, tokens) for start, end, label in spans_of(tags))
    return Post(
        text=" ".join(tokens),
        tokens=tuple(tokens),
        entities=entities,
        id=image_id,
        image_id=image_id,
        tags=tuple(tags) if tags != tags_of(entities, len(tokens)) else None,
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
        blocks.append("\n".join([f"{_PHOTO}{name}", *words]) + "\n")
    write_text(path, "\n".join(blocks))


def photo_or_id(row: Question) -> str | None:
    """What CoNLL calls a post: its photo's id, as in the public files, or else its own."""
    return row.post.image_id or row.post.id


def problem(row: Question) -> str | None:
    if row.post.relations:
        return "CoNLL holds no relations"
    labels = (entity.label for entity in row.post.entities or ())
    if any(c in field for field in (*row.post.tokens, *labels, photo_or_id(row) or "-") for c in "\t\n\r"):
        return "CoNLL holds no word, label or photo id with a tab or line break"
    return empty_word(row) or overlap(row, "CoNLL")


def looks_like(path: Path, start: str) -> bool:
    if path.suffix in (".conll", ".bio", ".iob", ".tsv"):
        return True
    return path.suffix == ".txt" and (start.startswith((_PHOTO, _DOCUMENT)) or "\t" in start)


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

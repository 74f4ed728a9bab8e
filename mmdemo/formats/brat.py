"""brat: a folder with ``ID.txt`` (the words, parted by blanks) and ``ID.ann`` (standoff) for each post.

brat's names hold no slash, so ``/per/org/member_of`` is written ``per-org-member_of``. A relation whose spans
carry no entity label gets text bounds of the type `UNTYPED`, which are no entities. ``annotation.conf`` tells
brat the types.
"""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from mmdemo.datasets.bio import RELATIONS
from mmdemo.formats.lines import check_text, read_lines, write_text
from mmdemo.formats.offsets import characters, joined, words
from mmdemo.review.records import Answer, Labelled, Link
from mmdemo.review.schema import entity_labels
from mmdemo.types import Entity, InputError, Post, Span

UNTYPED = "SPAN"
_TO_BRAT = {label: label.strip("/").replace("/", "-") for label in RELATIONS}
_FROM_BRAT = {name: label for label, name in _TO_BRAT.items()}


def file_stem(ref: str) -> str:
    """A file name for a post's id, from which `unquote` gives the id back."""
    return quote(ref, safe="").replace(".", "%2E")


def write(path: Path, items: Sequence[Labelled]) -> None:
    """Write the folder; it must be new or empty, so that nobody's work is mixed in."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"the folder {folder} is not empty")
    except OSError as error:
        raise InputError(f"{folder} cannot be made a folder: {error.strerror}") from error
    labels = {e.label for item in items for e in (item.answer or Answer()).entities}
    write_text(folder / "annotation.conf", _configuration(labels))
    for item in items:
        stem = file_stem(item.post.id or "")
        write_text(folder / f"{stem}.txt", " ".join(item.post.tokens))
        write_text(folder / f"{stem}.ann", _standoff(item))


def _configuration(labels: set[str]) -> str:
    known = {*entity_labels("twitter2015"), *entity_labels("twitter2017"), *labels}
    any_span = "Arg1:<ENTITY>, Arg2:<ENTITY>"
    relations = "\n".join(f"{name}\t{any_span}" for name in _FROM_BRAT)
    entities = "\n".join([*sorted(known), UNTYPED])
    overlaps = "<OVERLAP>\t<ENTITY>, <ENTITY>, <OVL-TYPE>:<ANY>"
    return f"[entities]\n{entities}\n[relations]\n{overlaps}\n{relations}\n[events]\n[attributes]\n"


def _standoff(item: Labelled) -> str:
    answer = item.answer or Answer()
    text, places = joined(item.post.tokens)
    names: dict[Span, str] = {}
    lines = []

    def bound(span: Span, label: str) -> None:
        start, end = characters(places, span)
        names[span] = f"T{len(names) + 1}"
        lines.append(f"{names[span]}\t{label} {start} {end}\t{text[start:end]}\n")

    for entity in answer.entities:
        bound((entity.start, entity.end), entity.label)
    for link in answer.links:
        for span in (link.head, link.tail):
            if span not in names:
                bound(span, UNTYPED)
    for number, link in enumerate(answer.links, 1):
        arguments = f"Arg1:{names[link.head]} Arg2:{names[link.tail]}"
        lines.append(f"R{number}\t{_TO_BRAT[link.label]} {arguments}\n")
    return "".join(lines)


def read(path: Path, dataset: str) -> list[Labelled]:
    """Posts of a brat folder, by file name. Raises InputError naming file and line."""
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of brat files")
    items = []
    for file in sorted(folder.glob("*.txt")):
        try:
            text = check_text(file.read_bytes().decode("utf-8"), str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file} cannot be read as UTF-8 text") from error
        text = text.removesuffix("\n")
        tokens = tuple(text.split(" "))
        if not all(tokens):
            raise InputError(f"{file} has an empty word: its words must be parted by single blanks")
        notes = file.with_suffix(".ann")
        answer = _answer(notes, tokens) if notes.is_file() else None
        post = Post(text=text, tokens=tokens, id=unquote(file.stem))
        items.append(Labelled(post=post, answer=answer))
    return items


def _answer(file: Path, tokens: Sequence[str]) -> Answer:
    _, places = joined(tokens)
    spans, entities, rows = dict[str, Span](), [], list[tuple[str, list[str]]]()
    for number, line in read_lines(file):
        where = f"{file} line {number}"
        fields = line.split("\t")
        if line[:1] == "T" and len(fields) >= 2:
            label, *numbers = fields[1].split(" ")
            # Python refuses to read numbers of thousands of digits.
            if len(numbers) != 2 or not all(number.isdecimal() and len(number) < 12 for number in numbers):
                raise InputError(f"{where} is not one span of characters; discontinuous ones cannot be read")
            span = spans[fields[0]] = words(places, int(numbers[0]), int(numbers[1]), where)
            if label != UNTYPED:
                text = " ".join(tokens[span[0] : span[1]])
                entities.append(Entity(start=span[0], end=span[1], label=label, text=text))
        elif line[:1] == "R" and len(fields) >= 2:
            rows.append((where, fields[1].split(" ")))
    return Answer(entities=tuple(entities), links=tuple(_link(row, spans, where) for where, row in rows))


def _link(row: list[str], spans: dict[str, Span], where: str) -> Link:
    arguments = dict(part.partition(":")[::2] for part in row[1:])
    try:
        head, tail = spans[arguments["Arg1"]], spans[arguments["Arg2"]]
        return Link(head=head, tail=tail, label=_FROM_BRAT[row[0]])
    except KeyError as error:
        raise InputError(f"{where} is not a relation between two spans that is known here") from error

"""brat: a folder with ``ID.txt`` (the text) and ``ID.ann`` (standoff) for each post.

Where all marks of a folder fit words that are parted by single blanks, so are its words: this program writes
them so. Other texts are parted as the dataset says. brat's names of types are letters, digits, - and _, so
``/per/org/member_of`` is written ``per-org-member_of``, and ``visual.conf`` shows and keeps the label itself.
A relation whose spans carry no entity label gets text bounds of the type `UNLABELLED`, which are no entities.
``annotation.conf`` tells brat the types.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.format import Format
from mmdemo.formats.shared.asking import question
from mmdemo.formats.shared.fitting import empty_word
from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.offsets import UNLABELLED, joined, raw_post
from mmdemo.formats.shared.regions import Marked, regions_of
from mmdemo.formats.text.encoding import encoding_of, head_of
from mmdemo.formats.text.lines import check_text, read_lines, write_text
from mmdemo.photo.lookup import is_file
from mmdemo.types import InputError, Post, Question

TYPES, SHOWN = "annotation.conf", "visual.conf"
#: Longest file name that every usual file system takes, less room for the suffix.
_STEM = 240
#: Bytes of one text.
MAX_TEXT = 2 * 2**20
_OURS = "# type | label"
_OTHER = re.compile(r"[^A-Za-z0-9_-]+")


def file_stem(ref: str) -> str:
    """A file name for a post's id, from which `unquote` gives the id back."""
    return quote(ref, safe="").replace(".", "%2E")


def brat_names(labels: Iterable[str]) -> dict[str, str]:
    """Each label's name in brat: its own characters where brat takes them, and no two the same."""
    names: dict[str, str] = {}
    taken = {UNLABELLED}
    for label in labels:
        if label not in names:
            plain = _OTHER.sub("_", label.strip("/").replace("/", "-")).strip("_") or "label"
            name, number = plain, 1
            while name in taken:
                number += 1
                name = f"{plain}_{number}"
            names[label] = name
            taken.add(name)
    return names


def _record_names(dataset: Dataset | None) -> dict[str, str]:
    return brat_names((*dataset.entity_labels, *dataset.relation_labels)) if dataset else {}


# ---------------------------------------------------------------- writing


def write(path: Path, rows: Sequence[Question], dataset: Dataset) -> None:
    """Write the folder; it must be new or empty, so that nobody's work is mixed in."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise InputError(f"the folder {path} is not empty")
    except OSError as error:
        raise InputError(f"{path} cannot be made a folder: {error.strerror}") from error
    posts = [row.post for row in rows]
    entities = [*dataset.entity_labels, *(e.label for post in posts for e in post.entities or ())]
    relations = [*dataset.relation_labels, *(r.label for post in posts for r in post.relations or ())]
    names = brat_names([*entities, *relations])
    write_text(path / TYPES, _types([names[x] for x in entities], [names[x] for x in relations]))
    shown = [f"{name} | {label}" for label, name in names.items() if label != name]
    write_text(path / SHOWN, "\n".join([_OURS, "[labels]", *shown, "[drawing]\n"]))
    for post in posts:
        stem = file_stem(post.id or "")
        write_text(path / f"{stem}.txt", " ".join(post.tokens))
        if post.entities is not None or post.relations is not None:
            write_text(path / f"{stem}.ann", _standoff(post, names))


def _types(entities: Sequence[str], relations: Sequence[str]) -> str:
    any_span = "Arg1:<ENTITY>, Arg2:<ENTITY>"
    lines = ["[entities]", *dict.fromkeys([*entities, UNLABELLED])]
    lines += ["[relations]", "<OVERLAP>\t<ENTITY>, <ENTITY>, <OVL-TYPE>:<ANY>"]
    lines += [f"{name}\t{any_span}" for name in dict.fromkeys(relations)]
    return "\n".join([*lines, "[events]", "[attributes]\n"])


def _standoff(post: Post, names: Mapping[str, str]) -> str:
    text, places = joined(post.tokens)
    regions, links = regions_of(post, places)
    lines = []
    for region in regions:
        name = UNLABELLED if region.label is None else names[region.label]
        marked = text[region.start : region.end]
        lines.append(f"T{region.number}\t{name} {region.start} {region.end}\t{marked}\n")
    for number, link in enumerate(links, 1):
        lines.append(f"R{number}\t{names[link.label]} Arg1:T{link.head} Arg2:T{link.tail}\n")
    return "".join(lines)


# ---------------------------------------------------------------- reading


def read(path: Path, dataset: Dataset | None, left: LeftOut) -> Iterator[Question]:
    """Posts of a brat folder and those below it, by file name. Raises InputError naming file and line."""
    if not path.is_dir():
        raise InputError(f"{path} is not a folder of brat files")
    labels = {name: label for label, name in _record_names(dataset).items()} | _shown(path / SHOWN)
    files = sorted(file for file in path.rglob("*.txt") if _is_post(file, path))
    blanks = all(map(_fits_blanks, files))

    def row_of(file: Path) -> Question:
        text, notes = _text(file), _notes(file.with_suffix(".ann"))
        if blanks:
            post, places = Post(text=text, tokens=tuple(text.split(" "))), joined(text.split(" "))[1]
        else:
            post = raw_post(text, dataset, str(file))
            places = [place for place in post.offsets if place]
        name = unquote(file.relative_to(path).with_suffix("").as_posix())
        marked = Marked(post=replace(post, id=name), text=text, places=places, left=left, own=not blanks)
        if notes is not None:
            _read_notes(notes, marked, labels, left)
        return question(marked.finish(entities=notes is not None, relations=notes is not None), dataset)

    yield from left.each(files, row_of)


def _is_post(file: Path, folder: Path) -> bool:
    """Whether a text is a post's: systems leave files behind whose names start with a point."""
    return not any(part.startswith(".") or part == "__MACOSX" for part in file.relative_to(folder).parts)


def _text(file: Path) -> str:
    """A text as brat counts it: with its line ends, without the last one."""
    data = head_of(file, MAX_TEXT + 1)
    if len(data) > MAX_TEXT:
        raise InputError(f"{file} has more than {MAX_TEXT // 2**20} MB")
    try:
        text = data.decode(encoding_of(data))
    except UnicodeDecodeError as error:
        raise InputError(f"{file} cannot be read as UTF-8 text") from error
    return check_text(text.removeprefix("\ufeff"), str(file)).removesuffix("\n").removesuffix("\r")


def _notes(file: Path) -> list[tuple[str, list[str]]] | None:
    """(file and line, its fields) of each note; None where a post has no file of notes."""
    if not is_file(file):
        return None
    return [(f"{file} line {number}", line.split("\t")) for number, line in read_lines(file) if line]


def _shown(file: Path) -> dict[str, str]:
    """The labels that this program's visual.conf shows instead of brat's names."""
    lines = [line for _, line in read_lines(file)] if is_file(file) else []
    if not lines or lines[0] != _OURS:
        return {}
    rows = (line.partition(" | ")[::2] for line in lines[1:] if " | " in line)
    return dict(rows)


def _fits_blanks(file: Path) -> bool:
    """Whether the marks of a text fit words that are parted by single blanks; a damaged one may."""
    try:
        text, notes = _text(file), _notes(file.with_suffix(".ann")) or []
    except InputError:
        return True
    tokens = text.split(" ")
    if not all(tokens) or "\n" in text or "\r" in text:
        return False
    places = joined(tokens)[1]
    starts, ends = {start for start, _ in places}, {end for _, end in places}
    for _, fields in notes:
        if fields[0][:1] == "T" and len(fields) > 1 and (numbers := _numbers(fields[1])):
            if numbers[-1] <= len(text) and not (numbers[0] in starts and numbers[-1] in ends):
                return False
    return True


def _numbers(field: str) -> list[int]:
    """The character offsets of a text bound: two, or more where it is discontinuous; none if it is broken."""
    numbers = field.partition(" ")[2].replace(";", " ").split(" ")
    # Python refuses to read numbers of thousands of digits.
    if len(numbers) < 2 or not all(number.isdecimal() and len(number) < 12 for number in numbers):
        return []
    return [int(number) for number in numbers]


def _whole(numbers: Sequence[int], text: str) -> tuple[int, int | None]:
    """The characters of one span. brat parts one that goes over a line's end, and only there."""
    gaps = zip(numbers[1::2], numbers[2::2], strict=False)
    whole = all(0 <= end <= start <= len(text) and not text[end:start].strip() for end, start in gaps)
    return numbers[0], numbers[-1] if len(numbers) % 2 == 0 and whole else None


def _read_notes(
    notes: Sequence[tuple[str, list[str]]], marked: Marked, labels: Mapping[str, str], left: LeftOut
) -> None:
    lost = set[str]()
    for where, fields in notes:
        fields = [*fields, ""]
        if fields[0][:1] == "T":
            numbers, name = _numbers(fields[1]), fields[1].partition(" ")[0]
            if not numbers:
                raise InputError(f"{where} is not one span of characters")
            start, end = _whole(numbers, marked.text)
            if end is None:
                left.refuse("a discontinuous entity", where)
                lost.add(fields[0])
                continue
            label = None if name == UNLABELLED else labels.get(name, name)
            stated = fields[2] if len(fields) > 3 else None
            marked.mark(fields[0], start, end, label, where, stated=stated)
        elif fields[0][:1] != "R":
            left.pass_over("events, attributes and notes of brat")
    for where, fields in notes:
        if fields[0][:1] == "R":
            name, *parts = [*fields, ""][1].split(" ")
            arguments = dict(part.partition(":")[::2] for part in parts)
            head, tail = arguments.get("Arg1"), arguments.get("Arg2")
            if {head, tail} & lost:
                left.pass_over("relations of a discontinuous entity")
            else:
                marked.link(head, tail, labels.get(name, name), where)


def problem(row: Question) -> str | None:
    if len(file_stem(row.post.id or "")) > _STEM:
        return "its id is too long for a file name"
    labels = [e.label for e in row.post.entities or ()] + [r.label for r in row.post.relations or ()]
    if any(c in label for label in labels for c in "\t\n\r"):
        return "one of its labels holds a tab or line break"
    if any(c in token for token in row.post.tokens for c in " \n\r"):
        return "brat parts words by blanks, and one of its words holds one"
    if row.post.tokens and row.post.tokens[0].startswith("\ufeff"):
        return "its first word starts with the sign by which a file tells its encoding"
    return empty_word(row)


def looks_like(path: Path, start: str) -> bool:
    return path.is_dir() and any(path.glob("*.ann"))


FORMAT = Format(
    name="brat",
    title="brat",
    suffix="",
    holds="words, entities, relations, ids",
    reader=read,
    writer=write,
    problem=problem,
    looks_like=looks_like,
)

"""How a file of a word a line parts its columns, and which of them are the word and its tag."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mmdemo.formats.shared.left_out import LeftOut
from mmdemo.formats.shared.tags import are_bare, are_chunks, are_tags, bare, bio
from mmdemo.types import InputError, quoted

#: Lines by which the columns are told.
SAMPLE = 5_000
#: Most columns of a line that are looked at.
COLUMNS = 40
PHOTO = "IMGID:"
DOCUMENT = "-DOCSTART-"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """``word`` counts columns from the left, ``tag`` from the right (-1 is the last one)."""

    tabs: bool
    word: int = 0
    tag: int = -1
    read: Callable[[str, str], str] = bio

    def fields(self, line: str, where: str) -> tuple[str, str]:
        """A line's word and its tag as BIO says it. Raises InputError where it has none."""
        parts = split(line, self.tabs)
        if len(parts) < max(self.word + 1, -self.tag) or len(parts) < 2 or not parts[self.word]:
            raise InputError(f"{where} is not a token, a tab and a tag: {quoted(line)}")
        return parts[self.word], self.read(parts[self.tag].strip(" "), where)


def split(line: str, tabs: bool) -> list[str]:
    """A line's columns; blanks and tabs behind the last one are none."""
    if tabs:
        return line.rstrip(" \t").split("\t", COLUMNS)
    return [part for part in line.split(" ", COLUMNS) if part]


def is_blank(line: str) -> bool:
    """Whether a line parts two posts: editors and spreadsheets leave blanks and tabs there."""
    return not line.strip(" \t") or ("\t" not in line and not line.strip())


def _heads(line: str) -> bool:
    return line.startswith((PHOTO, DOCUMENT, "# "))


def is_comment(line: str, columns: Columns) -> bool:
    """Whether a line says something of its post: in a file of blanks, one whose last field is no tag."""
    if not line.startswith("#") or "\t" in line:
        return False
    if columns.tabs:
        return True
    try:
        columns.fields(line, "")
    except InputError:
        return True
    return "=" in line or ":" in line


def told(lines: Iterable[str], left: LeftOut) -> Columns:
    """The columns of a file that has these lines: the last that looks like tags of names is the tag."""
    rows = [line for line in lines if "\t" in line or not is_blank(line) and not _heads(line)]
    tabs = any("\t" in line for line in rows)
    table = [parts for line in rows if len(parts := split(line, tabs)) > 1]
    if not table:
        return Columns(tabs=tabs)
    width = Counter(map(len, table)).most_common(1)[0][0]
    table = [parts for parts in table if len(parts) == width]
    columns = [Counter(parts[at].strip(" ") for parts in table) for at in range(width)]
    word = 1 if width > 2 and all(value.isdecimal() for value in columns[0]) else 0
    tags = [at for at in range(word + 1, width) if are_tags(list(columns[at]))]
    names = [at for at in tags if not are_chunks(columns[at])]
    for _ in names[:-1]:
        left.note("one column of tags more than is read: the last one counts")
    if names:
        return Columns(tabs=tabs, word=word, tag=names[-1] - width)
    if width <= 4 and _are_labels(columns[-1]):
        left.note("tags without B- and I-: neighbours of one label were read as one entity")
        return Columns(tabs=tabs, word=word, read=lambda tag, where: bare(tag))
    return Columns(tabs=tabs, word=word, tag=tags[-1] - width if tags else -1)


def _are_labels(values: Counter[str]) -> bool:
    """Whether a column has labels without prefixes: few, and many words have none."""
    return are_bare(list(values)) and len(values) <= 60 and values["O"] * 5 >= values.total()

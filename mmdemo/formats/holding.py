"""What each format holds, found out by writing a post and reading it back; and the table of it for people."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from mmdemo.datasets.schema import Dataset, EntityType, RelationType
from mmdemo.formats.format import Format
from mmdemo.formats.shared.reducing import reduced
from mmdemo.formats.shared.sameness import compare
from mmdemo.formats.table import SOURCES
from mmdemo.types import Ask, Decided, Entity, PhotoWords, Post, Question, Relation

_SCHEME = Dataset(
    name="sample",
    title="Sample",
    tasks=("entities", "relations"),
    entities=(EntityType(label="person"), EntityType(label="place")),
    relations=(RelationType(label="lives_in"),),
)
_ADA, _LACE = Entity(start=0, end=2, label="person"), Entity(start=1, end=2, label="place")
_OSLO = Entity(start=4, end=5, label="place")
_LIVES = Relation(head=(0, 2), tail=(4, 5), label="lives_in")
_WHO = Decided(by="Eve", verdict="accepted", at="2026-01-02T03:04:05+00:00", checkpoint="file", score=0.5)
_POST = Post(
    text="Ada Lace,  now in\nOslo",
    tokens=("Ada", "Lace", "now", "in", "Oslo"),
    id="p 1/é",
    relations=(_LIVES,),
)


@dataclass(frozen=True, kw_only=True)
class Holding:
    """Which parts of a post come back from a file; ``equal``: all that the format says it holds does.

    ``photos`` are the ids by which posts find them; ``scores`` are entities'; ``annotators`` who decided, and
    when; ``decisions`` also with which verdict, on which cell's answer, at which score.
    """

    equal: bool
    entities: bool
    nested: bool
    relations: bool
    text: bool
    photos: bool
    photo_words: bool
    scores: bool
    relation_scores: bool
    annotators: bool
    decisions: bool


def holding(found: Format) -> Holding | None:
    """What a format that is written holds, by trying; None for one that is only read."""
    if found.writer is None:
        return None
    stated = replace(_POST, entities=(_ADA, _OSLO))
    photo = replace(stated, image_id="quay_7")
    words = (PhotoWords(source="described", text="a quay"),)
    scored = replace(
        stated,
        entities=(replace(_ADA, score=0.25), _OSLO),
        relations=(replace(_LIVES, score=0.75),),
    )

    def comes_back(post: Post, part: Callable[[Question], object]) -> bool:
        row = Question(post=post, ask=Ask(relations="all"), decided=(_WHO,))
        back = _back(row, found)
        return back is not None and part(back) == part(row)

    return Holding(
        equal=_equal(replace(photo, photo_words=words, entities=(_ADA, _LACE, _OSLO)), found),
        entities=comes_back(stated, lambda row: _spans(row.post)),
        nested=comes_back(replace(stated, entities=(_ADA, _LACE)), lambda row: _spans(row.post)),
        relations=comes_back(
            stated, lambda row: [(r.head, r.tail, r.label) for r in row.post.relations or ()]
        ),
        text=comes_back(stated, lambda row: row.post.text),
        photos=comes_back(photo, lambda row: row.post.image_id),
        photo_words=comes_back(replace(photo, photo_words=words), lambda row: row.post.photo_words),
        scores=comes_back(scored, lambda row: [e.score for e in row.post.entities or ()]),
        relation_scores=comes_back(scored, lambda row: [r.score for r in row.post.relations or ()]),
        annotators=comes_back(stated, lambda row: [(one.by, one.at) for one in row.decided]),
        decisions=comes_back(stated, lambda row: row.decided),
    )


def _spans(post: Post) -> list[tuple[int, int, str]]:
    return sorted((e.start, e.end, e.label) for e in post.entities or ())


def _back(row: Question, found: Format) -> Question | None:
    """The row, less what the format cannot hold, as it comes back."""
    made = reduced(row, found)
    if made.row is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sample{found.suffix}"
        found.write(path, [made.row], _SCHEME)
        (back,) = found.read(path, _SCHEME)
    return back


def _equal(post: Post, found: Format) -> bool:
    made = reduced(Question(post=post, ask=Ask(relations="all"), decided=(_WHO,)), found)
    if made.row is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sample{found.suffix}"
        found.write(path, [made.row], _SCHEME)
        compare([made.row], found.read(path, _SCHEME), found)
    return True


# ---------------------------------------------------------------- for people

#: Between these a page has the table.
BEGIN, END = "<!-- formats: python -m mmdemo formats --page -->", "<!-- /formats -->"
_TITLES = {
    "equal": "read back equal",
    "nested": "entities that share words",
    "text": "the text as it was",
    "photo_words": "words of photos",
    "scores": "scores of entities",
    "relation_scores": "scores of relations",
    "decisions": "decisions",
}


def table() -> str:
    """Every format and what it holds, in Markdown; formats that are only read have no marks to give."""
    parts = [field.name for field in fields(Holding)]
    head = ["format", "name", "read", "write", *(_TITLES.get(part, part) for part in parts)]
    lines = [head, ["---"] * 2 + [":-:"] * (len(head) - 2)]
    for name, found in SOURCES.items():
        held = holding(found)
        marks = ["·" if held is None else _mark(getattr(held, part)) for part in parts]
        lines.append([found.title, f"`{name}`", _mark(True), _mark(held is not None), *marks])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _mark(held: bool) -> str:
    return "✔" if held else "–"

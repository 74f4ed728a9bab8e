"""What photos from real tweets change: ``python -m tests.bench.real_photos [--preset base] [--json]``.

Asks all fusions of a row about the posts of ``real_pairs`` and ``more_real_pairs``, once with the photo and
what is read off it (text and objects; nobody describes it), once without, and counts what that changes, from
wrong to right and from right to wrong, and how often the fusions disagree. Most of these posts stand in a
training split, so right and wrong say little about new ones; changed and unchanged say what a photo does. The
posts of the pairs are asked for their entities too, of which nobody has said which are right.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmdemo.answer.photo_words import words_for
from mmdemo.answer.predict import predict
from mmdemo.cells.locate import SHIPPED, Cell, list_cells
from mmdemo.datasets.bio import spans_of
from mmdemo.datasets.discovery import find_dataset
from mmdemo.formats.reading import with_photos
from mmdemo.formats.table import SOURCES, find_format
from mmdemo.models.encoders.table import DEFAULT_MODEL
from mmdemo.photo.lookup import photo_lookup
from mmdemo.types import Ask, Post, Prediction, Question

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MMDEMO_DATA", ROOT.parent / "shared" / "data"))


#: Whose cells read the posts of the pairs for entities, and what that is called here.
READER, UNTAGGED = "twitter2017", "twitter2017, posts of the pairs"


@dataclass(frozen=True, kw_only=True)
class Real:
    """A question about a real post, and its answer as the data has it (`said_of`)."""

    dataset: str
    question: Question
    gold: object


def pairs() -> list[Real]:
    """The MNRE rows of both folders; each asks for the pair that it states."""
    dataset = find_dataset("mnre")
    found = []
    for folder in (DATA / "real_pairs", DATA / "more_real_pairs"):
        rows = find_format("mnre", SOURCES).read(folder / "mnre.jsonl", dataset)
        for row in with_photos(rows, photo_lookup(folder / "photos", None, dataset, "test")):
            (stated,) = row.post.relations or ()
            asked = Question(post=row.post, ask=Ask(entities=False, relations=(stated.pair,)))
            found.append(Real(dataset=dataset.name, question=asked, gold=stated.label))
    return found


def tagged() -> list[Real]:
    """The six posts with tagged entities."""
    found = []
    for line in (DATA / "more_real_pairs" / "ner.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        words, photo = tuple(row["token"]), DATA / "more_real_pairs" / "photos" / row["image"]
        post = Post(tokens=words, text=" ".join(words), image=photo)
        gold = frozenset(spans_of(row["tags"]))
        found.append(Real(dataset=row["dataset"], question=Question(post=post, ask=Ask()), gold=gold))
    return found


def untagged(found: Sequence[Real]) -> list[Real]:
    """The posts of these questions, each once, to be asked for entities that nobody has tagged."""
    posts = {one.question.post.text: one.question.post for one in found}
    return [
        Real(dataset=UNTAGGED, question=Question(post=replace(post, relations=None), ask=Ask()), gold=None)
        for post in posts.values()
    ]


def said_of(answer: Prediction) -> object:
    """What can be compared: the likeliest relation, or all entities (start, end, type)."""
    if answer.relations:
        return answer.relations[0].label
    return frozenset((one.start, one.end, one.label) for one in answer.entities)


def ask(cells: Sequence[Cell], real: Sequence[Real]) -> dict[str, Any]:
    """Counts for the cells of one row, by fusion and together."""
    with_photo: dict[str, list[object]] = {cell.fusion: [] for cell in cells}
    without: dict[str, list[object]] = {cell.fusion: [] for cell in cells}
    for one in real:
        words = words_for(cells, one.question.post.image)
        post = replace(one.question.post, photo_words=words)
        for cell in cells:
            told = replace(one.question, post=post if words else one.question.post)
            bare = replace(one.question, post=replace(one.question.post, image=None))
            with_photo[cell.fusion].append(said_of(predict(told, cell)))
            without[cell.fusion].append(said_of(predict(bare, cell)))
    gold = [one.gold for one in real]
    fusions = {}
    for fusion, own in with_photo.items():
        changed = [(a, b, g) for a, b, g in zip(own, without[fusion], gold, strict=True) if a != b]
        fusions[fusion] = {
            "changed": len(changed),
            "to_right": sum(a == g for a, _, g in changed),
            "to_wrong": sum(b == g for _, b, g in changed),
        }
    disagree = sum(len(set(found)) > 1 for found in zip(*with_photo.values(), strict=True))
    return {"questions": len(real), "fusions": fusions, "fusions_disagree": disagree}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=SHIPPED, help="checkpoints [default: the shipped ones]")
    parser.add_argument("--preset", default="lite", help="the size of the cells [default: %(default)s]")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="the row [default: %(default)s]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    related = pairs()
    real = [*related, *tagged(), *untagged(related)]
    found = {}
    for dataset in dict.fromkeys(one.dataset for one in real):
        name = READER if dataset == UNTAGGED else find_dataset(dataset).name
        cells = [
            c
            for c in list_cells(options.root, options.preset)
            if c.problem is None and (c.dataset.name, c.model) == (name, options.model)
        ]
        if cells:
            found[dataset] = ask(cells, [one for one in real if one.dataset == dataset])
    print(json.dumps(found, indent=2) if options.json else "\n".join(map(_table, found, found.values())))
    return 0


def _table(dataset: str, found: dict[str, Any]) -> str:
    lines = [
        f"{dataset}: {found['questions']} questions; the fusions disagree on {found['fusions_disagree']}",
        f"{'':24}{'changed':>9}{'to right':>9}{'to wrong':>9}",
    ]
    for fusion, row in found["fusions"].items():
        lines.append(f"{fusion:24}{row['changed']:9}{row['to_right']:9}{row['to_wrong']:9}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

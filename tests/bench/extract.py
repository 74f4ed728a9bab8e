"""Entities and relations together, end to end on relation test sentences: ``python -m tests.bench.extract``.

A cell of one's own with both tasks: ``MMDEMO_CHECKPOINTS=runs python -m tests.bench.extract --data FOLDER
--entities lite/NAME/roberta-resnet50/film``. Its posts state all their entities, so these are scored too.

Rows of the relation dataset state two spans and their relation; rows of one sentence are taken together. From
the text alone:

- spans: how many of the stated spans the entity cell finds exactly (a row leaves other entities unsaid);
- pair given: micro F1 without ``none`` of the relation cell on the stated pairs;
- triples: micro F1 of (head span, tail span, relation) end to end. ``all`` counts each relation that no row
  states as wrong; ``judged`` leaves out those between spans that no row pairs, of which nothing is known.
"""

import argparse
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm.auto import tqdm

from mmdemo.answer.extraction.defaults import CellPair, cell_pair
from mmdemo.answer.extraction.records import Extraction
from mmdemo.answer.predict import predict
from mmdemo.cells.locate import Cell
from mmdemo.formats.reading import read_split
from mmdemo.types import Ask, Pair, Post, Question
from train.score.triples import Triple, extracted, sentences, symmetric_labels

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MMDEMO_DATA", ROOT.parent / "shared" / "data"))


def f1(right: int, said: int, stated: int) -> str:
    precision, recall = right / max(said, 1), right / max(stated, 1)
    both = 2 * precision * recall / max(precision + recall, 1e-12)
    return f"F1 {both:.1%} (precision {precision:.1%}, recall {recall:.1%}; {stated} stated)"


def told(answer: Extraction) -> set[Triple]:
    ends = {entity.id: entity.span for entity in answer.entities}
    return {(ends[one.head], ends[one.tail], one.label) for one in answer.relations}


def stated(post: Post, none: str) -> tuple[set[Pair], set[Triple]]:
    rows = post.relations or ()
    return {row.pair for row in rows}, {(r.head, r.tail, r.label) for r in rows if r.label != none}


def hits(said: Collection[Triple], gold: Collection[Triple], symmetric: Collection[str]) -> int:
    """Stated triples that are said; of a symmetric relation in either direction."""
    return sum(
        (head, tail, label) in said or (label in symmetric and (tail, head, label) in said)
        for head, tail, label in gold
    )


def named_of_pairs(post: Post, pairs: Collection[Pair], cell: Cell) -> set[Triple]:
    """The relation of each given pair, where it has one."""
    if not pairs:
        return set()
    plain = replace(post, entities=None, relations=None)
    answer = predict(Question(post=plain, ask=Ask(entities=False, relations=tuple(pairs))), cell)
    best = {row.pair: row for row in reversed(answer.relations)}.values()
    return {(row.head, row.tail, row.label) for row in best if row.label != cell.dataset.none}


def measure(posts: Sequence[Post], cells: CellPair) -> None:
    assert cells.relations is not None
    dataset = cells.relations.dataset
    symmetric = symmetric_labels(cells.relations)
    spans, entities = [0, 0], [0, 0, 0]
    given, whole, judged = [0, 0, 0], [0, 0, 0], [0, 0, 0]
    answered = extracted(posts, cells.entities, cells.relations)
    for post, answer in tqdm(answered, total=len(posts), disable=None):
        known, gold = stated(post, dataset.none)
        ends = {span for pair in known for span in (pair.head, pair.tail)}
        spans[0] += len(ends & {entity.span for entity in answer.entities})
        spans[1] += len(ends)
        if post.entities is not None:
            labelled = {(*entity.span, entity.label) for entity in answer.entities}
            entities[0] += len(labelled & {(e.start, e.end, e.label) for e in post.entities})
            entities[1] += len(labelled)
            entities[2] += len(post.entities)
        named = named_of_pairs(post, known, cells.relations)
        said = told(answer)
        paired = {frozenset((pair.head, pair.tail)) for pair in known}
        sure = {one for one in said if frozenset(one[:2]) in paired}
        for counts, found in ((given, named), (whole, said), (judged, sure)):
            counts[0] += hits(found, gold, symmetric if found is not named else ())
            counts[1] += len(found)
            counts[2] += len(gold)
    print(f"{len(posts)} sentences, text alone; {cells.entities.name} + {cells.relations.name}")
    print(f"spans: {spans[0] / max(spans[1], 1):.1%} of {spans[1]} found exactly")
    if entities[2]:
        print(f"entities, spans and labels: {f1(*entities)}")
    print(f"pair given: {f1(*given)}")
    print(f"triples, all: {f1(*whole)}")
    print(f"triples, judged: {f1(*judged)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, help="the first sentences alone")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the relations' dataset")
    parser.add_argument("--entities")
    parser.add_argument("--relations")
    options = parser.parse_args()
    cells = cell_pair(options.entities, options.relations)
    assert cells.relations is not None
    rows = read_split(options.data, cells.relations.dataset, "test")
    measure(sentences(rows)[: options.limit], cells)


if __name__ == "__main__":
    main()

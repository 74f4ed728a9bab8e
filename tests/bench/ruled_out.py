"""What is lost where types rule out the likeliest label: ``python -m tests.bench.ruled_out [--cell NAME]``.

Such a pair has no relation, unless the best of the allowed labels is symmetric
(`mmdemo.answer.extraction.decide`). On the validation sentences of the relation cell's dataset this counts
how often that best one would have been right there, beside the relations that are told, judged as
`train.score.triples` judges.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tqdm.auto import tqdm

from mmdemo.answer.extract import extract_many
from mmdemo.answer.extraction.defaults import cell_pair
from mmdemo.answer.extraction.records import Extraction, FoundRelation
from mmdemo.cells.locate import Cell
from mmdemo.formats.reading import read_split
from mmdemo.types import Ask, Post, Question
from train.score.triples import BATCH, judged_relations, sentences, symmetric_labels

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MMDEMO_DATA", ROOT.parent / "shared" / "data"))


def best_allowed(found: Extraction) -> Iterator[FoundRelation]:
    """The relations that would be told if a label that the types rule out did not count."""
    for pair in found.none:
        best = pair.top[0]
        if pair.ruled_out and best.label != found.none_label:
            yield replace(pair, label=best.label, score=best.score)


def answers(posts: list[Post], entities: Cell, relations: Cell) -> Iterator[tuple[Post, Extraction]]:
    """Each sentence with what the two cells find in it, pairs without a relation among that."""
    for start in tqdm(range(0, len(posts), BATCH), "sentences", disable=None):
        some = posts[start : start + BATCH]
        asked = [
            Question(post=replace(post, entities=None, relations=None), ask=Ask(relations="all"))
            for post in some
        ]
        yield from zip(some, extract_many(asked, entities, relations, with_none=True), strict=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", default="lite/mnre/roberta-resnet50/bimodal", help="whose relations")
    pair = cell_pair(None, parser.parse_args().cell, "lite")
    none, symmetric = pair.relations.dataset.none, symmetric_labels(pair.relations)
    told: list[bool] = []
    left: list[bool] = []
    posts = sentences(read_split(DATA, pair.relations.dataset, "valid"))
    for post, found in answers(posts, pair.entities, pair.relations):
        other = replace(found, relations=tuple(best_allowed(found)))
        for into, answer in ((told, found), (left, other)):
            into += [right for *_, right in judged_relations(post, answer, none, symmetric)]
    print(f"{pair.relations.name}, entities by {pair.entities.name}, validation:")
    print(f"told: {sum(told)} of {len(told)} relations right")
    print(f"not told, as the likeliest label is ruled out: {sum(left)} of {len(left)} would be right")


if __name__ == "__main__":
    main()

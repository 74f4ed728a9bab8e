"""How sure a relation is together with its two entities: whole answers against what sentences state.

A relation dataset's row states two spans and their relation; rows of one sentence are taken together. Other
spans and pairs may be right without a row that says so: of a sentence whose entities are not all stated,
those relations alone are judged that lie over a stated pair, where wrong bounds count as wrong.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from tqdm.auto import tqdm

from mmdemo.answer.extract import extract_many
from mmdemo.answer.extraction.defaults import cell_pair
from mmdemo.answer.extraction.records import Extraction
from mmdemo.cells import catalogue
from mmdemo.cells.calibration import EDGE, TripleCalibration
from mmdemo.cells.card import read_metrics
from mmdemo.cells.files import write_json
from mmdemo.cells.locate import Cell
from mmdemo.formats.reading import read_split
from mmdemo.types import Ask, InputError, Post, Question, Relation, Span, quoted
from train.data.source import datasets_in
from train.score.calibrate import FEWEST, Judged, measures

BATCH = 16

Triple = tuple[Span, Span, str]


@dataclass(frozen=True, kw_only=True)
class JudgedTriples:
    """Told relations (N,): their own scores, the products of their ends' scores, whether all is right."""

    relations: np.ndarray
    entities: np.ndarray
    right: np.ndarray

    def judged(self, whole: Callable[[float, float], float]) -> Judged:
        """Confidence and rightness, where ``whole`` joins the two scores."""
        pairs = zip(self.relations, self.entities, strict=True)
        return np.array([whole(float(one), float(other)) for one, other in pairs]), self.right


def calibrate_cells(
    folder: Path, preset: str = "lite", part: str = "", entities: str | None = None, limit: int | None = None
) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """`calibrate_triples` for each ready relation cell of a preset whose name has ``part``.

    Args:
        entities: the name of the cell that finds the entities; None takes a relation cell of both tasks
            itself, for others the best on validation.

    Raises:
        InputError: there is no such cell, or as `calibrate_triples`.
    """
    names = {dataset.name for dataset in datasets_in(folder)}
    ready = [
        cell
        for cell in catalogue.cells(preset)
        if cell.problem is None
        and cell.dataset.has_relations
        and cell.dataset.name in names
        and part in cell.name
    ]
    if not ready:
        raise InputError(f"no ready cell of {quoted(part or preset)} tells relations of the data in {folder}")
    for cell in tqdm(ready, "cells", disable=None):
        both = entities is None and cell.dataset.has_entities
        finder = cell if both else cell_pair(entities, cell.name, preset).entities
        yield cell, calibrate_triples(cell, finder, folder, limit)


def calibrate_triples(
    relations: Cell, entities: Cell, folder: Path, limit: int | None = None
) -> dict[str, Any]:
    """Fit on validation, measure on test, and store what metrics.json of ``relations`` then says of triples.

    Args:
        folder: the data folder of the relations' dataset.
        limit: the first sentences of each split alone; stated in the figures.

    Raises:
        InputError: the cells or the data cannot be read, or too few relations are right or wrong to tell.
    """
    found = {split: judge_triples(relations, entities, folder, split, limit) for split in ("valid", "test")}
    fitted = fit_triples(found["valid"])
    if fitted is None:
        raise InputError(
            f"too few relations of {relations.name} with entities of {entities.name} are right or wrong on "
            "validation to say how sure the others are"
        )
    stated = asdict(fitted) | {
        "entities": entities.dataset.name,
        "entities_by": entities.name,
        "fitted_on": "valid",
        "judged": {split: len(one.right) for split, one in found.items()},
        "before": measures(*found["test"].judged(lambda relation, ends: relation * ends)),
        "after": measures(*found["test"].judged(fitted.score)),
    }
    if limit is not None:
        stated["limit"] = limit
    write_json(relations.folder / "metrics.json", read_metrics(relations.folder) | {"triples": stated})
    return stated


def fit_triples(found: JudgedTriples) -> TripleCalibration | None:
    """The map of least log loss, a and b not negative; None where too few are right or wrong to tell.

    Of six forms this one had the least cross-fitted log loss on MNRE's validation sentences (T17's entities):
    .582, where the product has .699 and a power of each score .640.
    """
    if len(found.right) < FEWEST or found.right.all() or not found.right.any():
        return None
    sure = np.clip(found.relations, EDGE, 1 - EDGE)
    columns = [np.log(sure) - np.log1p(-sure), np.log(np.clip(found.entities, EDGE, 1)), np.ones(len(sure))]
    features = np.stack(columns, axis=1)
    sign = np.where(found.right, 1.0, -1.0)

    def loss(theta: np.ndarray) -> float:
        return float(np.logaddexp(0, -sign * (features @ theta)).mean())

    bounds = [(0, None), (0, None), (None, None)]
    found_at = minimize(loss, np.array([1.0, 1.0, 0.0]), bounds=bounds, method="L-BFGS-B").x
    a, b, c = (float(value) for value in found_at)
    return TripleCalibration(a=a, b=b, c=c)


def judge_triples(
    relations: Cell, entities: Cell, folder: Path, split: str, limit: int | None = None
) -> JudgedTriples:
    """Every told relation that can be judged, from the text alone.

    Raises:
        InputError: as `calibrate_triples`.
    """
    rows = read_split(folder, relations.dataset, split)
    posts = sentences(rows)[:limit]
    symmetric = symmetric_labels(relations)
    told: list[tuple[float, float, bool]] = []
    for post, answer in tqdm(
        extracted(posts, entities, relations), f"{split} sentences", total=len(posts), disable=None
    ):
        told += judged_relations(post, answer, relations.dataset.none, symmetric)
    scores = np.array(told, dtype=float).reshape(-1, 3)
    return JudgedTriples(relations=scores[:, 0], entities=scores[:, 1], right=scores[:, 2].astype(bool))


def judged_relations(
    post: Post, answer: Extraction, none: str, symmetric: set[str]
) -> Iterator[tuple[float, float, bool]]:
    """Of each relation that can be judged: its score, its ends' together, whether all of it is right."""
    gold = {(row.head, row.tail, row.label) for row in post.relations or ()}
    ends = {entity.id: entity for entity in answer.entities}
    for one in answer.relations:
        head, tail = ends[one.head], ends[one.tail]
        if post.entities is None and not any(_over(head.span, tail.span, row) for row in gold):
            continue
        ways = [(head.span, tail.span, one.label)]
        ways += [(tail.span, head.span, one.label)] if one.label in symmetric else []
        scores = [1.0 if end.score is None else end.score for end in (head, tail)]
        yield one.score, scores[0] * scores[1], one.label != none and any(way in gold for way in ways)


def _over(head: Span, tail: Span, row: Triple) -> bool:
    """Whether two spans share words with the two of a row, in either direction."""
    one, other = row[:2]
    return (_meet(head, one) and _meet(tail, other)) or (_meet(head, other) and _meet(tail, one))


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


# ---------------------------------------------------------------- sentences


def sentences(rows: Sequence[Question]) -> list[Post]:
    """One post a sentence, without its photo, with all that its rows state of entities and relations."""
    found: dict[tuple[str, ...], Post] = {}
    for row in rows:
        post = replace(row.post, image=None, photo_words=())
        before = found.get(post.tokens)
        relations: tuple[Relation, ...] = (
            *(before.relations or () if before else ()),
            *(post.relations or ()),
        )
        entities = post.entities if row.ask.entities else None
        found[post.tokens] = replace(post, relations=relations, entities=entities, tags=None)
    return list(found.values())


def symmetric_labels(cell: Cell) -> set[str]:
    """The relations that hold in both directions."""
    return {kind.label for kind in cell.dataset.relations if kind.symmetric}


def extracted(posts: Sequence[Post], entities: Cell, relations: Cell) -> Iterator[tuple[Post, Extraction]]:
    """Each post with what the two cells find in it, batch by batch, of what it states not a word."""
    for start in range(0, len(posts), BATCH):
        some = posts[start : start + BATCH]
        asked = [
            Question(post=replace(post, entities=None, relations=None), ask=Ask(relations="all"))
            for post in some
        ]
        yield from zip(some, extract_many(asked, entities, relations), strict=True)

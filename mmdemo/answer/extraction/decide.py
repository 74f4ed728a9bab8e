"""Probabilities of pairs -> relations: types, direction, symmetry and contradictions by the dataset's record.

Plain numpy, no model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import prod

import numpy as np

from mmdemo.answer.extraction.records import TOP, FoundEntity, FoundRelation, LabelScore
from mmdemo.cells.calibration import TripleCalibration
from mmdemo.datasets.schema import Dataset

#: Head and tail of a pair, as places among the entities.
Places = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Relations in reading order, and the pairs without one."""

    relations: tuple[FoundRelation, ...]
    none: tuple[FoundRelation, ...]


def typed_pairs(entities: Sequence[FoundEntity], typed: Dataset) -> list[Places]:
    """Every ordered pair that some relation may join by the entities' labels.

    Args:
        typed: the entities' dataset with the relations of the other (`Dataset.with_relations_of`).
    """
    labels = [_known(entity.label, typed) for entity in entities]
    kinds = set(labels)
    fit = {(one, other) for one in kinds for other in kinds if len(typed.relations_between(one, other)) > 1}
    return [
        (head, tail)
        for head, tail in permutations(range(len(entities)), 2)
        if (labels[head], labels[tail]) in fit and entities[head].span != entities[tail].span
    ]


def _known(label: str | None, dataset: Dataset) -> str | None:
    return label if label in dataset.entity_labels else None


def decide(
    scores: Mapping[Places, np.ndarray],
    entities: Sequence[FoundEntity],
    relations: Dataset,
    typed: Dataset | None,
    triples: TripleCalibration | None = None,
) -> Decided:
    """The likeliest relation of each pair.

    A label that the types do not allow is not chosen. Where it is the likeliest, and the best of the others
    is not symmetric, the pair has no relation: `python -m tests.bench.ruled_out` counts how seldom that best
    one is right there. The probabilities of the others stay as they are. A symmetric label has the mean of
    its probabilities in both directions where both were answered.

    Args:
        scores: calibrated probabilities over ``relations.relation_labels``, by pair.
        typed: as `typed_pairs` takes it; None allows every label (a pair that a person marked).
        triples: how sure a relation is together with its entities; None multiplies the three scores.
    """
    labels = relations.relation_labels
    symmetric = {kind.label for kind in relations.relations if kind.symmetric}
    both_ways = np.array([label in symmetric for label in labels])
    found: dict[Places, FoundRelation] = {}
    for (head, tail), own in scores.items():
        back = scores.get((tail, head))
        mean = own if back is None else np.where(both_ways, (own + back) / 2, own)
        ends = entities[head], entities[tail]
        found[head, tail] = _relation(ends, mean, relations, _allowed(ends, typed, labels), triples)
    told, none = _told_once(found, relations.none)
    chosen = [replace(one, id=f"r{number}") for number, one in enumerate(told)]
    return Decided(relations=tuple(_contradictions(chosen, relations)), none=tuple(none))


def _allowed(ends: tuple[FoundEntity, FoundEntity], typed: Dataset | None, labels: Sequence[str]) -> set[str]:
    if typed is None:
        return set(labels)
    return set(typed.relations_between(*(_known(end.label, typed) for end in ends)))


def _relation(
    ends: tuple[FoundEntity, FoundEntity],
    probabilities_C: np.ndarray,
    relations: Dataset,
    allowed: set[str],
    triples: TripleCalibration | None,
) -> FoundRelation:
    """The best allowed label of a pair, or `none` in its place (`decide`); its id is not known yet."""
    labels = relations.relation_labels
    order = [int(place) for place in np.argsort(-probabilities_C, kind="stable")]
    fit = [place for place in order if labels[place] in allowed]
    symmetric = any(kind.label == labels[fit[0]] and kind.symmetric for kind in relations.relations)
    ruled_out = fit[0] != order[0] and not symmetric
    chosen = labels.index(relations.none) if ruled_out else fit[0]
    shown = [place for rank, place in enumerate(fit) if rank < TOP or place == chosen]

    def scored(place: int) -> LabelScore:
        return LabelScore(label=labels[place], score=float(probabilities_C[place]))

    head, tail = ends
    return FoundRelation(
        id="",
        head=head.id,
        tail=tail.id,
        label=labels[chosen],
        score=float(probabilities_C[chosen]),
        score_with_entities=_with_entities(float(probabilities_C[chosen]), ends, triples),
        symmetric=symmetric,
        top=tuple(map(scored, shown)),
        ruled_out=scored(order[0]) if ruled_out else None,
    )


def _with_entities(
    relation: float, ends: tuple[FoundEntity, FoundEntity], triples: TripleCalibration | None
) -> float:
    """How sure a relation is together with both of its entities; those that a person states are certain."""
    own = [end.score for end in ends if end.score is not None]
    return triples.score(relation, prod(own)) if triples and own else relation * prod(own)


def _told_once(
    found: Mapping[Places, FoundRelation], none: str
) -> tuple[list[FoundRelation], list[FoundRelation]]:
    """(relations, pairs without one), in reading order.

    A symmetric relation stands for both directions: the likelier one of a pair is told, from the entity that
    stands first where both directions were answered.
    """
    told: list[FoundRelation] = []
    silent: list[FoundRelation] = []
    for head, tail in dict.fromkeys((min(place), max(place)) for place in sorted(found)):
        ways = [found[place] for place in ((head, tail), (tail, head)) if place in found]
        symmetric = [one for one in ways if one.symmetric]
        if symmetric:
            best = max(symmetric, key=lambda one: one.score)
            first = ways[0] if len(ways) == 2 else best
            told.append(replace(best, head=first.head, tail=first.tail))
        else:
            silent += [one for one in ways if one.label == none]
        told += [one for one in ways if one.label != none and not one.symmetric]
    return told, silent


def _contradictions(chosen: Sequence[FoundRelation], dataset: Dataset) -> list[FoundRelation]:
    """The relations, each with the ids of those that it cannot be right with."""
    kinds = {kind.label: kind for kind in dataset.relations}
    by_head: dict[tuple[str, str], list[FoundRelation]] = {}
    by_ends: dict[tuple[str, str, str], list[FoundRelation]] = {}
    for one in chosen:
        heads = (one.head, one.tail) if one.symmetric else (one.head,)
        for head in heads:
            by_head.setdefault((one.label, head), []).append(one)
        by_ends.setdefault((one.label, one.head, one.tail), []).append(one)
    marked = []
    for one in chosen:
        against: list[FoundRelation] = []
        if kinds[one.label].functional:
            for head in (one.head, one.tail) if one.symmetric else (one.head,):
                against += by_head[one.label, head]
        if kinds[one.label].one_way:
            against += by_ends.get((one.label, one.tail, one.head), [])
        ids = dict.fromkeys(other.id for other in against if other.id != one.id)
        marked.append(replace(one, contradicts=tuple(ids)))
    return marked

"""Entities and relations of a post in one answer.

Entities by one cell; then the relation of every ordered pair that the relation cell's dataset allows between
entities of their types, which are paired by `mmdemo.datasets.schema.Dataset.with_relations_of` (``like``).
One cell whose dataset has both tasks answers both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmdemo.answer.extraction.decide import Places, decide, typed_pairs
from mmdemo.answer.extraction.entities import FoundIn, find_entities
from mmdemo.answer.extraction.records import Extraction, FoundEntity
from mmdemo.answer.extraction.scoring import PairsOf, Progress, ScoredPairs, Stop, score_pairs
from mmdemo.answer.predict import reads_photo_words
from mmdemo.cells import catalogue, gpu
from mmdemo.cells.calibration import TripleCalibration
from mmdemo.cells.locate import Cell
from mmdemo.cells.zoo import LoadedCell
from mmdemo.datasets.schema import Dataset
from mmdemo.models.fusion.table import FUSIONS
from mmdemo.posts.pairs import MOST_PAIRS_ASKED, read_pairs
from mmdemo.types import Entity, InputError, Pair, Question, Span

UNTRAINED = "The best score of all pairs is near chance: this checkpoint looks untrained."


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """The pairs of one post, as places among its entities, and the same in the relation cell's words.

    ``marked``: the text's marks ask about them, so any label may be the answer. ``left_out``: how many
    more there are.
    """

    places: tuple[Places, ...]
    asked: PairsOf
    marked: bool
    left_out: int


@dataclass(frozen=True, kw_only=True)
class _Related:
    """The relation cell; ``typed`` is the entities' dataset with its relations."""

    cell: Cell
    loaded: LoadedCell
    typed: Dataset


def extract(
    question: Question,
    entity_cell: Cell,
    relation_cell: Cell | None = None,
    *,
    entities: Sequence[Entity] | None = None,
    with_none: bool = False,
    with_words: bool = False,
    progress: Progress | None = None,
    should_stop: Stop | None = None,
) -> Extraction:
    """Entities of a post and the relations between them.

    Args:
        question: as `mmdemo.posts.pairs.read_whole` reads it: "all" asks about every pair that the types
            allow, marked pairs about these alone and about every label.
        relation_cell: None takes ``entity_cell`` where its dataset has both tasks; else no relation is told.
        entities: what a person states, in place of those that the cell would find; one with a score was found
            before, and keeps it.
        with_none: list the pairs without a relation too.
        with_words: tell each word's tag and its probability.
        progress: is told how many of how many pairs are answered, batch by batch; not on a ZeroGPU Space.
        should_stop: is asked after each batch; True ends the answer there, with what was found so far.

    Raises:
        InputError: a checkpoint is missing, damaged or of another task, the photo cannot be read, or stated
            entities are not of this post or dataset.
    """
    if gpu.ZERO_GPU:  # calls travel to another process there
        progress = should_stop = None
    return extract_many(
        [question],
        entity_cell,
        relation_cell,
        entities=None if entities is None else [entities],
        with_none=with_none,
        with_words=with_words,
        progress=progress,
        should_stop=should_stop,
    )[0]


@gpu.on_gpu
def extract_many(
    questions: Sequence[Question],
    entity_cell: Cell,
    relation_cell: Cell | None = None,
    *,
    entities: Sequence[Sequence[Entity]] | None = None,
    with_none: bool = False,
    with_words: bool = False,
    progress: Progress | None = None,
    should_stop: Stop | None = None,
) -> list[Extraction]:
    """`extract` for several posts: their entities in one pass, their pairs together in batches.

    Raises:
        InputError: as `extract`, for any one of the questions.
    """
    loaded = catalogue.load(entity_cell)
    if not loaded.dataset.has_entities:
        raise InputError(f"{entity_cell.name} tells relations; it does not find entities")
    if relation_cell is None and loaded.dataset.has_relations:
        relation_cell = entity_cell
    found = find_entities(questions, entity_cell, loaded, entities, with_words=with_words)
    answers = [_extraction(q, one, entity_cell) for q, one in zip(questions, found, strict=True)]
    if relation_cell is None:
        return answers
    related = _related(relation_cell, loaded.dataset)
    pairs = [_pairs(q, one, related) for q, one in zip(questions, found, strict=True)]
    scored = score_pairs([one.asked for one in pairs], related.loaded, progress, should_stop)
    return [
        _with_relations(answer, related, own, _scores_of(number, own, scored), scored.untrained, with_none)
        for number, (answer, own) in enumerate(zip(answers, pairs, strict=True))
    ]


def _related(cell: Cell, entities: Dataset) -> _Related:
    """The relation cell beside the dataset of the entities. Raises InputError where it tells none."""
    loaded = catalogue.load(cell)
    if not loaded.dataset.has_relations:
        raise InputError(f"{cell.name} finds entities; it does not tell relations")
    own = loaded.dataset == entities
    typed = entities if own else entities.with_relations_of(loaded.dataset)
    return _Related(cell=cell, loaded=loaded, typed=typed)


def _extraction(question: Question, found: FoundIn, cell: Cell) -> Extraction:
    """The answer without its relations."""
    post, count = question.post, len(found.entities)
    return Extraction(
        post=post,
        entities=found.entities,
        relations=(),
        entities_by=cell.name,
        relations_by="",
        entity_labels=cell.dataset.name,
        relation_labels="",
        pairs_possible=count * (count - 1),
        image_used=post.image is not None and FUSIONS[cell.fusion].reads != "text",
        photo_words_used=found.photo_words_used,
        warnings=found.warnings,
        words=found.words,
    )


def _scores_of(number: int, own: _Pairs, scored: ScoredPairs) -> dict[Places, np.ndarray]:
    """The probabilities of one post's pairs, the ``number``-th's, by the places of their entities."""
    there = ((place, scored.scores.get((number, pair))) for pair, place in enumerate(own.places))
    return {place: found for place, found in there if found is not None}


def _with_relations(
    answer: Extraction,
    related: _Related,
    own: _Pairs,
    scores: dict[Places, np.ndarray],
    untrained: bool,
    with_none: bool,
) -> Extraction:
    """The answer with the relations of its pairs."""
    cell, loaded = related.cell, related.loaded
    triples = TripleCalibration.of(loaded.card.metrics, answer.entity_labels)
    decided = decide(scores, answer.entities, loaded.dataset, None if own.marked else related.typed, triples)
    post = answer.post
    read = bool(post.photo_words) and reads_photo_words(loaded)
    return replace(
        answer,
        relations=decided.relations,
        relations_by=cell.name,
        relation_labels=loaded.dataset.name,
        none_label=loaded.dataset.none,
        none_count=len(decided.none),
        none=decided.none if with_none else (),
        pairs_asked=len(own.places),
        pairs_answered=len(scores),
        stopped=len(scores) < len(own.places),
        narrow=own.asked.narrow,
        image_used=answer.image_used or (post.image is not None and FUSIONS[cell.fusion].reads != "text"),
        photo_words_used=answer.photo_words_used or read,
        warnings=(*answer.warnings, *_warnings(own, untrained and bool(scores))),
    )


def _warnings(own: _Pairs, untrained: bool) -> list[str]:
    told = [UNTRAINED] if untrained else []
    if own.left_out:
        asked = len(own.places)
        told.append(
            f"The post has {asked + own.left_out:,} pairs of entities: the {asked:,} that stand closest "
            "together were asked about."
        )
    return told


# ---------------------------------------------------------------- pairs


def _pairs(question: Question, found: FoundIn, related: _Related) -> _Pairs:
    """What is asked of a post, in the words that the relation cell reads.

    Of a crowd of entities, those pairs are left out that stand the furthest apart.
    """
    marked = question.ask.relations != "all"
    places = found.marked if marked else typed_pairs(found.entities, related.typed)
    more = max(0, len(places) - MOST_PAIRS_ASKED)
    if more:
        places = sorted(places, key=lambda place: abs(place[0] - place[1]))[:MOST_PAIRS_ASKED]
    post = question.post
    spans: Sequence[Span] = [entity.span for entity in found.entities]
    rules = related.loaded.dataset.words
    if places and post.offsets and related.typed.words != rules:
        words = read_pairs(post.text, rules)
        spans = [_same_place(entity, words.offsets) for entity in found.entities]
        post = replace(post, tokens=words.tokens, offsets=words.offsets)
    pairs = tuple(Pair(head=spans[head], tail=spans[tail]) for head, tail in places)
    asked = PairsOf(post=post, pairs=pairs)
    return _Pairs(places=tuple(places), asked=asked, marked=marked, left_out=more)


def _same_place(entity: FoundEntity, offsets: Sequence[Span]) -> Span:
    """The words, split by other rules, that share a character with an entity."""
    start, end = entity.start_char, entity.end_char
    assert start is not None and end is not None, "a text that was pasted has every word in it"
    inside = [i for i, (first, last) in enumerate(offsets) if first < end and last > start]
    return inside[0], inside[-1] + 1

"""A post's entities with ids, runner-ups and places: found by a cell, marked in the text, or stated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmdemo.answer.extraction.records import EntitySource, FoundEntity, LabelScore, WordTag
from mmdemo.answer.predict import PartAnswer, assemble, batches_of, read_parts, scored
from mmdemo.cells.calibration import Calibration
from mmdemo.cells.locate import Cell
from mmdemo.cells.zoo import LoadedCell
from mmdemo.datasets.schema import Dataset
from mmdemo.models.decode import best_tags, span_confidence
from mmdemo.posts.words import offsets_of
from mmdemo.types import Ask, Entity, InputError, Post, Question, Span, quoted


@dataclass(frozen=True, kw_only=True)
class FoundIn:
    """What a cell finds in one post; ``marked`` are the pairs that its text asks about, by places."""

    entities: tuple[FoundEntity, ...]
    marked: list[tuple[int, int]]
    words: tuple[WordTag, ...]
    warnings: tuple[str, ...]
    photo_words_used: bool


def find_entities(
    questions: Sequence[Question],
    cell: Cell,
    loaded: LoadedCell,
    stated: Sequence[Sequence[Entity]] | None = None,
    *,
    with_words: bool = False,
) -> list[FoundIn]:
    """The entities of each post: those stated, or those found; and with them those that marks name.

    Raises:
        InputError: as `mmdemo.answer.predict.predict`, or a stated entity is not of this post or dataset.
    """
    if stated is not None:
        for question, entities in zip(questions, stated, strict=True):
            _check(entities, question.post, loaded.dataset)
    plain = [Question(post=question.post, ask=Ask(entities=True)) for question in questions]
    answers = [one for batch in batches_of(read_parts(plain, loaded)) for one in scored(batch, cell, loaded)]
    told = assemble(plain, cell, answers)
    found = []
    for number, (question, answer) in enumerate(zip(questions, answers, strict=True)):
        own = answer.entities if stated is None else tuple(stated[number])
        spans = _marked_spans(question)
        rest = [span for span in spans if all((e.start, e.end) != span for e in own)]
        in_order = sorted(
            [_found(entity, question.post, answer, loaded, stated is not None) for entity in own]
            + [_marked(span, question.post, answer, loaded) for span in rest],
            key=lambda entity: (entity.start, entity.end),
        )
        numbered = tuple(
            replace(entity, id=f"e{i}", source="marked" if entity.span in spans else entity.source)
            for i, entity in enumerate(in_order)
        )
        found.append(
            FoundIn(
                entities=numbered,
                marked=_marked_pairs(question, numbered),
                words=_words(question.post, answer.probabilities, loaded.dataset) if with_words else (),
                warnings=told[number].warnings,
                photo_words_used=told[number].photo_words_used,
            )
        )
    return found


def _check(entities: Sequence[Entity], post: Post, dataset: Dataset) -> None:
    for entity in entities:
        if not 0 <= entity.start < entity.end <= len(post.tokens):
            raise InputError(f"words {entity.start}-{entity.end} are not words of the post")
        if entity.label not in dataset.entity_labels:
            known = ", ".join(dataset.entity_labels)
            raise InputError(f"{quoted(entity.label)} is no entity label of {dataset.title}; known: {known}")
        if entity.score is not None and not 0 <= entity.score <= 1:
            raise InputError(f"the score of an entity is {entity.score:.3g}, not a probability")
    spans = [(entity.start, entity.end) for entity in entities]
    if len(set(spans)) < len(spans):
        raise InputError("two stated entities have the same words")


def _marked_spans(question: Question) -> list[Span]:
    asked = question.ask.relations
    if asked == "all":
        return []
    return list(dict.fromkeys(span for pair in asked for span in (pair.head, pair.tail)))


def _marked_pairs(question: Question, entities: Sequence[FoundEntity]) -> list[tuple[int, int]]:
    asked = question.ask.relations
    places = {entity.span: i for i, entity in enumerate(entities)}
    return [] if asked == "all" else [(places[pair.head], places[pair.tail]) for pair in asked]


def _found(entity: Entity, post: Post, answer: PartAnswer, loaded: LoadedCell, stated: bool) -> FoundEntity:
    """An entity as it is told; a stated one that has a score was found before, and was left as it is."""
    mine = stated and entity.score is None
    runner_up = None if mine else _runner_up(entity, answer.probabilities, loaded.dataset)
    span = entity.start, entity.end
    return _entity(post, span, entity.label, entity.score, runner_up, "stated" if mine else "found")


def _marked(span: Span, post: Post, answer: PartAnswer, loaded: LoadedCell) -> FoundEntity:
    """A marked span as an entity of its likeliest label, however unlikely that is."""
    raw = _label_scores(span, answer.probabilities, loaded.dataset)
    if not raw:
        return _entity(post, span, None, None, None, "marked")
    label = max(raw, key=lambda name: raw[name])
    entity = Entity(start=span[0], end=span[1], label=label, score=raw[label])
    (entity,) = Calibration.of(loaded.card.metrics, "entities").entities((entity,))
    runner_up = _runner_up(entity, answer.probabilities, loaded.dataset)
    return _entity(post, span, label, entity.score, runner_up, "marked")


def _entity(
    post: Post,
    span: Span,
    label: str | None,
    score: float | None,
    runner_up: LabelScore | None,
    source: EntitySource,
) -> FoundEntity:
    places = offsets_of(post)[span[0] : span[1]]
    first, last = places[0], places[-1]
    whole = first is not None and last is not None
    return FoundEntity(
        id="",
        label=label,
        score=score,
        text=" ".join(post.tokens[span[0] : span[1]]),
        start=span[0],
        end=span[1],
        start_char=first[0] if whole and first else None,
        end_char=last[1] if whole and last else None,
        runner_up=runner_up,
        source=source,
    )


def _label_scores(span: Span, probabilities_WT: np.ndarray, dataset: Dataset) -> dict[str, float]:
    """The raw probability of a span for each label; empty where the model read none of its words."""
    start, end = span
    read_WT = probabilities_WT[start:end]
    if not len(read_WT) or np.isnan(read_WT).any(axis=1).all():
        return {}
    end = min(end, len(probabilities_WT))
    return {
        label: span_confidence(probabilities_WT, start, end, label, dataset.tags)
        for label in dataset.entity_labels
    }


def _runner_up(entity: Entity, probabilities_WT: np.ndarray, dataset: Dataset) -> LabelScore | None:
    """The likeliest other label of the same span, with its share of what the entity's score leaves."""
    raw = _label_scores((entity.start, entity.end), probabilities_WT, dataset)
    others = {label: score for label, score in raw.items() if label != entity.label}
    if not others or entity.score is None:
        return None
    label = max(others, key=lambda name: others[name])
    left = max(1 - raw[entity.label], others[label], 1e-12)
    return LabelScore(label=label, score=(1 - entity.score) * others[label] / left)


def _words(post: Post, probabilities_WT: np.ndarray, dataset: Dataset) -> tuple[WordTag, ...]:
    """Each word's tag in the likeliest valid sequence, with its own probability."""
    tags = best_tags(probabilities_WT, dataset.tags)
    scores = (row_T[dataset.tags.index(tag)] for tag, row_T in zip(tags, probabilities_WT, strict=True))
    read = [
        WordTag(text=text, tag=tag, score=None if np.isnan(score) else float(score))
        for text, tag, score in zip(post.tokens, tags, scores, strict=False)
    ]
    return (*read, *(WordTag(text=text, tag="O", score=None) for text in post.tokens[len(read) :]))

"""Answers as JSON values: the same for the page, the command line, the API, MCP and batches.

A span is told by its words' indices (half-open) and by its characters' places in the text as it was pasted;
the latter are null where its words do not stand in the text.
"""

from pathlib import Path
from typing import Any

from mmdemo.cells.catalogue import Entry
from mmdemo.cells.conditions import Conditions
from mmdemo.cells.name import CellName
from mmdemo.figures.numbers import explanation_json as views_json
from mmdemo.formats.shared.photo_words import words_json
from mmdemo.posts.words import offsets_of
from mmdemo.types import Change, Counterfactual, Entity, Explanation, Pair, Post, Prediction, Relation, Span

#: Relations of a pair that an answer tells, likeliest first.
TOP_RELATIONS = 5


def words_of(post: Post, span: Span) -> str:
    """The words of a span, parted by blanks."""
    return " ".join(post.tokens[span[0] : span[1]])


def prediction_json(prediction: Prediction) -> dict[str, Any]:
    """The answer; the command line prints the same.

    ``entities`` stand there where they were asked for, ``relations`` where pairs were; a question about one
    pair tells its ``head`` and ``tail`` once more beside them. ``photo_words`` is what is known of the photo
    in words, ``photo_words_used`` whether the checkpoint read it.
    """
    post, ask = prediction.post, prediction.ask
    answer: dict[str, Any] = {}
    if ask.entities or not ask.relations:
        answer["entities"] = [_entity_json(post, entity) for entity in prediction.entities]
    if ask.relations:
        answer["relations"] = [_relation_json(post, relation) for relation in _best(prediction)]
    if ask.relations != "all" and len(ask.relations) == 1:
        answer |= _pair_json(post, ask.relations[0])
    return {
        **answer,
        "image_used": prediction.image_used,
        "photo_words": words_json(post.photo_words),
        "photo_words_used": prediction.photo_words_used,
        "checkpoint": prediction.checkpoint,
        "warnings": list(prediction.warnings),
        "dataset": CellName.parse(prediction.checkpoint).dataset,
        "text": post.text,
        "tokens": list(post.tokens),
        "offsets": [None if place is None else list(place) for place in offsets_of(post)],
    }


def _best(prediction: Prediction) -> list[Relation]:
    """The likeliest relations of each pair, in the order asked."""
    counts: dict[Pair, int] = {}
    kept = []
    for relation in prediction.relations:
        counts[relation.pair] = counts.get(relation.pair, 0) + 1
        if counts[relation.pair] <= TOP_RELATIONS:
            kept.append(relation)
    return kept


def _relation_json(post: Post, relation: Relation) -> dict[str, Any]:
    return {"label": relation.label, "score": relation.score, **_pair_json(post, relation.pair)}


def _pair_json(post: Post, pair: Pair) -> dict[str, Any]:
    return {"head": span_json(post, pair.head), "tail": span_json(post, pair.tail)}


def span_json(post: Post, span: Span) -> dict[str, Any]:
    """A span of a post: its text, words and characters."""
    return {"text": words_of(post, span), "start": span[0], "end": span[1], **_characters(post, span)}


def _characters(post: Post, span: Span) -> dict[str, int | None]:
    """From the first word's start to the last one's end; null where either is not in the text."""
    places = offsets_of(post)[span[0] : span[1]]
    first, last = (places[0], places[-1]) if places else (None, None)
    return {
        "start_char": None if first is None or last is None else first[0],
        "end_char": None if first is None or last is None else last[1],
    }


def _entity_json(post: Post, entity: Entity) -> dict[str, Any]:
    span = (entity.start, entity.end)
    return {
        "text": entity.text or words_of(post, span),
        "label": entity.label,
        "start": entity.start,
        "end": entity.end,
        "score": entity.score,
        **_characters(post, span),
    }


def explained_json(found: Explanation, imagined: tuple[Counterfactual, ...]) -> dict[str, Any]:
    """An explanation: the prediction, the views with all their numbers, and the post imagined otherwise."""
    return {
        "prediction": prediction_json(found.prediction),
        **views_json(found),
        "counterfactuals": [counterfactual_json(case) for case in imagined],
    }


def counterfactual_json(case: Counterfactual) -> dict[str, Any]:
    """A post imagined otherwise: its name, and what changes."""
    return {"name": case.name, "changes": [_change_json(change) for change in case.changes]}


def _change_json(change: Change) -> dict[str, Any]:
    sides = {"before": change.before, "after": change.after}
    return {
        "kind": change.kind,
        **{
            name: None
            if side is None
            else {"label": side.label, "text": getattr(side, "text", None), "score": side.score}
            for name, side in sides.items()
        },
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """A cell of the catalogue; ``folder`` is relative to the working directory where it lies below it.

    ``conditions`` are those of its figures, and ``marks`` what must stand beside each of them.
    """
    conditions = Conditions.of(entry.metrics)
    folder = entry.cell.folder.absolute()
    here = Path.cwd()
    return {
        "dataset": entry.cell.dataset.name,
        "model": entry.cell.model,
        "fusion": entry.cell.fusion,
        "preset": entry.cell.preset,
        "status": entry.status,
        "problem": entry.problem,
        "size": entry.size,
        "metrics": entry.metrics,
        "conditions": conditions.json(),
        "marks": list(conditions.marks) if entry.metrics else [],
        "folder": (folder.relative_to(here) if folder.is_relative_to(here) else folder).as_posix(),
    }

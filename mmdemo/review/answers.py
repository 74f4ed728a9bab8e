"""Answers in and out of JSON. What comes in may be forged: everything is checked against the post.

JSON of an answer: ``{"entities": [{"start", "end", "label"[, "score"]}], "links": [{"head": [s, e],
"tail": [s, e], "label"[, "score"]}]}``.
"""

import json
from collections.abc import Sequence
from typing import Any

from mmdemo.datasets.schema import Dataset
from mmdemo.formats.text.lines import check_span
from mmdemo.review.records import Answer, Suggestion
from mmdemo.types import Entity, InputError, Pair, Post, Relation, quoted

#: Longest JSON text of an answer that is looked at, in characters.
MAX_CHARACTERS = 1_000_000
#: Most entities or links of one post: no tweet has a tenth of it.
MAX_ITEMS = 1_000


def read_answer(sent: object, post: Post, scheme: Dataset) -> Answer:
    """A checked answer from an `Answer`, the JSON object of one, or its text.

    Scores are dropped: only a model gives them (`with_scores`). Items come back in order of place.

    Raises:
        InputError: wrong types, an unknown label, a span that is empty or leaves the post, the same span
            twice, a relation that does not fit its spans' types, or too much of it.
    """
    if isinstance(sent, Answer):
        sent = answer_row(sent)
    if isinstance(sent, str):
        sent = _parse(sent)
    if not isinstance(sent, dict) or not set(sent) <= {"entities", "links"}:
        raise InputError("the answer is not an object with entities and links")
    entities = tuple(_entity(row, post.tokens, scheme) for row in _rows(sent, "entities"))
    links = tuple(_link(row, post, scheme, entities) for row in _rows(sent, "links"))
    spans = [(e.start, e.end) for e in entities]
    if len(set(spans)) < len(spans):
        raise InputError("the answer has two entities on the same words")
    if len({(link.head, link.tail, link.label) for link in links}) < len(links):
        raise InputError("the answer has the same relation twice")
    return Answer(
        entities=tuple(sorted(entities, key=lambda e: (e.start, e.end))),
        links=tuple(sorted(links, key=lambda link: (link.head, link.tail, link.label))),
    )


def _parse(text: str) -> object:
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"the answer has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError("the answer is not JSON") from error


def _rows(sent: dict[str, Any], key: str) -> list[dict[str, Any]]:
    rows = sent.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"the answer's {key} are not a list of objects")
    if len(rows) > MAX_ITEMS:
        raise InputError(f"the answer has {len(rows):,} {key}; at most {MAX_ITEMS:,} are read")
    return rows


def _entity(row: dict[str, Any], tokens: Sequence[str], scheme: Dataset) -> Entity:
    start, end = check_span([row.get("start"), row.get("end")], len(tokens), "the answer")
    label = row.get("label")
    if not isinstance(label, str) or label not in scheme.entity_labels:
        raise InputError(f"the answer has the unknown entity label {quoted(label)}")
    return Entity(start=start, end=end, label=label, text=" ".join(tokens[start:end]))


def _link(row: dict[str, Any], post: Post, scheme: Dataset, entities: Sequence[Entity]) -> Relation:
    head, tail = (check_span(row.get(side), len(post.tokens), "the answer") for side in ("head", "tail"))
    types = {(entity.start, entity.end): entity.label for entity in entities}
    label = row.get("label")
    if not isinstance(label, str) or label not in scheme.relation_labels:
        raise InputError(f"the answer has the unknown relation {quoted(label)}")
    kind = scheme.relation_type(label)  # None: no relation, which joins any two spans
    if kind is not None and not kind.fits(types.get(head), types.get(tail)):
        raise InputError(f"{label} does not fit a {types.get(head)} head and a {types.get(tail)} tail")
    return Relation(head=head, tail=tail, label=label)


def with_scores(answer: Answer, suggestion: Suggestion | None) -> Answer:
    """The answer with the score of each item that the suggestion has too, and of no other."""
    if suggestion is None:
        return answer
    scores = {(e.start, e.end, e.label): e.score for e in suggestion.answer.entities}
    links = {(link.head, link.tail, link.label): link.score for link in suggestion.answer.links}
    return Answer(
        entities=tuple(
            Entity(**{**vars(e), "score": scores.get((e.start, e.end, e.label))}) for e in answer.entities
        ),
        links=tuple(
            Relation(**{**vars(link), "score": links.get((link.head, link.tail, link.label))})
            for link in answer.links
        ),
    )


def answer_row(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer."""
    return {
        "entities": [
            {"start": e.start, "end": e.end, "label": e.label, **_score(e.score)} for e in answer.entities
        ],
        "links": [
            {"head": list(link.head), "tail": list(link.tail), "label": link.label, **_score(link.score)}
            for link in answer.links
        ],
    }


def _score(score: float | None) -> dict[str, float]:
    return {} if score is None else {"score": score}


def stored_answer(row: dict[str, Any], tokens: Sequence[str]) -> Answer:
    """The answer that `answer_row` wrote to the store, scores included; not for a stranger's JSON."""
    return Answer(
        entities=tuple(
            Entity(
                start=e["start"],
                end=e["end"],
                label=e["label"],
                text=" ".join(tokens[e["start"] : e["end"]]),
                score=e.get("score"),
            )
            for e in row["entities"]
        ),
        links=tuple(
            Relation(
                head=(link["head"][0], link["head"][1]),
                tail=(link["tail"][0], link["tail"][1]),
                label=link["label"],
                score=link.get("score"),
            )
            for link in row["links"]
        ),
    )


def suggestion_row(suggestion: Suggestion) -> dict[str, Any]:
    """The JSON object of a suggestion."""
    return {
        **answer_row(suggestion.answer),
        "checkpoint": suggestion.checkpoint,
        "relations": [[r.label, r.score, r.head, r.tail] for r in suggestion.relations],
        "entropy": suggestion.entropy,
        "disagreement": suggestion.disagreement,
        "flip": suggestion.flip,
    }


def stored_suggestion(row: dict[str, Any], tokens: Sequence[str], asked: Sequence[Pair]) -> Suggestion:
    """The suggestion that `suggestion_row` wrote; where relations state no spans, the asked pair has them."""
    return Suggestion(
        answer=stored_answer(row, tokens),
        checkpoint=row["checkpoint"],
        relations=tuple(_stored_relation(stated, asked) for stated in row["relations"]),
        entropy=row["entropy"],
        disagreement=row["disagreement"],
        flip=row["flip"],
    )


def _stored_relation(stated: list[Any], asked: Sequence[Pair]) -> Relation:
    label, score, *spans = stated
    head, tail = spans or (asked[0].head, asked[0].tail)
    return Relation(head=(head[0], head[1]), tail=(tail[0], tail[1]), label=label, score=score)

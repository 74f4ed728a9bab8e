"""An extraction as JSON values: the same for the command line, the API, MCP and batches.

Spans are told as in `mmdemo.answer.answer_json`; relations name their entities by id.
"""

from typing import Any

from mmdemo.answer.extraction.records import Extraction, FoundEntity, FoundRelation, LabelScore
from mmdemo.formats.shared.photo_words import words_json
from mmdemo.posts.words import offsets_of


def extraction_json(found: Extraction) -> dict[str, Any]:
    """The answer as JSON values.

    ``none`` stands there only where pairs without a relation were asked for, ``words`` where words' tags
    were; ``pairs`` always tells how many pairs there are of each kind.
    """
    post = found.post
    answer: dict[str, Any] = {
        "entities": [_entity_json(entity) for entity in found.entities],
        "relations": [_relation_json(relation) for relation in found.relations],
    }
    if found.none:
        answer["none"] = [_relation_json(relation) for relation in found.none]
    answer["pairs"] = {
        "possible": found.pairs_possible,
        "asked": found.pairs_asked,
        "answered": found.pairs_answered,
        "without_relation": found.none_count,
        "stopped": found.stopped,
        "narrow": found.narrow,
    }
    if found.words:
        answer["words"] = [vars(word) for word in found.words]
    return {
        **answer,
        "entities_by": found.entities_by,
        "relations_by": found.relations_by or None,
        "entity_labels": found.entity_labels,
        "relation_labels": found.relation_labels or None,
        "image_used": found.image_used,
        "photo_words": words_json(post.photo_words),
        "photo_words_used": found.photo_words_used,
        "warnings": list(found.warnings),
        "text": post.text,
        "tokens": list(post.tokens),
        "offsets": [None if place is None else list(place) for place in offsets_of(post)],
    }


def _entity_json(entity: FoundEntity) -> dict[str, Any]:
    return {**vars(entity), "runner_up": None if entity.runner_up is None else vars(entity.runner_up)}


def _relation_json(relation: FoundRelation) -> dict[str, Any]:
    return {
        "id": relation.id or None,
        "head": relation.head,
        "tail": relation.tail,
        "label": relation.label,
        "score": relation.score,
        "score_with_entities": relation.score_with_entities,
        "symmetric": relation.symmetric,
        "top": [_label_json(one) for one in relation.top],
        "contradicts": list(relation.contradicts),
        "ruled_out": None if relation.ruled_out is None else _label_json(relation.ruled_out),
    }


def _label_json(one: LabelScore) -> dict[str, Any]:
    return {"label": one.label, "score": one.score}

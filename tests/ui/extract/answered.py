"""Answers to draw, without a model: any entities and relations of a text of made-up labels."""

from mmdemo.answer.extraction.records import Extraction, FoundEntity, FoundRelation, LabelScore, WordTag
from mmdemo.types import Post
from tests.made_up import ENTITY_LABELS, RELATION_LABELS

HOSTILE = "<img src=x onerror=window.__xss=1>${window.__xss=1}'\"`\u202eevil"


def entity(place: int, start: int, end: int, **more: object) -> FoundEntity:
    facts: dict = {"label": ENTITY_LABELS[place % len(ENTITY_LABELS)], "score": 0.9, "text": f"w{start}"}
    return FoundEntity(id=f"e{place}", start=start, end=end, **{**facts, **more})


def relation(place: int, head: int, tail: int, **more: object) -> FoundRelation:
    label = RELATION_LABELS[place % len(RELATION_LABELS)]
    top = (LabelScore(label=label, score=0.7), LabelScore(label="None", score=0.2))
    facts: dict = {"label": label, "score": 0.7, "score_with_entities": 0.5, "top": top, "id": f"r{place}"}
    return FoundRelation(head=f"e{head}", tail=f"e{tail}", **{**facts, **more})


def answered(
    words: list[str], entities: list[FoundEntity], relations: list[FoundRelation], **more: object
) -> Extraction:
    text, offsets, at = " ".join(words), [], 0
    for word in words:
        offsets.append((at, at + len(word)))
        at += len(word) + 1
    facts: dict = {
        "entities_by": "tiny/odd/vilt/film",
        "relations_by": "tiny/odd/vilt/concat",
        "entity_labels": "odd",
        "relation_labels": "odd",
        "words": tuple(WordTag(text=word, tag="O", score=0.99) for word in words),
    }
    return Extraction(
        post=Post(text=text, tokens=tuple(words), offsets=tuple(offsets)),
        entities=tuple(entities),
        relations=tuple(relations),
        **{**facts, **more},
    )

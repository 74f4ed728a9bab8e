"""Reviews -> what the editor's scripts draw, as plain JSON values. Pure: no gradio, no store.

The scripts' names: an entity is a *span*, a relation a *link*. Each part carries its ``state`` (open,
accepted, changed, added or rejected) and ``was``, what the model or the file had suggested in its place.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdemo.datasets.looks import HEAD_LOOK, TAIL_LOOK, UNKNOWN_LOOK, looks_of
from mmdemo.datasets.schema import Dataset, EntityType, RelationType
from mmdemo.formats.shared.photo_words import words_json
from mmdemo.review.records import Answer, Decision, Dispute, Order, Progress, Queue, Review
from mmdemo.types import Entity, Post, Relation
from mmdemo.ui.shell.safe import pieces, plain
from mmdemo.ui.shell.view import relation_name, spaces_before

EXCERPT = 90  # characters of a post in the list
LONGEST_REF = 60  # characters of a post's id
LONGEST_WORD = 400  # characters of a word that are shown; the whole word stays in the data


Part = Entity | Relation
Fate = tuple[float | None, str, Any]


def page_facts(scheme: Dataset | None) -> dict[str, Any]:
    """What the scripts need of a queue's labels: looks, names, guidelines, and what relations may join.

    ``scheme`` is None where there is no queue.
    """
    looks = {"": UNKNOWN_LOOK, "E1": HEAD_LOOK, "E2": TAIL_LOOK}
    facts: dict[str, Any] = {"guidelines": {}, "relations": [], "names": {}, "none": "", "symmetric": []}
    if scheme is not None:
        looks |= looks_of(scheme)
        kinds: list[EntityType | RelationType] = [*scheme.entities, *scheme.relations]
        free = [{"label": scheme.none, "head": (), "tail": ()}] if scheme.relations else []
        facts = {
            "guidelines": {kind.label: kind.guideline or kind.meaning for kind in kinds}
            | {scheme.none: NO_RELATION},
            "relations": free
            + [{"label": r.label, "head": r.head, "tail": r.tail} for r in scheme.relations],
            "names": {name: relation_name(name, scheme.none) for name in scheme.relation_labels},
            "none": scheme.none,
            "symmetric": [relation.label for relation in scheme.relations if relation.symmetric],
        }
    return {"looks": {name: vars(look) for name, look in looks.items()}, **facts}


#: The guideline of a pair without a relation.
NO_RELATION = "Text and photo state none of the other relations between the two, however likely it may be."


ORDER_NAMES: dict[Order, str] = {
    "input": "as imported",
    "entropy": "least sure first",
    "disagreement": "fusions disagree first",
    "flip": "photo matters first",
    "random": "random",
}


def facets_json(queues: Sequence[Queue], progress: Progress | None) -> dict[str, Any]:
    """What the list can be ordered and filtered by."""
    scheme = progress.queue.scheme if progress else None
    entities, relations = (scheme.entity_labels, scheme.relation_labels) if scheme else ((), ())
    return {
        "queues": [[q.name, f"{q.name} · {q.dataset}{' · double' if q.double else ''}"] for q in queues],
        "double": bool(progress and progress.queue.double),
        "orders": [list(pair) for pair in ORDER_NAMES.items()],
        "labels": [
            *([label, label] for label in entities),
            *([r, relation_name(r, scheme.none if scheme else "")] for r in relations),
        ],
        "reviewers": sorted(progress.by_reviewer) if progress else [],
    }


def row_json(review: Review, reviewer: str) -> dict[str, Any]:
    """A post in the list."""
    decision = review.decision
    return {
        "id": review.key,
        "ref": shown_ref(review.post),
        "version": review.version,
        "status": review.status,
        "score": review.suggestion.score if review.suggestion else None,
        "checkpoint": review.suggestion.checkpoint if review.suggestion else None,
        "reviewer": decision.reviewer if decision else None,
        "holder": holder(review, reviewer),
        "excerpt": pieces(
            shorten(" ".join(review.post.text.split()) or " ".join(review.post.tokens), EXCERPT)
        ),
    }


def shown_ref(post: Post) -> str:
    """A post's id as the desk names it, and tells its drafts apart by."""
    return plain(shorten(post.id or "", LONGEST_REF), 2 * LONGEST_REF)


def shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rstrip() + "…"


def holder(review: Review, reviewer: str) -> str | None:
    """Who else edits the post at present."""
    lease = review.lease
    return lease.reviewer if lease is not None and lease.reviewer != reviewer else None


def post_json(review: Review, reviewer: str) -> dict[str, Any]:
    """A post in the editor."""
    post, suggestion = review.post, review.suggestion
    ranking = {r.label: r.score for r in suggestion.relations} if suggestion else {}
    return {
        "id": review.key,
        "ref": shown_ref(post),
        "version": review.version,
        "status": review.status,
        "reviewer": review.decision.reviewer if review.decision else None,
        "holder": holder(review, reviewer),
        "checkpoint": suggestion.checkpoint if suggestion else None,
        "words": [_display(word) for word in post.tokens],
        "gaps": spaces_before(post),
        "labels": list(review.scheme.entity_labels),
        "entities": review.scheme.has_entities,
        "ranking": ranking,
        "photo": Path(str(post.image)).name if post.image is not None else None,
        **photo_words_json(review),
        "answer": answer_json(review),
    }


def photo_words_json(review: Review) -> dict[str, Any]:
    """The words of a post's photo, as they are sent back, with ``shown``: the text cut for display."""
    words = zip(words_json(review.post.photo_words), review.post.photo_words, strict=True)
    return {
        "photo_words": [{**row, "shown": pieces(one.text)} for row, one in words],
        "photo_version": review.photo_version,
    }


def _display(word: str) -> list[str | list[str]]:
    """A word as it is shown: none is invisible, and none takes the page over."""
    shown: list[str | list[str]] = []
    left = LONGEST_WORD
    for part in pieces(word) if word.strip() else ["␣"]:
        shown.append(part if isinstance(part, list) else shorten(part, left))
        left -= len(part)
        if left <= 0:
            break
    return shown


def dispute_json(dispute: Dispute, reviewer: str) -> dict[str, Any]:
    """A post on which two blind reviews differ: both answers, without names, and nothing taken yet."""
    sides = [_settled(dispute.review, decision) for decision in dispute.decisions]
    return {
        **post_json(dispute.review, reviewer),
        "version": dispute.version,
        "reviewer": None,
        "disputed": [
            {
                "verdict": decision.verdict,
                "answer": side,
                "only": [pieces(text) for text in _only(decision, other)],
            }
            for decision, other, side in zip(dispute.decisions, dispute.decisions[::-1], sides, strict=True)
        ],
        "answer": sides[0],
    }


def _only(one: Decision, other: Decision) -> list[str]:
    """What one answer has and the other lacks, in words."""
    if one.verdict == "rejected":
        return ["rejects the post"]
    theirs = other.answer.items()
    entities = [
        f"{e.text}: {e.label}" for e in one.answer.entities if (e.start, e.end, e.label) not in theirs
    ]
    links = [link.label for link in one.answer.links if (link.head, link.tail, link.label) not in theirs]
    return [shorten(text, EXCERPT) for text in (*entities, *links)] or ["has nothing that the other lacks"]


# --- an answer with the state of each part -------------------------------------------------------


def answer_json(review: Review) -> dict[str, Any]:
    """What the editor starts from. Undecided: the suggestion, all open; decided: how each part came out."""
    decision = review.decision
    if decision is not None:
        return _settled(review, decision)
    answer = review.suggestion.answer if review.suggestion else Answer()
    spans = [_span(e, e.score, "open", e) for e in _in_order(answer.entities)]
    links = [_link(review.scheme, link, link.score, "open", link) for link in answer.links]
    answered = {link.pair for link in answer.links}
    for pair in review.asked:  # the question of a relation without an answer
        if pair not in answered:
            open_link = Relation(head=pair.head, tail=pair.tail, label="")
            links.append(_link(review.scheme, open_link, None, "open", None))
    return {"spans": spans, "links": links}


def _settled(review: Review, decision: Decision) -> dict[str, Any]:
    """A decision's parts beside what was suggested, which keeps its scores."""
    before = review.suggestion.answer if review.suggestion else Answer()
    after = decision.answer
    spans = [_span(e, *_fate(e, before.entities, after.entities)) for e in after.entities]
    links = [_link(review.scheme, link, *_fate(link, before.links, after.links)) for link in after.links]
    used = [part["was"] for part in (*spans, *links)]
    spans += [_span(e, e.score, "rejected", e) for e in before.entities if _essence(e) not in used]
    links += [
        _link(review.scheme, x, x.score, "rejected", x) for x in before.links if _essence(x) not in used
    ]
    return {"spans": sorted(spans, key=lambda s: (s["start"], s["end"])), "links": links}


def _fate(part: Part, before: Sequence[Part], after: Sequence[Part]) -> Fate:
    """(score, state, what it was): the same as a suggested part, a changed one, or an added one."""
    same = next((old for old in before if _essence(old) == _essence(part)), None)
    if same is not None:
        return same.score, "accepted", same
    kept = [_essence(new) for new in after]
    near = next((old for old in before if _essence(old) not in kept and _touch(old, part)), None)
    return (near.score, "changed", near) if near is not None else (None, "added", None)


def _touch(one: Part, other: Part) -> bool:
    """Whether one part may be what became of the other: shared words, or the same two sides."""
    if isinstance(one, Entity) and isinstance(other, Entity):
        return one.start < other.end and other.start < one.end
    return isinstance(one, Relation) and isinstance(other, Relation) and one.pair == other.pair


def _in_order(entities: Sequence[Entity]) -> list[Entity]:
    return sorted(entities, key=lambda e: (e.start, e.end))


def _essence(part: Part) -> dict[str, Any]:
    if isinstance(part, Entity):
        return {"start": part.start, "end": part.end, "label": part.label}
    return {"head": list(part.head), "tail": list(part.tail), "label": part.label or None}


def _span(entity: Entity, score: float | None, state: str, was: Entity | None) -> dict[str, Any]:
    return {**_essence(entity), "score": score, "state": state, "was": _essence(was) if was else None}


def _link(
    scheme: Dataset, link: Relation, score: float | None, state: str, was: Relation | None
) -> dict[str, Any]:
    """A relation; ``kinds`` are the labels of its two sides where the relation leaves no other."""
    known = scheme.relation_type(link.label)
    ends = (known.head, known.tail) if known else ((), ())
    kinds = [labels[0] if len(labels) == 1 else None for labels in ends]
    facts = {"score": score, "state": state, "was": _essence(was) if was else None}
    return {**_essence(link), "kinds": kinds, **facts}

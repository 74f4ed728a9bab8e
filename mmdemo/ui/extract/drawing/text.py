"""A post's text as HTML that scripts can draw on: each word, each entity, and the arcs to be drawn. Pure."""

import json
from collections.abc import Mapping, Sequence

from mmdemo.answer.extraction.records import Extraction, FoundEntity, FoundRelation
from mmdemo.datasets.looks import UNKNOWN_LOOK, Look
from mmdemo.types import Post
from mmdemo.ui.shell.safe import percent, plain, safe
from mmdemo.ui.shell.view import Run, relation_name, runs, spaces_before

#: Relations that are drawn at once, likeliest first; the others on request.
DRAWN = 12
LONGEST = 60  # characters of an entity in a name for screen readers


def said(text: str, most: int = LONGEST) -> str:
    """A text for an attribute, which takes no HTML."""
    return safe(plain(text, most)).replace("<", "&#60;").replace(">", "&#62;")


def look_of(entity: FoundEntity, looks: Mapping[str, Look]) -> Look:
    return looks.get(entity.label or "", UNKNOWN_LOOK)


def style_of(look: Look) -> str:
    return f"--mm-colour:{look.colour};--mm-tint:{look.tint};--mm-line:{look.underline}"


def score_of(entity: FoundEntity) -> str:
    """An entity's confidence; one that a person stated has none."""
    if entity.score is None:
        return "by you" if entity.source == "stated" else "not read"
    return percent(entity.score)


def likeliest(relations: Sequence[FoundRelation]) -> list[FoundRelation]:
    """The relations, first the likeliest with their entities: the first `DRAWN` of them are drawn."""
    return sorted(relations, key=lambda relation: -relation.score_with_entities)


def text_html(found: Extraction, looks: Mapping[str, Look]) -> str:
    """The text with its entities, in a box that `arcs.js` draws the relations on."""
    post, entities = found.post, found.entities
    gaps = spaces_before(post)
    parts = [
        gaps[run.start] + _run_html(run, post, gaps, entities, looks)
        for run in runs(len(post.tokens), [entity.span for entity in entities])
    ]
    arcs = safe(json.dumps([_arc(relation, found.none_label) for relation in likeliest(found.relations)]))
    box = 'tabindex="0" role="group" aria-label="The text with its entities"'
    return (
        f'<div class="xt-text" {box} data-drawn="{DRAWN}" data-arcs="{arcs}">'
        '<svg class="ar-arcs" aria-hidden="true"></svg>'
        f'<p class="xt-words" dir="auto">{"".join(parts)}</p></div>'
    )


def _arc(relation: FoundRelation, none: str) -> dict[str, object]:
    """What is drawn of a relation. ASCII as JSON, so that nothing in it is more than text."""
    return {
        "id": relation.id,
        "head": relation.head,
        "tail": relation.tail,
        "name": plain(relation_name(relation.label, none), LONGEST),
        "score": percent(relation.score_with_entities).replace("&gt;", ">").replace("&lt;", "<"),
        "symmetric": relation.symmetric,
        "against": bool(relation.contradicts),
    }


def _run_html(
    run: Run, post: Post, gaps: list[str], entities: Sequence[FoundEntity], looks: Mapping[str, Look]
) -> str:
    """Words under the same entities; the shortest of these is whose colour they have and who is clicked."""
    words = "".join(
        ("" if w == run.start else gaps[w]) + _word_html(post, w) for w in range(run.start, run.end)
    )
    if not run.members:
        return words
    own = min((entities[i] for i in run.members), key=lambda entity: entity.end - entity.start)
    ending = [entities[i] for i in run.members if entities[i].end == run.end]
    chips = "".join(_chip_html(entity, look_of(entity, looks)) for entity in ending)
    under = " ".join(entities[i].id for i in run.members)
    return (
        f'<mark class="mm-span xt-mark" style="{style_of(look_of(own, looks))}" data-entity="{own.id}" '
        f'data-under="{under}"><bdi>{words}</bdi>{chips}</mark>'
    )


def _word_html(post: Post, word: int) -> str:
    return f'<span class="xt-w" data-word="{word}">{safe(post.tokens[word])}</span>'


def _chip_html(entity: FoundEntity, look: Look) -> str:
    """An entity's label and confidence, which is also what chooses it."""
    label = entity.label or "?"
    name = f"{said(label)} {said(entity.text)}, {score_of(entity)}: choose"
    return (
        f'<button type="button" class="mm-chip xt-chip" style="background:{look.colour}" '
        f'data-entity="{entity.id}" data-start="{entity.start}" data-end="{entity.end}" '
        f'aria-pressed="false" aria-label="{name}">{safe(label)} <span>{score_of(entity)}</span></button>'
    )

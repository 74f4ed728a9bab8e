"""An extraction as HTML: the answer with its text, what can be done to each part, and what is below. Pure.

Every text of a post passes `safe` on its way into HTML; what scripts draw, they set as text.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mmdemo.answer.extraction.records import Extraction, FoundEntity, FoundRelation, LabelScore
from mmdemo.datasets.looks import Look, looks_of
from mmdemo.datasets.schema import Dataset, Task, readable
from mmdemo.types import Relation
from mmdemo.ui.extract.drawing.buttons import button, why_button
from mmdemo.ui.extract.drawing.text import DRAWN, said, score_of, style_of, text_html
from mmdemo.ui.shell.safe import percent, safe, sentence
from mmdemo.ui.shell.view import bars_html, notes_html, relation_name

WORDS: dict[Task, str] = {"entities": "Entities by", "relations": "relations by"}


def by_html(told: Sequence[tuple[Task, str, object]], problem: str = "") -> str:
    """Who answers: (task, title, seed) of each; or why nobody can."""
    if not told:
        return f'<p class="mm-error" role="alert">{safe(sentence(problem))}</p>'
    parts = [
        f"{WORDS[task]} <b>{safe(title)}</b>" + (f" (seed {safe(str(seed))})" if seed is not None else "")
        for task, title, seed in told
    ]
    return f'<p class="xt-by">{", ".join(parts)}</p>'


def progress_html(done: int, total: int) -> str:
    """How far a long answer is, with what stops it."""
    return (
        '<section class="mm-result xt-progress"><p role="status">'
        f"{done:,} of {total:,} pairs answered</p>"
        f'<progress max="{total}" value="{done}" aria-label="Pairs answered"></progress>'
        '<button type="button" class="xt-button" data-act="stop">Stop here</button></section>'
    )


def answer_html(found: Extraction, dataset: Dataset) -> str:
    """Warnings, headline, the text, and the tools for each entity, relation and word, hidden until chosen.

    Args:
        dataset: the entities', whose labels can be given.
    """
    looks = looks_of(dataset)
    more = len(found.relations) - DRAWN
    button = (
        f'<button type="button" class="xt-button" data-act="all" aria-pressed="false">'
        f"Show all {len(found.relations)} relations</button>"
        if more > 0
        else ""
    )
    tools = "".join(_entity_tools(entity, found, dataset, looks) for entity in found.entities)
    tools += "".join(_relation_tools(relation, found) for relation in found.relations)
    return (
        f'{notes_html(found.warnings)}<section class="mm-result xt">'
        f'<h3 role="status">{_headline(found)}</h3>{text_html(found, looks)}{button}'
        f'<div class="xt-tools" data-at="tools">{tools}{_word_tools(dataset, looks)}</div>'
        f"{_legend(found, looks)}</section>"
    )


def _headline(found: Extraction) -> str:
    """How much was found, and whether the answer is whole."""
    told = _counted(len(found.entities), "entity", "entities", "No")
    if found.relations_by:
        told += f" and {_counted(len(found.relations), 'relation', 'relations', 'no')}"
    if found.stopped:
        told += f" · stopped after {found.pairs_answered:,} of {found.pairs_asked:,} pairs"
    return told


def _counted(count: int, one: str, many: str, none: str) -> str:
    return f"{count or none} {one if count < 2 else many}"


def _legend(found: Extraction, looks: Mapping[str, Look]) -> str:
    """What the labels in sight mean, and what can be done."""
    labels = {entity.label for entity in found.entities}
    parts = [f"{safe(k)} = {safe(v.meaning)}" for k, v in looks.items() if k in labels and v.meaning]
    hint = "Choose an entity to change it; then a second one to ask for the relation between the two."
    if found.relations:
        hint += " A relation’s percentage: that it and both of its entities are right."
    told = f"{hint} {' · '.join(parts)}" if found.entities else "Choose a word to make it an entity."
    return f'<p class="mm-quiet">{told}</p>'


# --- tools -------------------------------------------------------------------------------------


def _types(looks: Mapping[str, Look], act: str, chosen: str | None, **data: object) -> str:
    """A button for each type."""
    buttons = ""
    for label, look in looks.items():
        pressed = "true" if label == chosen else "false"
        more = "".join(f' data-{key}="{said(str(value))}"' for key, value in data.items())
        meaning = f' title="{said(look.meaning, 200)}"' if look.meaning else ""
        buttons += (
            f'<button type="button" class="xt-type" style="{style_of(look)}" data-act="{act}" '
            f'data-label="{said(label, 200)}"{more}{meaning} aria-pressed="{pressed}">{safe(label)}</button>'
        )
    return f'<div class="xt-types" role="group" aria-label="Type">{buttons}</div>'


def _entity_tools(entity: FoundEntity, found: Extraction, dataset: Dataset, looks: Mapping[str, Look]) -> str:
    """What can be done to an entity."""
    name = said(entity.text)
    last = len(found.post.tokens)
    start, end = entity.start, entity.end
    moves = (
        ("start earlier", "⇤", start - 1, end, start > 0),
        ("start later", "⇥", start + 1, end, end - start > 1),
        ("end earlier", "⇤", start, end - 1, end - start > 1),
        ("end later", "⇥", start, end + 1, end < last),
    )
    own: dict[str, Any] = {"entity": entity.id}
    one, two, three, four = (
        button(sign, "bounds", f"{name}: {what}", kind="xt-move", off=not able, **own, start=first, end=after)
        for what, sign, first, after, able in moves
    )
    return (
        f'<section class="xt-tool" data-for="{entity.id}" aria-label="The entity {name}" hidden>'
        f"<h4><bdi>{safe(entity.text)}</bdi> <small>{_entity_facts(entity)}</small></h4>"
        f"{_types(looks, 'type', entity.label, entity=entity.id)}"
        f'<div class="xt-line"><span>Begins</span>{one}{two}<span>Ends</span>{three}{four}'
        f"{button('Remove', 'remove', f'Remove {name}', entity=entity.id)}"
        f"{why_button('entity', f'Why is {name} an entity?', entity=entity.id)}</div></section>"
    )


def _entity_facts(entity: FoundEntity) -> str:
    """Type, confidence and runner-up in words."""
    parts = [safe(entity.label or "of no type"), score_of(entity)]
    if entity.runner_up:
        parts.append(f"else {safe(entity.runner_up.label)} {percent(entity.runner_up.score)}")
    return " · ".join(parts)


def _word_tools(dataset: Dataset, looks: Mapping[str, Look]) -> str:
    """What can be done to a word that is in no entity; `hands.js` says which word it is."""
    return (
        '<section class="xt-tool" data-for="word" aria-label="A word" hidden>'
        '<h4><bdi data-at="word"></bdi> <small>in no entity</small></h4>'
        f"{_types(looks, 'add', None)}"
        f'<div class="xt-line"><span>Choose a type to make it an entity.</span>'
        f"{why_button('word', 'Why this tag?')}</div></section>"
    )


def _relation_tools(relation: FoundRelation, found: Extraction) -> str:
    return (
        f'<section class="xt-tool" data-for="{relation.id}" aria-label="A relation" hidden>'
        f"{pair_html(relation, found)}</section>"
    )


def pair_html(relation: FoundRelation, found: Extraction) -> str:
    """A pair's relation: its likeliest labels as bars, what its confidence holds, what it contradicts."""
    head, tail = found.entity(relation.head), found.entity(relation.tail)
    name = relation_name(relation.label, found.none_label)
    arrow = "↔" if relation.symmetric else "→"
    bars = [_as_relation(one, head, tail) for one in relation.top]
    told = (
        f"{percent(relation.score)} if both entities are right; "
        f"{percent(relation.score_with_entities)} that all three are right"
    )
    pair = {"head": head.id, "tail": tail.id}
    asks = f"{said(head.text)} and {said(tail.text)}"
    notes = f'<p class="mm-quiet">{told}. {ruled_out(relation)}</p>{_against(relation, found)}'
    return (
        f"<h4><bdi>{safe(head.text)}</bdi> <em>{safe(name)} {arrow}</em> <bdi>{safe(tail.text)}</bdi></h4>"
        f"{notes}{bars_html(bars, found.none_label)}"
        f'<div class="xt-line">'
        f"{button('Ask the other way', 'pair', head=tail.id, tail=head.id)}"
        f"{why_button('relation', f'Why this relation of {asks}?', **pair, label=relation.label)}</div>"
    )


def ruled_out(relation: FoundRelation) -> str:
    """Why a pair has no relation although a label was likely; "" where none was."""
    if relation.ruled_out is None:
        return ""
    likely = relation.ruled_out
    return f"“{safe(readable(likely.label))}” ({percent(likely.score)}) is ruled out by the types of the two."


def _as_relation(one: LabelScore, head: FoundEntity, tail: FoundEntity) -> Relation:
    return Relation(head=head.span, tail=tail.span, label=one.label, score=one.score)


def _against(relation: FoundRelation, found: Extraction) -> str:
    """What cannot be right together with it."""
    others = [one for one in found.relations if one.id in relation.contradicts]
    if not others:
        return ""
    listed = "; ".join(relation_text(one, found) for one in others)
    return f'<p class="xt-contradicts">Cannot be right together with: {listed}.</p>'


def relation_text(relation: FoundRelation, found: Extraction) -> str:
    """A relation in one line of HTML."""
    head, tail = (safe(found.entity(id).text) for id in (relation.head, relation.tail))
    name = safe(relation_name(relation.label, found.none_label))
    arrow = "↔" if relation.symmetric else "→"
    return f"<bdi>{head}</bdi> <em>{name} {arrow}</em> <bdi>{tail}</bdi>"

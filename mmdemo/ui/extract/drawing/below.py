"""Below an answer: photo and graph, lists of what was found, pairs without a relation, all words. Pure."""

from collections.abc import Mapping

from PIL import Image

from mmdemo.answer.extraction.records import Extraction, FoundEntity, FoundRelation
from mmdemo.datasets.looks import UNKNOWN_LOOK, Look, looks_of
from mmdemo.datasets.schema import Dataset
from mmdemo.ui.extract.drawing.buttons import why_button
from mmdemo.ui.extract.drawing.graph import graph_html
from mmdemo.ui.extract.drawing.page import relation_text, ruled_out
from mmdemo.ui.extract.drawing.text import DRAWN, likeliest, look_of, said, score_of
from mmdemo.ui.shell.post_bar import photo_source
from mmdemo.ui.shell.safe import percent, safe

PHOTO_SIDE = 440  # pixels; twice what is shown, for dense screens
#: Pairs without a relation that are listed, the most doubtful first.
NONE_LISTED = 200


def below_html(found: Extraction, dataset: Dataset) -> str:
    """Everything below the text. ``dataset`` is the entities'."""
    looks = looks_of(dataset)
    picture = _photo_html(found) + graph_html(found, looks)
    left = f'<div class="xt-picture">{picture}</div>' if picture else ""
    lists = f"{_relations_html(found)}{_entities_html(found, looks)}"
    return (
        f'<section class="mm-result xt-below"><div class="xt-found">{left}<div class="xt-lists">{lists}</div>'
        f"</div>{_none_html(found)}{_words_html(found, looks)}{_footer_html(found)}</section>"
    )


def _photo_html(found: Extraction) -> str:
    photo = found.post.image
    if not isinstance(photo, Image.Image):
        return ""
    return f'<img class="xt-photo" src="{photo_source(photo, PHOTO_SIDE)}" alt="The post’s photo">'


def _relations_html(found: Extraction) -> str:
    """The relations as a list, likeliest first; each can be chosen, and asked why."""
    if not found.relations:
        return ""
    rows = "".join(
        _relation_row(relation, found, rank) for rank, relation in enumerate(likeliest(found.relations))
    )
    some = f"the likeliest {DRAWN} of {len(found.relations)}" if len(found.relations) > DRAWN else ""
    return (
        f'<div><h4>Relations <small class="xt-some">{some}</small></h4><ol class="xt-list">{rows}</ol></div>'
    )


def _relation_row(relation: FoundRelation, found: Extraction, rank: int) -> str:
    ends = f"{said(found.entity(relation.head).text)} and {said(found.entity(relation.tail).text)}"
    asked = {"head": relation.head, "tail": relation.tail, "label": relation.label}
    why = why_button("relation", f"Why this relation of {ends}?", **asked)
    sign = '<span class="xt-sign" title="contradicts another one">⚠ contradicts another</span>'
    return (
        f'<li class="{"xt-rest" if rank >= DRAWN else ""}" data-relation="{relation.id}">'
        f'<button type="button" class="xt-row" data-act="choose" data-relation="{relation.id}">'
        f"{relation_text(relation, found)} {sign if relation.contradicts else ''}</button>"
        f'<span class="mm-number">{percent(relation.score_with_entities)}</span>'
        f"{why}</li>"
    )


def _entities_html(found: Extraction, looks: Mapping[str, Look]) -> str:
    if not found.entities:
        return ""
    rows = "".join(_entity_row(entity, look_of(entity, looks)) for entity in found.entities)
    return f'<div><h4>Entities</h4><ol class="xt-list">{rows}</ol></div>'


def _entity_row(entity: FoundEntity, look: Look) -> str:
    other = entity.runner_up
    else_ = f"<small>else {safe(other.label)} {percent(other.score)}</small>" if other else ""
    why = why_button("entity", f"Why is {said(entity.text)} an entity?", entity=entity.id)
    return (
        f'<li data-entity="{entity.id}">'
        f'<button type="button" class="xt-row" data-act="choose" data-entity="{entity.id}">'
        f'<span class="mm-chip" style="background:{look.colour}">{safe(entity.label or "?")}</span>'
        f"<bdi>{safe(entity.text)}</bdi> {else_}</button>"
        f'<span class="mm-number">{score_of(entity)}</span>'
        f"{why}</li>"
    )


def _none_html(found: Extraction) -> str:
    """How many pairs have no relation; which, on request."""
    if not found.relations_by or not found.none_count:
        return ""
    listed = sorted(found.none, key=lambda relation: relation.score)[:NONE_LISTED]
    rows = "".join(f"<li>{relation_text(one, found)} {_how_sure(one)}</li>" for one in listed)
    more = found.none_count - len(listed)
    rest = f'<p class="mm-quiet">and {more:,} more, which are surer</p>' if more > 0 else ""
    pairs = "1 pair" if found.none_count == 1 else f"{found.none_count:,} pairs"
    return (
        f'<details class="xt-more"><summary>{pairs} without a relation</summary>'
        f'<ul class="xt-none">{rows}</ul>{rest}</details>'
    )


def _how_sure(none: FoundRelation) -> str:
    """That a pair has no relation: the label that its types rule out, else how likely it is."""
    return ruled_out(none) or f"<span class='mm-number'>{percent(none.score)}</span>"


def _words_html(found: Extraction, looks: Mapping[str, Look]) -> str:
    """Each word's tag and probability, on request, with the runner-up of the entity that it is in."""
    if not found.words:
        return ""
    other = {
        word: entity.runner_up
        for entity in found.entities
        for word in range(entity.start, entity.end)
        if entity.runner_up
    }
    rows = []
    for place, word in enumerate(found.words):
        label = word.tag.partition("-")[2]
        colour = looks.get(label, UNKNOWN_LOOK).colour
        tag = f'<span class="mm-chip" style="background:{colour}">{safe(word.tag)}</span>' if label else "O"
        score = "not read" if word.score is None else percent(word.score)
        runner = other.get(place)
        told = f"{safe(runner.label)} {percent(runner.score)}" if runner else ""
        why = why_button("word", f"Why this tag of {said(word.text)}?", word=place)
        why = "" if word.score is None else why
        rows.append(
            f'<tr><th scope="row"><bdi>{safe(word.text)}</bdi></th><td>{tag}</td><td>{score}</td>'
            f"<td>{told}</td><td>{why}</td></tr>"
        )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Word", "Tag", "Probability", "Runner-up"))
    return (
        '<details class="xt-more"><summary>Word by word</summary>'
        '<div class="xt-scroll" tabindex="0" role="region" aria-label="Word by word"><table class="xt-table">'
        f"<thead><tr>{head}<td></td></tr></thead><tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def _footer_html(found: Extraction) -> str:
    """Who answered, with what, and how."""
    photo = "read with the photo" if found.image_used else "read without a photo"
    if found.photo_words_used:
        photo += " and what it says"
    by = f"{photo} by <code>{safe(found.entities_by)}</code>"
    if found.relations_by and found.relations_by != found.entities_by:
        by += f" and <code>{safe(found.relations_by)}</code>"
    if found.post.photo_words and not found.photo_words_used:
        by += ", which do not read what photos say"
    if found.narrow:
        by += "; of so many pairs, each was read with the words nearest to it alone"
    return f'<p class="mm-quiet">{by}</p>'

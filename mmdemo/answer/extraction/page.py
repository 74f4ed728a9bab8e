"""An extraction as HTML for a notebook: the text with its entities, then a table of relations. Pure.

A tweet is hostile: every text passes `_safe`, which leaves nothing that HTML or a JavaScript template would
read as code, and names what would reorder the text around it.
"""

from html import escape
from typing import TYPE_CHECKING

from mmdemo.datasets.schema import readable
from mmdemo.terminal import shown

if TYPE_CHECKING:
    from mmdemo.answer.extraction.records import Extraction, FoundEntity

_ESCAPES = str.maketrans({c: f"&#{ord(c)};" for c in "`${}"})


def _safe(text: str) -> str:
    return escape(shown(text)).translate(_ESCAPES)


def extraction_html(found: "Extraction") -> str:
    """The answer as one block of HTML without scripts or styles of its own."""
    notes = "".join(f"<li>{_safe(note)}</li>" for note in found.warnings)
    by = f"Entities by {_safe(found.entities_by)}"
    if found.relations_by:
        by += f", relations by {_safe(found.relations_by)}; "
        by += f"{found.none_count} of {found.pairs_answered} pairs have none"
    return (
        f"<div><p>{_text(found)}</p>{_relations(found)}<p><small>{by}</small></p>"
        + (f"<ul>{notes}</ul>" if notes else "")
        + "</div>"
    )


def _text(found: "Extraction") -> str:
    """The words, entities marked; of two that overlap, the one that starts first."""
    pieces, at = [], 0
    tokens = found.post.tokens
    for entity in found.entities:
        if entity.start >= at:
            pieces += [_safe(word) for word in tokens[at : entity.start]]
            pieces.append(_mark(entity))
            at = entity.end
    return " ".join([*pieces, *map(_safe, tokens[at:])])


def _mark(entity: "FoundEntity") -> str:
    score = "" if entity.score is None else f" {entity.score:.2f}"
    return f"<mark>{_safe(entity.text)} <sub>{_safe(entity.label or 'unread')}{score}</sub></mark>"


def _relations(found: "Extraction") -> str:
    if not found.relations:
        return ""
    rows = []
    for one in found.relations:
        arrow = "↔" if one.symmetric else "→"
        note = f"contradicts {', '.join(one.contradicts)}" if one.contradicts else ""
        cells = (
            one.id,
            found.entity(one.head).text,
            f"{readable(one.label)} {arrow}",
            found.entity(one.tail).text,
            f"{one.score:.2f}",
            f"{one.score_with_entities:.2f}",
            note,
        )
        rows.append("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in cells) + "</tr>")
    heads = ("", "from", "relation", "to", "score", "with entities", "")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"

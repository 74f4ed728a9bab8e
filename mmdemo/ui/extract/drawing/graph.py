"""Entities as nodes and relations as arrows between them: a small picture as SVG. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmdemo.answer.extraction.records import Extraction, FoundRelation
from mmdemo.datasets.looks import Look
from mmdemo.ui.extract.drawing.text import DRAWN, likeliest, look_of, said
from mmdemo.ui.shell.safe import percent, plain
from mmdemo.ui.shell.view import relation_name

#: All in the units of the picture, which is scaled to its place.
WIDTH, ROW, LETTER, NODE = 460, 58, 7.2, 30
APART = 180  # between two boxes alone, room for a relation's name
LONGEST = 18  # characters of an entity
CROWD = 7  # relations from which on their names are shown only of the one that is pointed at
BEND = 26  # of arrows that run side by side


@dataclass(frozen=True, kw_only=True)
class Node:
    """An entity's place: the middle of its box, and how wide that is."""

    x: float
    y: float
    width: float


def graph_html(found: Extraction, looks: Mapping[str, Look]) -> str:
    """The graph of the relations that are drawn; nothing where there is none."""
    shown = likeliest(found.relations)[:DRAWN]
    if not shown:
        return ""
    ids = dict.fromkeys(end for relation in shown for end in (relation.head, relation.tail))
    inside = [entity for entity in found.entities if entity.id in ids]
    names = {entity.id: plain(_short(entity.text), LONGEST + 1) for entity in inside}
    nodes, wide, height = places(names)
    edges = "".join(_edge_html(relation, nodes, shown, found.none_label) for relation in shown)
    boxes = "".join(_node_html(e.id, names[e.id], nodes[e.id], look_of(e, looks).colour) for e in inside)
    kind = "xt-graph xt-crowd" if len(shown) >= CROWD else "xt-graph"
    told = "; ".join(
        f"{said(names[r.head])} {said(relation_name(r.label, found.none_label))} {said(names[r.tail])}"
        for r in shown
    )
    return (
        f'<svg class="{kind}" viewBox="0 0 {wide:.0f} {height:.0f}" role="img" aria-label="Graph: {told}">'
        f"{edges}{boxes}</svg>"
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def places(names: Mapping[str, str]) -> tuple[dict[str, Node], float, float]:
    """Where each node stands, on an ellipse (two side by side), and how wide and high the picture is."""
    widths = {id: max(46.0, len(name) * LETTER + 20) for id, name in names.items()}
    count = len(names)
    wide = sum(widths.values()) + APART + 12 if count <= 2 else WIDTH
    height = 120.0 if count <= 2 else max(190.0, ROW * (count + 1) / 1.3)
    nodes = {}
    for number, (id, width) in enumerate(widths.items()):
        turn = 2 * math.pi * number / max(count, 1) + (math.pi if count <= 2 else -math.pi / 2)
        x = wide / 2 + (wide / 2 - width / 2 - 6) * math.cos(turn)
        y = height / 2 + (height / 2 - NODE / 2 - 8) * math.sin(turn) * (count > 2)
        nodes[id] = Node(x=x, y=y, width=width)
    return nodes, wide, height


def _node_html(id: str, name: str, node: Node, colour: str) -> str:
    left, top = node.x - node.width / 2, node.y - NODE / 2
    return (
        f'<g class="xt-node" data-entity="{id}"><rect x="{left:.1f}" y="{top:.1f}" rx="8" '
        f'width="{node.width:.1f}" height="{NODE}" fill="{colour}"/>'
        f'<text x="{node.x:.1f}" y="{node.y + 4.5:.1f}">{_text(name)}</text></g>'
    )


def _edge_html(
    relation: FoundRelation, nodes: Mapping[str, Node], shown: Sequence[FoundRelation], none: str
) -> str:
    """An arrow, bent where others join the same two; its label and confidence half-way."""
    head, tail = nodes[relation.head], nodes[relation.tail]
    same = [r for r in shown if {r.head, r.tail} == {relation.head, relation.tail}]
    bend = BEND * (same.index(relation) - (len(same) - 1) / 2)
    if relation.head > relation.tail:
        bend = -bend
    dx, dy = tail.x - head.x, tail.y - head.y
    length = math.hypot(dx, dy) or 1.0
    # Twice, since a quadratic curve comes half-way to its control point.
    control = (head.x + tail.x) / 2 - 2 * bend * dy / length, (head.y + tail.y) / 2 + 2 * bend * dx / length
    start, end = _rim(head, *control), _rim(tail, *control)
    middle = [(start[i] + 2 * control[i] + end[i]) / 4 for i in (0, 1)]
    name = plain(relation_name(relation.label, none), 24)
    label = f"{_text(name)} <tspan>{percent(relation.score)}</tspan>"
    width = (len(name) + 8.5) * 5.9
    tip = "" if relation.symmetric else _tip(control, end)
    kind = "ar-edge ar-against" if relation.contradicts else "ar-edge"
    (a, b), (c, d), (x, y) = start, control, middle
    e, f = end
    return (
        f'<g class="{kind}" data-relation="{relation.id}">'
        f'<path class="ar-path" d="M{a:.1f} {b:.1f}Q{c:.1f} {d:.1f} {e:.1f} {f:.1f}"/>{tip}'
        f'<rect class="ar-ground" x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="17"/>'
        f'<text class="ar-name" x="{x:.1f}" y="{y + 3.8:.1f}">{label}</text></g>'
    )


def _rim(node: Node, x: float, y: float) -> tuple[float, float]:
    """Where a line from a node's middle towards a point leaves its box."""
    dx, dy = x - node.x, y - node.y
    reach = min(
        (node.width / 2 + 3) / abs(dx) if dx else math.inf, (NODE / 2 + 3) / abs(dy) if dy else math.inf
    )
    reach = 0.0 if math.isinf(reach) else reach
    return node.x + dx * reach, node.y + dy * reach


def _tip(before: tuple[float, float], at: tuple[float, float]) -> str:
    """An arrow's head at a point, coming from another."""
    turn = math.atan2(at[1] - before[1], at[0] - before[0])
    points = [(at[0] - 9 * math.cos(turn + s), at[1] - 9 * math.sin(turn + s)) for s in (-0.4, 0.4)]
    return f'<polygon class="ar-tip" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in (at, *points))}"/>'


def _text(text: str) -> str:
    """A text inside SVG, where the marked controls of `safe` are no elements."""
    return said(text, 80)

"""Entities as nodes and relations as arrows between them: a small picture as SVG. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
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
LABEL = 17  # how high a relation's name is
ALONG = (0.5, 0.38, 0.62, 0.26, 0.74)  # where on its arrow a name may stand, best first


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box's place: its middle, and how wide and high it is."""

    x: float
    y: float
    width: float
    height: float = NODE

    def overlap(self, other: "Box") -> float:
        """The area that two boxes share."""
        across = (self.width + other.width) / 2 - abs(self.x - other.x)
        down = (self.height + other.height) / 2 - abs(self.y - other.y)
        return max(0.0, across) * max(0.0, down)


@dataclass(frozen=True, kw_only=True)
class Arc:
    """An arrow's line: a quadratic curve between the rims of two boxes."""

    start: tuple[float, float]
    control: tuple[float, float]
    end: tuple[float, float]

    def at(self, t: float) -> tuple[float, float]:
        """The point at ``t``, from 0 (its start) to 1."""
        weights = (1 - t) ** 2, 2 * t * (1 - t), t**2
        x, y = (
            sum(w * p[i] for w, p in zip(weights, (self.start, self.control, self.end), strict=True))
            for i in (0, 1)
        )
        return x, y


def graph_html(found: Extraction, looks: Mapping[str, Look]) -> str:
    """The graph of the relations that are drawn; nothing where there is none."""
    shown = likeliest(found.relations)[:DRAWN]
    if not shown:
        return ""
    ids = dict.fromkeys(end for relation in shown for end in (relation.head, relation.tail))
    inside = [entity for entity in found.entities if entity.id in ids]
    names = {entity.id: plain(_short(entity.text), LONGEST + 1) for entity in inside}
    nodes, wide, height = places(names)
    arcs = {relation.id: _arc(relation, nodes, shown) for relation in shown}
    said_of = {r.id: plain(relation_name(r.label, found.none_label), 24) for r in shown}
    labels = place_labels(arcs, {id: (len(name) + 8.5) * 5.9 for id, name in said_of.items()}, nodes.values())
    edges = "".join(_edge_html(r, arcs[r.id], said_of[r.id], labels[r.id]) for r in shown)
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


def places(names: Mapping[str, str]) -> tuple[dict[str, Box], float, float]:
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
        nodes[id] = Box(x=x, y=y, width=width)
    return nodes, wide, height


def _node_html(id: str, name: str, node: Box, colour: str) -> str:
    left, top = node.x - node.width / 2, node.y - NODE / 2
    return (
        f'<g class="xt-node" data-entity="{id}"><rect x="{left:.1f}" y="{top:.1f}" rx="8" '
        f'width="{node.width:.1f}" height="{NODE}" fill="{colour}"/>'
        f'<text x="{node.x:.1f}" y="{node.y + 4.5:.1f}">{_text(name)}</text></g>'
    )


def _arc(relation: FoundRelation, nodes: Mapping[str, Box], shown: Sequence[FoundRelation]) -> Arc:
    """A relation's line, bent where others join the same two."""
    head, tail = nodes[relation.head], nodes[relation.tail]
    same = [r for r in shown if {r.head, r.tail} == {relation.head, relation.tail}]
    bend = BEND * (same.index(relation) - (len(same) - 1) / 2)
    if relation.head > relation.tail:
        bend = -bend
    dx, dy = tail.x - head.x, tail.y - head.y
    length = math.hypot(dx, dy) or 1.0
    # Twice, since a quadratic curve comes half-way to its control point.
    control = (head.x + tail.x) / 2 - 2 * bend * dy / length, (head.y + tail.y) / 2 + 2 * bend * dx / length
    return Arc(start=_rim(head, *control), control=control, end=_rim(tail, *control))


def place_labels(
    arcs: Mapping[str, Arc], widths: Mapping[str, float], taken: Iterable[Box]
) -> dict[str, Box]:
    """Where each arrow's name stands: half-way, or where along it that covers less of what is there."""
    taken = list(taken)
    labels = {}
    for id, arc in arcs.items():
        tried = [Box(x=x, y=y, width=widths[id], height=LABEL) for x, y in map(arc.at, ALONG)]
        labels[id] = min(tried, key=lambda box: sum(map(box.overlap, taken)))
        taken.append(labels[id])
    return labels


def _edge_html(relation: FoundRelation, arc: Arc, name: str, label: Box) -> str:
    """An arrow with its relation's name and confidence."""
    tip = "" if relation.symmetric else _tip(arc.control, arc.end)
    kind = "ar-edge ar-against" if relation.contradicts else "ar-edge"
    (a, b), (c, d), (e, f) = arc.start, arc.control, arc.end
    left, top = label.x - label.width / 2, label.y - LABEL / 2
    return (
        f'<g class="{kind}" data-relation="{relation.id}">'
        f'<path class="ar-path" d="M{a:.1f} {b:.1f}Q{c:.1f} {d:.1f} {e:.1f} {f:.1f}"/>{tip}'
        f'<rect class="ar-ground" x="{left:.1f}" y="{top:.1f}" width="{label.width:.1f}" height="{LABEL}"/>'
        f'<text class="ar-name" x="{label.x:.1f}" y="{label.y + 4.3:.1f}">'
        f"{_text(name)} <tspan>{percent(relation.score_with_entities)}</tspan></text></g>"
    )


def _rim(node: Box, x: float, y: float) -> tuple[float, float]:
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

"""An answer as HTML: every part can be chosen and asked why, and no text of a post is more than text."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.answer.extraction.records import LabelScore
from mmdemo.datasets.looks import looks_of
from mmdemo.ui.extract.drawing.below import NONE_LISTED, below_html
from mmdemo.ui.extract.drawing.graph import Arc, Box, graph_html, place_labels, places
from mmdemo.ui.extract.drawing.page import answer_html, by_html, pair_html, progress_html
from mmdemo.ui.extract.drawing.text import DRAWN, text_html
from tests.made_up import TOKEN, odd_dataset, spans
from tests.ui.extract.answered import HOSTILE, answered, entity, relation

ODD = odd_dataset()
LOOKS = looks_of(ODD)
#: The elements that an answer is made of; whatever else stands in one came from a text.
OURS = set(
    "section h3 h4 p div span mark bdi button svg ul ol li small em b code details summary table thead tbody "
    "tr th td g path polygon rect text tspan img".split()
)


class Elements(HTMLParser):
    """The elements of a piece of HTML, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open += [] if tag == "img" else [tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def having(self, name: str) -> list[str | None]:
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def two(**more):
    found = [entity(0, 0, 2, label="band", text="Ann Lee"), entity(1, 3, 4, label="SPAN", text="Rome")]
    return answered(["Ann", "Lee", "in", "Rome"], found, [relation(0, 0, 1, **more)])


def test_words_entities_and_arcs_are_told_to_the_scripts():
    html = Elements(answer_html(two(), ODD))
    assert html.open == []
    assert [w for w in html.having("data-word")] == ["0", "1", "2", "3"]
    (arcs,) = html.having("data-arcs")
    told = json.loads(arcs)
    assert [(arc["id"], arc["head"], arc["tail"], arc["name"]) for arc in told] == [
        ("r0", "e0", "e1", "part of")
    ]
    chips = [a for tag, a in html.tags if "xt-chip" in (a.get("class") or "")]
    assert [(c["data-start"], c["data-end"], c["aria-pressed"]) for c in chips] == [
        ("0", "2", "false"),
        ("3", "4", "false"),
    ]
    assert "2 entities and 1 relation" in html.text


def test_every_entity_relation_and_word_has_tools_and_a_reason():
    html = Elements(answer_html(two(), ODD))
    assert html.having("data-for") == ["e0", "e1", "r0", "word"]
    below = Elements(below_html(two(), ODD))
    whys = [a for tag, a in below.tags if a.get("data-act") == "why"]
    assert [why["data-of"] for why in whys] == ["relation", "entity", "entity", *["word"] * 4]
    assert (whys[0]["data-head"], whys[0]["data-tail"]) == ("e0", "e1")


def test_bounds_stay_inside_the_text_and_around_a_word():
    html = Elements(answer_html(two(), ODD))
    moves = [a for _, a in html.tags if a.get("data-act") == "bounds"]
    able = [(int(a["data-start"]), int(a["data-end"])) for a in moves if "disabled" not in a]
    assert len(moves) == 8 and able == [(1, 2), (0, 1), (0, 3), (2, 4)]


def test_a_contradiction_is_marked_in_all_places():
    found = answered(
        ["Ann", "Rome", "Oslo"],
        [entity(i, i, i + 1) for i in range(3)],
        [relation(0, 0, 1, contradicts=("r1",)), relation(1, 0, 2, contradicts=("r0",))],
    )
    html = answer_html(found, ODD)
    assert html.count("Cannot be right together with") == 2
    assert all(arc["against"] for arc in json.loads(Elements(html).having("data-arcs")[0]))
    assert below_html(found, ODD).count("contradicts another") >= 2 and "ar-against" in graph_html(
        found, LOOKS
    )


def test_more_relations_than_are_drawn_wait_for_a_button():
    count = DRAWN + 3
    many = [relation(i, 0, i + 1, score=1 - i / 100, score_with_entities=i / 100) for i in range(count)]
    found = answered(
        [f"w{i}" for i in range(count + 1)], [entity(i, i, i + 1) for i in range(count + 1)], many
    )
    html = Elements(answer_html(found, ODD))
    assert f"Show all {count} relations" in html.text
    arcs = json.loads(html.having("data-arcs")[0])
    assert [arc["id"] for arc in arcs] == [f"r{i}" for i in reversed(range(count))], "the likeliest first"
    below = below_html(found, ODD)
    assert below.count("xt-rest") == 3 and f"the likeliest {DRAWN} of {count}" in below
    assert graph_html(found, LOOKS).count("ar-edge") == DRAWN
    assert "Show all" not in answer_html(two(), ODD) and "the likeliest" not in below_html(two(), ODD)


def test_pairs_without_a_relation_are_counted_and_told_on_request():
    none = [relation(0, 0, 1, id="", label="None", score=0.8)] * (NONE_LISTED + 5)
    html = below_html(
        answered(["a", "b"], [entity(0, 0, 1), entity(1, 1, 2)], [], none=tuple(none), none_count=len(none)),
        ODD,
    )
    assert f"{len(none)} pairs without a relation" in html and "and 5 more" in html
    assert html.count("no relation →") == NONE_LISTED


def test_a_pair_says_which_likely_label_its_types_rule_out():
    likely = LabelScore(label=HOSTILE, score=0.94)
    one = relation(0, 0, 1, id="", label="None", score=0.01, ruled_out=likely)
    found = answered(["a", "b"], [entity(0, 0, 1), entity(1, 1, 2)], [], none=(one,), none_count=1)
    for html in (below_html(found, ODD), pair_html(one, found)):
        page = Elements(html)
        assert "(94.0%) is ruled out by the types of the two." in page.text
        assert {name for name, _ in page.tags} <= OURS and not page.having("onerror")
    assert "ruled out" not in answer_html(two(), ODD)


def test_confidence_says_whether_the_entities_are_in_it():
    found = two(score=0.7, score_with_entities=0.51)
    html = pair_html(found.relations[0], found)
    assert "70.0% if both entities are right; 51.0% that all three are right" in html
    assert html.count("<li>") == 2 and 'data-act="pair" data-head="e1" data-tail="e0"' in html
    [arc] = json.loads(Elements(answer_html(found, ODD)).having("data-arcs")[0])
    assert arc["score"] == "51.0%" and "51.0%" in graph_html(found, LOOKS)
    assert '<span class="mm-number">51.0%</span>' in below_html(found, ODD)
    assert "that it and both of its entities are right" in answer_html(found, ODD)


def test_a_stopped_answer_says_so():
    found = answered(["a"], [entity(0, 0, 1)], [], stopped=True, pairs_asked=1560, pairs_answered=128)
    assert "stopped after 128 of 1,560 pairs" in answer_html(found, ODD)
    assert 'value="128"' in progress_html(128, 1560) and 'data-act="stop"' in progress_html(128, 1560)


def test_who_answers_is_named_with_the_seed():
    html = by_html([("entities", "Tweets", 7), ("relations", HOSTILE, None)])
    assert "Entities by <b>Tweets</b> (seed 7), relations by" in html and "<img" not in html
    assert 'role="alert"' in by_html([], "no checkpoint is ready")


# --- hostile text -------------------------------------------------------------------------------


def harmless(html: str) -> Elements:
    """Nothing but our own elements, closed in order, without handlers, addresses or template signs."""
    found = Elements(html)
    assert found.open == []
    assert {tag for tag, _ in found.tags} <= OURS
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "srcdoc")], tag
        assert "src" not in attributes or str(attributes["src"]).startswith("data:image/jpeg;base64,")
    assert not re.search(r"[`$]|\{\{|\}\}|[\u202a-\u202e\u2066-\u2069]", html)
    return found


@given(st.data())
def test_no_text_of_a_post_is_more_than_text(data):
    words = data.draw(st.lists(TOKEN | st.just(HOSTILE), min_size=2, max_size=6))
    places_ = sorted(set(data.draw(st.lists(spans(len(words)), max_size=4))))
    entities = [entity(i, *span, text=" ".join(words[slice(*span)])) for i, span in enumerate(places_)]
    ends = [(a, b) for a in range(len(entities)) for b in range(len(entities)) if a != b]
    pairs = data.draw(st.lists(st.sampled_from(ends), max_size=3, unique=True)) if ends else []
    relations = [relation(i, *pair, contradicts=("r0",)) for i, pair in enumerate(pairs)]
    found = answered(words, entities, relations, warnings=(HOSTILE,))
    for html in (answer_html(found, ODD), below_html(found, ODD)):
        harmless(html)
    shown = harmless(text_html(found, LOOKS))
    assert len(shown.having("data-word")) == len(words)
    assert sorted({id for ids in shown.having("data-under") for id in str(ids).split()}) == [
        e.id for e in entities
    ]
    assert len([a for _, a in shown.tags if "xt-chip" in (a.get("class") or "")]) == len(entities)


def test_hostile_words_stand_there_as_they_are():
    found = answered([HOSTILE, "b"], [entity(0, 0, 1, text=HOSTILE)], [])
    html = harmless(answer_html(found, ODD))
    assert HOSTILE.replace("\u202e", "U+202E") in unescape(html.text)


# --- the graph ----------------------------------------------------------------------------------


@given(st.lists(st.text(min_size=1, max_size=18), min_size=1, max_size=13))
def test_nodes_stand_inside_the_picture_and_apart(names):
    nodes, wide, high = places({str(i): name for i, name in enumerate(names)})
    for node in nodes.values():
        assert 0 <= node.x - node.width / 2 and node.x + node.width / 2 <= wide + 0.01
        assert 15 <= node.y <= high - 15
    middles = {(round(node.x), round(node.y)) for node in nodes.values()}
    assert len(middles) == len(names)


@pytest.mark.parametrize("both", [False, True])
def test_arrows_between_the_same_two_run_side_by_side(both):
    pairs = [relation(0, 0, 1), relation(1, *((1, 0) if both else (0, 1)))]
    found = answered(["Ann", "Rome"], [entity(0, 0, 1), entity(1, 1, 2)], pairs)
    labels = re.findall(r'<text class="ar-name" x="([\d.]+)" y="([\d.]+)"', graph_html(found, LOOKS))
    assert len(set(labels)) == 2


def test_the_names_of_arrows_that_cross_do_not_cover_each_other():
    arcs = {
        "down": Arc(start=(200, 0), control=(200, 100), end=(200, 200)),
        "across": Arc(start=(0, 100), control=(200, 100), end=(400, 100)),
    }
    labels = place_labels(arcs, dict.fromkeys(arcs, 90.0), [])
    assert labels["down"].overlap(labels["across"]) == 0
    assert (labels["down"].x, labels["down"].y) == (200, 100)  # the first one keeps the middle


def test_a_name_keeps_off_the_boxes():
    arc = Arc(start=(0, 50), control=(200, 50), end=(400, 50))
    crossed = Box(x=200, y=50, width=60)
    assert place_labels({"r": arc}, {"r": 90.0}, [crossed])["r"].overlap(crossed) == 0


def test_without_a_relation_there_is_no_graph():
    assert graph_html(answered(["a"], [entity(0, 0, 1)], []), LOOKS) == ""

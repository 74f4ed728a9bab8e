"""The pure views: nothing of a tweet becomes code, spans stand where they should, colours can be read."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.answer.answer_json import TOP_RELATIONS, prediction_json
from mmdemo.cells.locate import Cell
from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.datasets.looks import HEAD_LOOK, TAIL_LOOK, UNKNOWN_LOOK, looks_of
from mmdemo.types import Ask, Entity, Pair, Post, Prediction, Relation
from mmdemo.ui.shell import card, view
from mmdemo.ui.shell.safe import MARKS_PER_LETTER, percent, safe, sentence
from tests.made_up import odd_dataset

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "${alert(1)}",
    "{{7*7}}",
    "`${alert(1)}`",
    "</p><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "&lt;b&gt;",
    "\u202eevil\u202c",
    "a" + "\u0301" * 5000,
    "\x00\x1b[31m",
)
TWEETS, PAIRS, ODD = find_dataset("twitter2017"), find_dataset("mnre"), odd_dataset()
NAME = "lite/twitter2017/vilt/film"
ALLOWED_TAGS = {"section", "h3", "p", "mark", "bdi", "span", "em", "ol", "ul", "li", "b", "code"}
ALLOWED_ATTRIBUTES = {"class", "style", "role", "dir", "tabindex", "aria-label", "aria-live"}
words = st.one_of(st.text(min_size=1, max_size=12), st.sampled_from(HOSTILE))


class Reader(HTMLParser):
    """Collects what a browser would make of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def ner(tokens, entities=(), **more):
    post = Post(text=" ".join(tokens), tokens=tuple(tokens))
    told = {"checkpoint": NAME, "image_used": False, "entities": tuple(entities), **more}
    return Prediction(post=post, ask=Ask(), **told)


def re_(tokens, head, tail, relations, **more):
    """A prediction of a pair's relations, each a label with its score."""
    post = Post(text=" ".join(tokens), tokens=tuple(tokens))
    ask = Ask(entities=False, relations=(Pair(head=head, tail=tail),))
    found = tuple(Relation(head=head, tail=tail, label=label, score=score) for label, score in relations)
    return Prediction(post=post, ask=ask, checkpoint=NAME, image_used=True, relations=found, **more)


# --- hostile text ------------------------------------------------------------------------------


@given(st.text())
def test_safe_text_holds_no_code_and_no_raw_delimiter(text):
    html = safe(text).replace('<span class="mm-control">', "").replace("</span>", "")
    assert not set(html) & set("<>\"'`${}")


@given(st.text(st.characters(exclude_categories=["C", "M"])))
def test_safe_text_reads_back_as_it_was(text):
    assert Reader(safe(text)).text == text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_makes_no_element_but_ours(text):
    reader = Reader(safe(text))
    assert set(reader.tags) <= {"span"}
    assert set(reader.attributes) <= {("class", "mm-control")}


def test_stacked_marks_are_cut_and_counted():
    html = safe("a" + "\u0301" * 5000 + "b")
    assert html.count("\u0301") == MARKS_PER_LETTER
    assert "+4,995 combining marks" in html and html.endswith("b")


def test_marks_that_writing_needs_stay():
    for text in ("हिन्दी", "שָׁלוֹם", "é", "❤️"):
        assert safe(text) == text


def test_direction_overrides_are_shown_by_name():
    assert "\u202e" not in safe("\u202eabc") and "U+202E" in safe("\u202eabc")


@given(st.lists(words, min_size=1, max_size=8), st.data())
def test_a_result_has_only_our_tags_whatever_the_tweet(tokens, data):
    start = data.draw(st.integers(0, len(tokens) - 1))
    end = data.draw(st.integers(start + 1, len(tokens)))
    label = data.draw(st.sampled_from(["PER", "<b>", "${x}"]))
    entity = Entity(start=start, end=end, label=label, score=0.5)
    for prediction in (
        ner(tokens, [entity], warnings=(tokens[0],)),
        re_(tokens, (start, end), (0, 1), [("/per/${x}/<i>", 0.5)], warnings=(tokens[0],)),
    ):
        html = view.result_html(prediction, TWEETS)
        reader = Reader(html)
        assert set(reader.tags) <= ALLOWED_TAGS
        assert {name for name, _ in reader.attributes} <= ALLOWED_ATTRIBUTES
        assert "${" not in html and "{{" not in html and "`" not in html


# --- spans -------------------------------------------------------------------------------------

spans = st.tuples(st.integers(0, 9), st.integers(1, 10)).filter(lambda s: s[0] < s[1])


@given(st.lists(spans, max_size=5))
def test_runs_cover_every_word_once_and_know_their_spans(found):
    covered = []
    for run in view.runs(10, found):
        covered += range(run.start, run.end)
        for word in range(run.start, run.end):
            assert run.members == tuple(i for i, (s, e) in enumerate(found) if s <= word < e)
    assert covered == list(range(10))


def test_entities_stand_inline_with_label_and_score():
    tokens = ["Kevin", "Durant", "enters", "Oracle", "Arena"]
    entities = [
        Entity(start=0, end=2, label="PER", score=0.991),
        Entity(start=3, end=5, label="LOC", score=0.5),
    ]
    html = view.entities_html(ner(tokens).post, entities, looks_of(TWEETS))
    assert "<bdi>Kevin Durant</bdi>" in html and "<bdi>Oracle Arena</bdi>" in html
    assert Reader(html).text.startswith("Kevin DurantPER 99.1% enters Oracle ArenaLOC 50.0%")
    assert "PER = person · LOC = place" in html


def test_neighbouring_entities_stay_apart():
    entities = [Entity(start=0, end=1, label="PER"), Entity(start=1, end=2, label="PER")]
    assert view.entities_html(ner(["Ann", "Bob"]).post, entities, {}).count("<mark") == 2


def test_words_stand_as_written():
    post = Post(text="see #NBA\nnow, https://t.co/x ok", tokens=("see", "#", "NBA", "now", ",", "ok"))
    assert Reader(view.entities_html(post, (), {})).text == "see #NBA\nnow, ok"


def test_both_sides_of_a_pair_are_marked_also_when_the_tail_comes_first_or_overlaps():
    tokens = ["a", "b", "c"]
    first = Reader(view.pair_html(ner(tokens).post, Pair(head=(2, 3), tail=(0, 1)))).text
    assert first == "E2a b E1c"
    overlap = view.pair_html(ner(tokens).post, Pair(head=(0, 2), tail=(1, 3)))
    assert Reader(overlap).text == "E1a E2b c"


def test_bars_name_the_label_and_print_the_percentage():
    scores = (0.6, 0.2, 0.1, 0.05, 0.03, 0.01)
    relations = list(zip(PAIRS.relation_labels, scores, strict=False))
    html = view.result_html(re_(["a", "b"], (0, 1), (1, 2), relations), PAIRS)
    assert html.count("<li>") == TOP_RELATIONS
    assert "<bdi>a</bdi> <em>no relation with</em> <bdi>b</bdi> · 60.0%" in html
    assert "no relation" in html and PAIRS.relation_labels[1] in html and "60.0%" in html
    assert "All other relations together: 2.0%" in html


def test_percent_never_claims_certainty():
    assert percent(0.99999) == "&gt;99.9%" and percent(0.00001) == "&lt;0.1%"
    assert percent(0.5) == "50.0%" and percent(None) == "no score"


def test_messages_become_sentences():
    assert sentence("the text is empty") == "The text is empty."
    assert sentence("lite/x is missing!") == "lite/x is missing!"
    assert sentence("mark") == "Mark." and sentence("") == "."


def test_an_error_is_announced():
    assert 'role="alert"' in view.error_html("<b>") and "<b>" not in view.error_html("<b>")


# --- colours -----------------------------------------------------------------------------------


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    "look", [*looks_of(ODD).values(), *looks_of(TWEETS).values(), UNKNOWN_LOOK, HEAD_LOOK, TAIL_LOOK]
)
def test_colours_can_be_read(look):
    assert contrast(look.colour, "#FFFFFF") >= 4.5
    assert contrast(look.tint, "#111111") >= 4.5
    assert contrast(look.colour, look.tint) >= 3


@pytest.mark.parametrize("dataset", bundled().values(), ids=lambda dataset: dataset.name)
def test_types_differ_in_colour_and_underline(dataset):
    looks = looks_of(dataset).values()
    assert len({look.colour for look in looks}) == len({look.underline for look in looks}) == len(looks)


# --- JSON --------------------------------------------------------------------------------------


def test_json_of_entities():
    entity = Entity(start=1, end=3, label="LOC", score=0.75)
    place = {"start": 1, "end": 3, "start_char": 3, "end_char": 15}
    assert prediction_json(ner(["at", "Oracle", "Arena"], [entity], warnings=("no photo",))) == {
        "entities": [{"text": "Oracle Arena", "label": "LOC", "score": 0.75, **place}],
        "image_used": False,
        "photo_words": [],
        "photo_words_used": False,
        "checkpoint": NAME,
        "warnings": ["no photo"],
        "dataset": "twitter2017",
        "text": "at Oracle Arena",
        "tokens": ["at", "Oracle", "Arena"],
        "offsets": [[0, 2], [3, 9], [10, 15]],
    }


def test_json_of_a_relation_has_the_likeliest():
    found = prediction_json(
        re_(["a", "b", "c"], (2, 3), (0, 2), [(label, 0.1) for label in PAIRS.relation_labels])
    )
    assert [r["label"] for r in found["relations"]] == list(PAIRS.relation_labels[:TOP_RELATIONS])
    assert found["head"] == {"text": "c", "start": 2, "end": 3, "start_char": 4, "end_char": 5}
    assert found["tail"] == {"text": "a b", "start": 0, "end": 2, "start_char": 0, "end_char": 3}
    assert "entities" not in found


# --- card --------------------------------------------------------------------------------------


def cell(dataset=TWEETS, fusion="film") -> Cell:
    return Cell(preset="lite", dataset=dataset, model="vilt", fusion=fusion, folder=Path())


def test_card_shows_entity_beside_token_scores_for_every_photo_state():
    state = {"token": {"accuracy": 0.961, "f1": 0.96}, "entity": {"f1": 0.834}, "entity_strict": {"f1": 0.83}}
    metrics = {"data": "caption-matched stand-in photos", "seed": 1337, "command": "python -m train run"}
    metrics["splits"] = {"test": {"photo": state, "blank": state, "shuffled": state}}
    html = card.card_html(cell(), {"runs": "MiniLM-L6", "metrics": metrics})
    text = Reader(html).text
    assert text.count("83.4%") == 3 and text.count("96.1%") == 3
    for part in ("MiniLM-L6", "stand-in photos", "1337", "python -m train run", "Twitter2017"):
        assert part in text


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        None,
        {"splits": None},
        {"splits": {"test": {"photo": {"entity": 3}}}},
        {"splits": {"test": {"photo": {"micro_without_none": {"f1": 10**400}}}}},
        {"splits": {"test": {"photo": {"accuracy": float("nan")}}}},
    ],
)
def test_card_without_figures_says_so(metrics):
    html = card.card_html(cell(PAIRS), {"runs": "x", "metrics": metrics})
    assert "No test scores" in html


def test_card_marks_its_figures_and_tells_their_conditions():
    stated = {"limit": 300, "commit": "abcdef0", "commit_exists": True, "tree": "dirty", "hardware": "<b>x"}
    scores = {"test": {"photo": {"accuracy": 0.74}}}
    html = card.card_html(cell(PAIRS), {"metrics": {"splits": scores, "conditions": stated}})
    text = Reader(html).text
    assert "limited: 300 posts; uncommitted tree" in text and "<b>x" not in html
    assert "Postsfirst 300 of each split" in text.replace("the ", "") and "Recipenot stated" in text
    clean = {"commit": "abcdef0", "commit_exists": True}
    assert "mm-marks" not in card.card_html(cell(PAIRS), {"metrics": {"splits": scores, "conditions": clean}})


def test_card_leaves_out_what_is_not_there():
    metrics = {"splits": {"test": {"photo": {"accuracy": 0.74}}}}
    text = Reader(card.card_html(cell(PAIRS), {"metrics": metrics})).text
    assert "Accuracy74.0%" in text and "Macro" not in text and "another" not in text


def test_card_escapes_what_a_checkpoint_says():
    hostile = cell(replace(PAIRS, title="<x>"), "${f}")
    html = card.card_html(hostile, {"runs": "<img onerror=1>", "metrics": {"command": "{{7*7}}"}})
    assert "<img" not in html and "${" not in html and "{{" not in html and "<x>" not in html

"""Who says what: rows, agreement, order; and a page that stays harmless."""

import re
from dataclasses import replace

import pytest

from mmdemo.answer.agreement import rows_of
from mmdemo.answer.comparison_json import comparison_json
from mmdemo.datasets.discovery import find_dataset
from mmdemo.types import (
    Ask,
    Compared,
    Comparison,
    Entity,
    Pair,
    PhotoWords,
    Post,
    Prediction,
    Relation,
)
from mmdemo.ui.compare.page import page_html
from mmdemo.ui.compare.view import comparison_html

WORDS = ("Ann", "Lee", "met", "Bob", "at", "Nike")
TWEETS, PAIRS = find_dataset("twitter2017"), find_dataset("mnre")
NAME = "lite/twitter2017/roberta-resnet50/{}"
METRICS = {
    "data": "caption-matched stand-in photos",
    "splits": {"test": {"photo": {"entity": {"f1": 0.8387}}}},
    "calibration": {"after": {"ece": 0.0123}},
}


def spans(*entities: tuple[int, int, str, float]) -> tuple[Entity, ...]:
    return tuple(Entity(start=s, end=e, label=k, text="", score=p) for s, e, k, p in entities)


def comparison(*answers: tuple[Entity, ...], words: tuple[str, ...] = WORDS) -> Comparison:
    post = Post(text=" ".join(words), tokens=words)
    fusions = ("film", "concat", "film")
    return Comparison(
        post=post,
        answers=tuple(
            Compared(
                prediction=Prediction(
                    post=post,
                    ask=Ask(),
                    checkpoint=NAME.format(fusions[i]),
                    image_used=False,
                    entities=entities,
                    warnings=("No photo was given.",),
                ),
                pass_number=0,
                encode_ms=20.0,
                fuse_ms=1.5,
            )
            for i, entities in enumerate(answers)
        ),
    )


def relations(*answers: dict[str, float]) -> Comparison:
    post, pair = Post(text="", tokens=WORDS), Pair(head=(0, 2), tail=(3, 4))
    return Comparison(
        post=post,
        answers=tuple(
            Compared(
                prediction=Prediction(
                    post=post,
                    ask=Ask(entities=False, relations=(pair,)),
                    checkpoint=NAME.format("film"),
                    image_used=True,
                    relations=tuple(Relation(**vars(pair), label=k, score=v) for k, v in scores.items()),
                ),
                pass_number=i,
                encode_ms=20.0,
                fuse_ms=1.0,
            )
            for i, scores in enumerate(answers)
        ),
    )


MIXED = comparison(
    spans((0, 2, "PER", 0.9), (3, 4, "PER", 0.6), (5, 6, "ORG", 0.8)),
    spans((0, 2, "PER", 0.8), (5, 6, "MISC", 0.5)),
    spans((0, 2, "PER", 0.7), (5, 6, "ORG", 0.9)),
)


def test_disagreements_stand_first_and_the_odd_one_out_is_marked():
    rows = rows_of(MIXED)
    assert [(row.title, row.agreement) for row in rows] == [
        ("Nike", "types"),
        ("Bob", "some"),
        ("Ann Lee", "all"),
    ]
    assert [say.differs for say in rows[0].says] == [False, True, False]
    assert [say.differs for say in rows[1].says] == [True, False, False]
    assert [say.label for say in rows[1].says] == ["PER", None, None] and rows[1].found_by == 1
    assert not any(say.differs for say in rows[2].says)
    assert [row.says[0].target for row in rows] == [5, 3, 0]


def test_spans_that_overlap_are_rows_of_their_own():
    rows = rows_of(comparison(spans((0, 2, "PER", 0.9)), spans((0, 1, "PER", 0.9))))
    assert [(row.span, row.agreement) for row in rows] == [((0, 1), "some"), ((0, 2), "some")]


def test_relations_first_answers_then_runners_up():
    rows = rows_of(
        relations(
            {"/per/per/peer": 0.6, "None": 0.3, "/per/per/couple": 0.1},
            {"None": 0.5, "/per/per/peer": 0.4},
            {"/per/per/peer": 0.7, "None": 0.2},
        )
    )
    assert [(row.title, row.decides) for row in rows] == [
        ("/per/per/peer", True),
        ("None", True),
        ("/per/per/couple", False),
    ]
    assert rows[0].found_by == 2 and rows[1].says[1].differs and not rows[0].says[0].differs
    assert rows[2].says[1].score is None  # not among that column's five
    assert rows[0].says[1].target == 1  # its place among the column's relations
    assert rows_of(relations({"None": 0.9}, {"None": 0.8}))[0].agreement == "all"


def test_a_pair_that_only_one_column_asks_about():
    """Where all relations are asked for, the pairs are those of the entities that a column finds."""
    one, other = relations({"/per/per/peer": 0.6, "None": 0.4}, {"None": 0.5}).answers
    alone = replace(other, prediction=replace(other.prediction, relations=()))
    (row, runner_up) = rows_of(Comparison(post=one.prediction.post, answers=(one, alone)))
    assert (row.title, row.agreement, row.found_by) == ("/per/per/peer", "some", 1)
    assert row.says[1].score is None and not runner_up.decides


def test_symbols_and_words_say_what_colour_says():
    html = comparison_html(MIXED, TWEETS, [METRICS] * 3)
    for wanted in ("≠", "types differ", "◐", "1 of 3", "✓", "all agree", "not found", "83.9%", "0.012"):
        assert wanted in html
    assert "They disagree on 2 of 3 spans" in html and "Click a cell" in html
    assert html.index("Nike") < html.index(">Bob<") < html.index("Ann Lee")
    assert 'data-column="1" data-target="5"' in html
    assert html.count("No photo was given.") == 1  # said once, not once a column


def test_nothing_found_is_said():
    assert "No entity found" in comparison_html(comparison((), ()), TWEETS, [{}, {}])


def test_a_relation_that_all_say():
    html = comparison_html(relations({"None": 0.9}, {"None": 0.8}), PAIRS, [{}, {}])
    assert "All 2 say <em>no relation</em>" in html and "2 encoder passes" in html


HOSTILE = ("<img/src=x onerror=alert(1)>", "${alert(1)}", "{{this}}", "`", "'><script>alert(1)</script>", "B")


@pytest.mark.parametrize("clickable", [True, False])
def test_a_hostile_tweet_stays_text(clickable):
    hostile = comparison(
        spans((0, 2, "PER", 0.9), (4, 5, "PER", 0.9)), spans((2, 4, "LOC", 1)), words=HOSTILE
    )
    html = comparison_html(hostile, TWEETS, [{"data": "<b>"}, {}], clickable=clickable)
    page = page_html(hostile, TWEETS, [{"data": "<b>x"}, {}])
    for text in (html, page.split("</style>")[1]):
        assert "<img/src" not in text and "<script" not in text and "<b>x" not in text
        assert not re.search(r"[$`]|\{\{", text)
    assert "default-src 'none'" in page


def test_the_page_stands_alone():
    page = page_html(MIXED, TWEETS, [METRICS] * 3)
    assert not re.search(r'(src|href)="(?!data:)', page) and "<button" not in page
    assert "caption-matched stand-in photos" in page and "lite/twitter2017/roberta-resnet50/concat" in page


def test_json_has_rows_and_whole_answers():
    found = comparison_json(MIXED)
    assert found["rows"][0]["agreement"] == "types" and found["rows"][0]["text"] == "Nike"
    assert found["answers"][0]["encoder_pass"] == 0 and found["total_ms"] == 24.5


def test_words_of_the_photo_are_shown_and_do_nothing():
    """They are read from a photo that anybody may have made."""
    hostile = "<script>alert(1)</script> ${x} {{7*7}} \u202egnp.exe"
    words = (
        PhotoWords(source="ocr", text=hostile, score=0.931, by="<i>ocr</i>"),
        PhotoWords(source="described", text="A sign."),
    )
    found = comparison(spans((0, 2, "PER", 0.9)))
    html = page_html(replace(found, post=replace(found.post, photo_words=words)), TWEETS, [METRICS])
    assert "<script" not in html and "<i>" not in html and "\u202e" not in html and "${" not in html
    assert "read in the photo, 93.1%" in html and "A sign." in html and "U+202E" in html
    assert 'class="mm-photo-words"' not in page_html(found, TWEETS, [METRICS])


def test_json_of_a_comparison_tells_the_words_of_the_photo():
    words = PhotoWords(source="ocr", text="PADRES", score=0.5, box=(0.0, 0.0, 1.0, 0.5))
    found = comparison(spans((0, 2, "PER", 0.9)))
    told = comparison_json(replace(found, post=replace(found.post, photo_words=(words,))))
    sign = {"source": "ocr", "text": "PADRES", "score": 0.5, "box": [0.0, 0.0, 1.0, 0.5], "by": ""}
    assert told["photo_words"] == [sign]
    assert comparison_json(found)["photo_words"] == []

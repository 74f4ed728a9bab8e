"""The rules: what is noise, what is too much; applied twice they change nothing, and nothing gets lost."""

import time
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.photo_words.rules import FILE, apply_rules, read_rules
from mmdemo.photo_words.spelling import plain_line
from mmdemo.types import PHOTO_SOURCES, InputError, PhotoWords
from tests.photo_words.drawn import line

EDGE, TOP, MIDDLE = (0.02, 0.9, 0.3, 0.95), (0.02, 0.01, 0.1, 0.05), (0.3, 0.5, 0.6, 0.55)

SHARES = st.floats(0, 1)
BOXES = st.tuples(SHARES, SHARES, SHARES, SHARES).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)
#: Any text at all: controls, directions, surrogates, joiners and stacks of accents among it.
TEXTS = st.text(st.characters() | st.sampled_from("\u202e\u200d\x00\x1b\u0301\ud800\n\u2028<{$"), max_size=60)
WORDS = st.builds(
    PhotoWords,
    source=st.sampled_from(PHOTO_SOURCES),
    text=TEXTS | st.sampled_from(["PADRES", "padres!", "a b c", "9:41", "x" * 500]),
    score=st.none() | SHARES,
    box=st.none() | BOXES,
)


def kept(*lines: PhotoWords) -> list[str]:
    return [one.text for one in apply_rules(lines).kept]


def why(one: PhotoWords) -> str | None:
    found = apply_rules([one])
    return found.dropped[0].why if found.dropped else None


@given(st.lists(WORDS, max_size=30))
def test_every_line_is_kept_or_dropped_and_twice_is_once(words):
    found = apply_rules(words)
    assert len(found.kept) + len(found.dropped) == len(words)
    assert sum(found.counts.values()) == len(found.dropped)
    assert apply_rules(found.kept).kept == found.kept
    assert not apply_rules(found.kept).dropped


@given(st.lists(WORDS, max_size=40))
def test_what_is_kept_is_bounded_ordered_and_plain(words):
    rules = read_rules()
    found = apply_rules(words).kept
    places = [rules.order.index(one.source) for one in found]
    assert places == sorted(places)
    for source in PHOTO_SOURCES:
        lines = [one.text for one in found if one.source == source]
        assert len(lines) <= rules.most_lines[source]
        assert sum(map(len, lines)) <= rules.most_characters[source]
    for one in found:
        kinds = {unicodedata.category(c) for c in one.text.replace("\u200c", "").replace("\u200d", "")}
        assert one.text and not kinds & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        one.text.encode()


@given(TEXTS)
def test_a_plain_line_stays_as_it_is(text):
    once = plain_line(text)
    assert plain_line(once) == once


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("PADRES\x1b[31m\x00", "PADRES[31m"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("  two\n lines\u2028here ", "two lines here"),
        ("שלום עולם", "שלום עולם"),
        ("مرحبا", "مرحبا"),
        ("win 🏆👨‍👩‍👧", "win 🏆👨‍👩‍👧"),
        ("Z" + "\u0301\u0302\u0303\u0304\u0305\u0306", "Ź\u0302\u0303\u0304"),
        ("\u200d\u200e", ""),
        ("tag\U000e0041s", "tags"),
        ("half\ud83d", "half"),
    ],
)
def test_a_line_is_made_plain(given, shown):
    assert plain_line(given) == shown


@pytest.mark.parametrize(
    ("text", "box", "reason"),
    [
        ("gettyimages", MIDDLE, "watermark"),
        ("Getty Images / Ezra Shaw", MIDDLE, "watermark"),
        ("shutterstock.com · 123456", MIDDLE, "watermark"),
        ("© ALL RIGHTS RESERVED 2014", MIDDLE, "watermark"),
        ("@ezra_shaw", EDGE, "credit line"),
        ("@ezra_shaw", MIDDLE, None),
        ("Photo by: Ann Lee", EDGE, "credit line"),
        ("© Ann Lee", EDGE, "credit line"),
        ("www.annlee.com", EDGE, "credit line"),
        ("9:41", TOP, "status bar"),
        ("9:41 AM", MIDDLE, None),
        ("87%", TOP, "status bar"),
        ("•••• Verizon LTE", TOP, "status bar"),
        ("LTE", TOP, "status bar"),
        ("AT&T", MIDDLE, None),
        ("12.4K likes", MIDDLE, "buttons of an app"),
        ("Retweets", MIDDLE, "buttons of an app"),
        ("3 hours ago", MIDDLE, "buttons of an app"),
        ("★", MIDDLE, "too short"),
        ("A", MIDDLE, "too short"),
        ("22", MIDDLE, None),
        ("★★ 4 5 ★★★", MIDDLE, "mostly signs"),
        ("terms and conditions apply", (0.1, 0.98, 0.4, 0.985), "small print"),
        ("PADRES", MIDDLE, None),
        ("TRUMP & KIM ARRIVE", EDGE, None),
        ("大阪城", MIDDLE, None),
    ],
)
def test_noise_is_dropped_with_its_reason(text, box, reason):
    assert why(line(text, box=box)) == reason


def test_floors_are_for_each_source():
    assert why(line("PJIOMIN", score=0.6)) == "too uncertain"
    assert why(line("suit", "objects", 0.6)) is None
    assert why(line("cassette", "objects", 0.07)) == "too uncertain"
    assert why(line("a bus", "described", None)) is None


def test_short_sources_come_first_and_text_of_the_photo_last():
    given = [line("PADRES"), line("ballplayer", "objects"), line("my alt text", "described", None)]
    assert kept(*given) == ["my alt text", "ballplayer", "PADRES"]


def test_a_line_is_said_once_whatever_its_case_and_signs():
    found = apply_rules([line("Beretta"), line("(BERETTA)"), line("Ladisa")])
    assert [one.text for one in found.kept] == ["Beretta", "Ladisa"]
    assert found.counts == {"said twice": 1}


def test_of_20000_characters_the_headline_remains():
    small = [
        line(f"clause {i:03} of the small print", box=(0.1, 0.2 + i / 2000, 0.9, 0.2 + i / 2000 + 0.013))
        for i in range(700)
    ]
    assert sum(len(one.text) for one in small) > 19_000
    headline = line("SALE ENDS SUNDAY", box=(0.1, 0.85, 0.9, 0.95))
    found = apply_rules([*small, headline])
    assert found.kept[-1] == headline and len(found.kept) < 15
    assert found.counts == {"no room": len(small) + 1 - len(found.kept)}


def test_the_likeliest_objects_are_kept_best_first():
    names = [line(f"thing {i}", "objects", score) for i, score in enumerate((0.4, 0.9, 0.35, 0.5))]
    assert kept(*names) == ["thing 1", "thing 3", "thing 0"]


def test_rules_of_one_s_own_count(tmp_path: Path):
    file = tmp_path / "rules.toml"
    file.write_text(FILE.read_text().replace("ocr = 0.75", "ocr = 0.1"))
    assert apply_rules([line("PJIOMIN", score=0.6)], read_rules(file)).kept
    strict = replace(read_rules(), least_letters=10)
    assert apply_rules([line("PADRES")], strict).counts == {"too short": 1}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('where = "edge"', 'where = "left"', "where = 'left' is none of anywhere, edge"),
        ("least_letters = 2", "", "KeyError: 'least_letters'"),
        ('order = ["described", ', "order = [", "must order each of ocr, objects"),
        ("'@ ?", "'(@ ?", "PatternError|error: missing"),
        ("[text]", "[text", "TOMLDecodeError"),
    ],
)
def test_rules_that_cannot_be_used_are_told(tmp_path, old, new, says):
    file = tmp_path / "rules.toml"
    file.write_text(FILE.read_text().replace(old, new))
    with pytest.raises(InputError, match=says):
        read_rules(file)


def test_a_pattern_is_not_slow_on_hostile_text():
    """Every pattern on long lines that almost fit: one that backtracks would take more than a second."""
    parts = ("a.", "@", "•o.", "9:41 ", "photo ", "1", "a-", ". ", "at&t ")
    hostile = [part * 200 for part in parts]
    started = time.process_time()
    for text in hostile:
        for box in (EDGE, TOP, MIDDLE):
            apply_rules([line(text, box=box)])
    assert time.process_time() - started < 1

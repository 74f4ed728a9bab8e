"""What commands print of a stranger's texts is shown by a terminal, not obeyed; JSON still says the same."""

import contextlib
import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from mmdemo.__main__ import app
from mmdemo.datasets.discovery import find_dataset
from mmdemo.review.store.reviews import open_store
from mmdemo.terminal import SafeLines, say, say_json, shown
from mmdemo.types import Ask, Post, Question

#: Retitles the window; clears the screen by a C1 control; turns the writing; feigns another line.
HOSTILE = "\x1b]0;owned\x07 \x9b2J \u202egnp.exe\u202c \r\naccepted  p9: forged"
TAMED = r"\x1b]0;owned\x07 \x9b2J \u202egnp.exe\u202c \r\naccepted  p9: forged"


def test_a_text_is_one_line_that_a_terminal_shows():
    assert shown(HOSTILE) == TAMED
    assert shown("Zoë 東京 👩‍🚀 שלום\ttab") == "Zoë 東京 👩‍🚀 שלום\ttab"


@given(st.text(st.characters(exclude_categories=[])))
def test_whatever_the_text_nothing_of_it_is_a_command(text):
    line = shown(text)
    line.encode("utf-8")
    assert not any(ord(c) < 32 and c != "\t" or 127 <= ord(c) < 160 for c in line)
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029") & set(line)


@given(st.text(st.characters(exclude_categories=[])))
def test_json_reads_back_as_what_was_said(text):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        say_json({text: [text]})
    assert json.loads(out.getvalue()) == {text: [text]}
    assert out.getvalue() == "\n".join(map(shown, out.getvalue().split("\n")))


def test_each_line_is_safe_and_ends_where_it_ends(capsys):
    say("one", HOSTILE, error=True)
    assert capsys.readouterr().err == f"one\n{TAMED}\n"


def test_a_log_line_is_safe_too():
    record = logging.LogRecord("x", logging.WARNING, "", 0, "post %s is odd", (HOSTILE,), None)
    assert "\x1b" not in SafeLines().format(record) and "\x9b" not in SafeLines().format(record)


@pytest.fixture
def place(tmp_path):
    """A store with one post whose text attacks the terminal."""
    store = open_store(tmp_path / "reviews.sqlite3")
    store.make_queue("may", find_dataset("twitter2017"))
    store.add("may", [Question(post=Post(text=HOSTILE, tokens=("a", "\x1b[2J"), id="p\x9b0"), ask=Ask())])
    store.close()
    return str(tmp_path / "reviews.sqlite3")


def test_a_post_under_review_cannot_write_to_the_terminal(place):
    asked = ["review", "list", "--queue", "may", "--store", place]
    lines = CliRunner().invoke(app, asked, catch_exceptions=False).stdout
    assert TAMED in lines and lines.count("\n") == 3, lines
    assert not any(ord(c) < 32 and c != "\n" or 127 <= ord(c) < 160 for c in lines)
    answer = CliRunner().invoke(app, [*asked, "--json"], catch_exceptions=False).stdout
    assert "\x9b" not in answer and "\u202e" not in answer
    assert json.loads(answer)["posts"][0]["text"] == HOSTILE


def test_a_prediction_and_a_mistake_cannot_either(tiny_zoo, monkeypatch):
    monkeypatch.setenv("MMDEMO_CHECKPOINTS", str(tiny_zoo))
    arguments = [
        "--preset",
        "tiny",
        "--dataset",
        "twitter2017",
        "--text",
        "Ann \x9b2J\x1b[31m Paris \u202edog",
    ]
    for command in ("predict", "compare"):
        found = CliRunner().invoke(app, [command, *arguments], catch_exceptions=False)
        assert found.exit_code == 0 and not {"\x9b", "\x1b", "\u202e"} & set(found.stdout)

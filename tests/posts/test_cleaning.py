"""Cleaning words (SPEC §2): every word keeps its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.posts.cleaning import CleanWords


@pytest.mark.parametrize(
    ("word", "cleaned"),
    [
        ("http://t.co/x", ""),
        ("https://t.co/x", ""),
        ("www.nba.com", ""),
        ("http:…", ""),
        ("//t", ""),
        ("🏀", ""),
        ("👍🏽", ""),
        ("❤\ufe0f", ""),
        ("\u200b", ""),
        ("^", ""),
        ("~", ""),
        ("sooooo", "soo"),
        ("NOOO", "NOO"),
        ("coffee", "coffee"),
        ("!!!", "!"),
        ("...", "."),
        ("1000", "1000"),
        ("#NBA", "#NBA"),
        ("#", "#"),
        ("@user", "@user"),
        (",", ","),
        ("the", "the"),
        ("$AAPL", "$AAPL"),
        ("तीन", "तीन"),
    ],
)
def test_cleaning(word, cleaned):
    assert list(CleanWords([word])) == [cleaned]


def test_cleaning_keeps_places_and_never_drops_a_kept_word():
    words = ["Look", "🏀", "https://t.co/x", "~~~", "yesss"]
    assert list(CleanWords(words)) == ["Look", "", "", "", "yess"]
    assert list(CleanWords(words, [(1, 4)])) == ["Look", "🏀", "https://t.co/x", "~", "yess"]


@given(st.lists(st.text(min_size=1, max_size=8), max_size=8), st.data())
def test_cleaning_is_aligned_idempotent_and_keeps_what_it_must(words, data):
    start = data.draw(st.integers(0, len(words)))
    end = data.draw(st.integers(start, len(words)))
    cleaned = list(CleanWords(words, [(start, end)]))
    assert len(cleaned) == len(words)
    assert all(cleaned[start:end])
    assert list(CleanWords(cleaned, [(start, end)])) == cleaned

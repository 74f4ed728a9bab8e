"""A link fills in a question; it cannot name what does not exist, and it runs nothing."""

from mmdemo.ui.shell.permalink import MOST_TEXT, read_link


def test_known_parts_are_taken():
    asked = read_link(
        {"dataset": "mnre", "model": "vilt", "fusion": "native", "across": "models", "text": "[E1] a"}
    )
    assert (asked.dataset, asked.model, asked.fusion) == ("mnre", "vilt", "native")
    assert (asked.across, asked.text) == ("models", "[E1] a")
    assert asked.preset == "lite"  # as all were when links did not say it
    assert read_link({"dataset": "mnre", "preset": "base"}).preset == "base"
    assert read_link({"dataset": "mnre", "preset": "<b>"}).preset == "lite"


def test_unknown_parts_are_dropped():
    asked = read_link({"dataset": "../etc", "model": "vilt", "fusion": "concat", "across": "x", "run": "1"})
    assert asked == read_link({})
    assert read_link({"model": "gpt", "fusion": "film"}).fusion is None
    assert len(read_link({"text": "x" * 10_000}).text or "") == MOST_TEXT

"""Arcs between the words of a text: `arcs.js` draws them, for the Extract tab and the review desk."""

from pathlib import Path

from mmdemo.ui.shell.assets import head_of


def head() -> str:
    """Style and script of the arcs, for the page's head, in front of what draws with ``window.mmarcs``."""
    return head_of(Path(__file__).parent, ("arcs",), ("arcs",))

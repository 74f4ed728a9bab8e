"""Styles and scripts of a part of the page, as they stand in its head."""

from collections.abc import Sequence
from pathlib import Path


def head_of(folder: Path, styles: Sequence[str], scripts: Sequence[str]) -> str:
    """The files ``folder/NAME.css`` and ``folder/NAME.js``, in the order in which they need each other."""
    style = "".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in styles)
    script = "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in scripts)
    return f"<style>{style}</style><script>{script}</script>"

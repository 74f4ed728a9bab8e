"""Buttons of an answer: each tells `hands.js` or the server what is wanted of which part. Pure."""

from typing import Any

from mmdemo.ui.extract.drawing.text import said


def button(text: str, act: str, name: str = "", *, kind: str = "", off: bool = False, **data: Any) -> str:
    """A button; each of ``data`` becomes ``data-…``. ``name`` is for screen readers, HTML already."""
    told = "".join(f' data-{key}="{said(str(value), 200)}"' for key, value in data.items())
    told += f' aria-label="{name}"' if name else ""
    told += " disabled" if off else ""
    return f'<button type="button" class="xt-button {kind}" data-act="{act}"{told}>{text}</button>'


def why_button(of: str, name: str, **data: Any) -> str:
    """A button that asks why. ``of`` is what ``data`` names: an "entity", a "relation" or a "word"."""
    return button("Why?", "why", name, kind="xt-why", of=of, **data)

"""Colours of the figures, light and dark, and text that the figure's font can show."""

from dataclasses import dataclass
from functools import cache

import matplotlib as mpl
import numpy as np
from matplotlib.colors import CenteredNorm, Colormap, LinearSegmentedColormap, Normalize
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font

FONT = "DejaVu Sans"  # comes with matplotlib, so that every machine draws the same
MISSING = "▯"


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Ink reads on the ground at 7:1 or better; ``parts`` colour stacked bars, ``marks`` the pair's rows."""

    ground: str
    ink: str
    quiet: str
    line: str
    diverging: Colormap
    magnitude: Colormap
    parts: tuple[str, ...]
    marks: tuple[str, str]


#: Blue below the centre, orange above; both ends differ in hue and, from the centre, in lightness.
LIGHT = Theme(
    ground="#ffffff",
    ink="#1b1b1f",
    quiet="#5c5c66",
    line="#d9d9e0",
    diverging=LinearSegmentedColormap.from_list(
        "blue-orange", ["#08407e", "#4292c6", "#f4f4f4", "#f18f36", "#8c3a00"]
    ),
    magnitude=mpl.colormaps["viridis"],
    parts=("#0072B2", "#E69F00", "#00795A"),
    marks=("#0072B2", "#B84A00"),
)
DARK = Theme(
    ground="#1e293b",  # the page's cards
    ink="#f4f4f5",
    quiet="#b3bdcb",
    line="#475569",
    diverging=LinearSegmentedColormap.from_list(
        "blue-orange-dark", ["#9fd0ff", "#3c8fd9", "#2c374a", "#d97a1e", "#ffc58a"]
    ),
    magnitude=mpl.colormaps["viridis"],
    parts=("#4FA8E0", "#F0B429", "#3DBE96"),
    marks=("#6DB9EE", "#FF9E5E"),
)


def scale(values: np.ndarray, centre: float | None, theme: Theme) -> tuple[Colormap, Normalize]:
    """The colour map and range for some values: symmetric about ``centre``, or from the least (None).

    A diverging range covers 98 % of the values, so that one outlier does not wash out all others.
    """
    if centre is not None:
        reach = float(np.quantile(np.abs(values - centre), 0.98)) or float(np.abs(values - centre).max())
        return theme.diverging, CenteredNorm(centre, max(reach, 1e-9))
    low, high = float(values.min()), float(values.max())
    low = min(0.0, low) if low < 0.3 * high else low
    return theme.magnitude, Normalize(low, high if high > low else low + 1e-9)


def text_colour(background: tuple[float, ...]) -> str:
    """Black or white, whichever reads better on an RGB(A) colour (WCAG relative luminance)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in background[:3])
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#ffffff"


@cache
def _font() -> FT2Font:
    return FT2Font(findfont(FontProperties(family=FONT)))


def printable(text: str, limit: int = 16) -> str:
    """Text cut to ``limit`` characters, with ▯ for each that the font lacks (it would warn).

    Of "word · tag" it is the word that is cut.
    """
    known = "".join(c if c.isprintable() and _font().get_char_index(ord(c)) else MISSING for c in text)
    if len(known) <= limit:
        return known
    word, dot, tag = known.rpartition(" · ")
    end = dot + tag if word and len(dot + tag) < limit - 1 else ""
    return f"{known[: limit - 1 - len(end)]}…{end}"


def number(value: float, signed: bool = False) -> str:
    """A short number for a small place: two or three figures."""
    form = "+" if signed else ""
    size = abs(value)
    if size and size < 0.0001:
        return f"{value:{form}.0e}".replace("e-0", "e-").replace("-", "−")
    steps = ((100, 0), (10, 1), (0.1, 2), (0.01, 3), (0, 4))
    places = 2 if not size else next(places for least, places in steps if size >= least)
    return f"{value:{form}.{places}f}".replace("-", "−")

"""A view as a figure that reads well about 700 pixels wide, in light and dark.

Torch-free and without pyplot, so that the app and threads can use it.
"""

import io

from matplotlib.figure import Figure
from PIL import Image

from mmdemo.figures.palette import DARK, LIGHT, Theme, printable
from mmdemo.figures.photo_maps import photo_map
from mmdemo.figures.plots import Plot, bars, distribution, heatmap, strip
from mmdemo.figures.sheet import MARGIN, WIDTH, Sheet, wrapped
from mmdemo.types import View

DPI = 160
TOP = 24  # channels that a heatmap shows


def draw(
    view: View, *, photo: Image.Image | None = None, dark: bool = False, top: int = TOP, note: bool = False
) -> Figure:
    """The figure of a view.

    Args:
        photo: what a photo-map is laid over.
        top: how many columns a heatmap shows, in the view's order.
        note: print the view's note below, for a picture that travels alone.
    """
    theme = DARK if dark else LIGHT
    plot = _plot(view, theme, top, photo)
    titles = wrapped(printable(view.title, 200), 10.5, WIDTH - 3 * MARGIN)
    notes = wrapped(printable(view.note, 2000), 8, WIDTH - 2 * MARGIN) if note else []
    head = 0.14 + 0.2 * len(titles) + 0.08
    sheet = Sheet(theme, head + plot.height + 0.1 + 0.155 * len(notes) + (0.1 if notes else 0))
    for line, words in enumerate(titles):
        sheet.text(MARGIN, 0.12 + 0.2 * line, words, 10.5, fontweight="bold")
    plot.paint(sheet, head)
    for line, words in enumerate(notes):
        sheet.text(MARGIN, head + plot.height + 0.1 + 0.155 * line, words, 8, color=theme.quiet)
    return sheet.figure


def _plot(view: View, theme: Theme, top: int, photo: Image.Image | None) -> Plot:
    if view.kind == "photo-map":
        return photo_map(view, theme, top, photo)
    kinds = {"heatmap": heatmap, "strip": strip, "bars": bars, "distribution": distribution}
    return kinds[view.kind](view, theme, max(top, 1))


def png(figure: Figure) -> bytes:
    """A figure as PNG bytes, `DPI` dots an inch."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI, facecolor=figure.get_facecolor())
    return stream.getvalue()

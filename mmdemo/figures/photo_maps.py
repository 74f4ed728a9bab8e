"""Views of kind photo-map: a square grid of values laid over the photo, one panel a row."""

from math import ceil, isqrt

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from PIL import Image

from mmdemo.figures.palette import FONT, Theme, number, printable, scale, text_colour
from mmdemo.figures.plots import Plot
from mmdemo.figures.sheet import MARGIN, WIDTH, Sheet
from mmdemo.types import View

BAR = 0.75  # inches kept for the colour bar at the right
#: (panels, columns): the first that suffices; more panels than the last has are left to the numbers.
COLUMNS = ((1, 1), (2, 2), (9, 3), (16, 4), (40, 5))
HEADS = 12


def photo_map(view: View, theme: Theme, top: int, photo: Image.Image | None) -> Plot:
    """Panels in reading order, on one colour scale. The photo lies below in grey, at its own proportions."""
    by_head = view.name == "joint-attention-heads"  # a grid of its own: a layer to a line
    panels = min(len(view.values), 12 * HEADS if by_head else COLUMNS[-1][0])
    columns = HEADS if by_head else next(columns for most, columns in COLUMNS if panels <= most)
    aspect = 1.0 if photo is None else min(max(photo.height / photo.width, 0.5), 1.6)
    gap, title = (0.16, 0.2) if columns < HEADS else (0.05, 0.0)
    width = (WIDTH - 2 * MARGIN - BAR - (columns - 1) * gap) / columns
    if columns == 1:
        width, title = min(width, 4.8 / aspect), 0.0
    height = width * aspect
    below = None if photo is None else _grey(photo)
    rows = ceil(panels / columns)

    def paint(sheet: Sheet, at: float) -> None:
        colours, norm = scale(view.values, view.centre, theme)
        for panel in range(panels):
            row, column = divmod(panel, columns)
            left, up = MARGIN + column * (width + gap), at + row * (height + title + gap)
            if title and panels > 1:
                sheet.text(left, up + 0.03, printable(view.axes[0][panel], 24 // columns + 12), 8)
            axes = sheet.axes(left, up + title, width, height)
            _lay(axes, view.values[panel], below, aspect, colours, norm, theme, view.centre)
            if panels == 1:
                _numbers(axes, view.values[panel], colours, norm, view.centre is not None)
        right = MARGIN + columns * width + (columns - 1) * gap
        bar = sheet.axes(right + 0.12, at + title, 0.12, min(height * min(rows, 2), 2.2))
        sheet.colour_bar(bar, colours, norm)

    return Plot(height=rows * (height + title + gap), paint=paint)


def _grey(photo: Image.Image) -> np.ndarray:
    """The photo in 16 greys, so that only the map has colour and the PNG stays small."""
    small = photo.convert("L")
    small.thumbnail((400, 400))
    return np.asarray(small) & 0xF0


def _lay(
    axes: Axes,
    values_R: np.ndarray,
    below: np.ndarray | None,
    aspect: float,
    colours: Colormap,
    norm: Normalize,
    theme: Theme,
    centre: float | None,
) -> None:
    """One panel. A strong value covers the photo, a weak one lets it through."""
    side = isqrt(len(values_R))
    extent = (0.0, float(side), float(side), 0.0)
    shade = colours(norm(values_R)).reshape(side, side, 4)
    if below is not None:
        axes.imshow(
            below, cmap="gray", vmin=-40, vmax=295, extent=extent, aspect="auto", interpolation="nearest"
        )
        shown = np.clip(np.asarray(norm(values_R)), 0, 1).reshape(side, side)
        strength = np.abs(shown - 0.5) * 2 if centre is not None else shown
        shade[..., 3] = 0.12 + 0.68 * strength
    axes.imshow(shade, extent=extent, aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[], xlim=(0, side), ylim=(side, 0))
    for spine in axes.spines.values():
        spine.set(visible=True, color=theme.line, linewidth=0.6)


def _numbers(axes: Axes, values_R: np.ndarray, colours: Colormap, norm: Normalize, signed: bool) -> None:
    """The value of every region, on a plate of its own colour so that it reads on any photo."""
    side = isqrt(len(values_R))
    for region, value in enumerate(values_R):
        plate = colours(norm(value))
        axes.text(
            region % side + 0.5,
            region // side + 0.5,
            number(float(value), signed),
            fontsize=6.5,
            ha="center",
            va="center",
            family=FONT,
            color=text_colour(plate),
            bbox={"boxstyle": "round,pad=0.15", "facecolor": plate, "edgecolor": "none", "alpha": 0.85},
        )

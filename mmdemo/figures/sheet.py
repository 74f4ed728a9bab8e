"""A page to draw on, measured in inches from its top left. No pyplot: nothing global, so threads can draw."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from mmdemo.figures.palette import FONT, Theme

WIDTH = 7.0  # inches; shown about 700 pixels wide, so that 9 points are about 12 pixels
MARGIN = 0.16


class Sheet:
    """A figure of fixed width and some height."""

    def __init__(self, theme: Theme, height: float) -> None:
        self.theme = theme
        self.height = height
        self.figure = Figure(figsize=(WIDTH, height), facecolor=theme.ground)
        FigureCanvasAgg(self.figure)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes in the theme's colours at a place in inches."""
        bottom = self.height - top - height
        axes = self.figure.add_axes(
            (left / WIDTH, bottom / self.height, width / WIDTH, height / self.height),
            facecolor=self.theme.ground,
        )
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(length=0, labelsize=8.5, colors=self.theme.ink, labelfontfamily=FONT)
        return axes

    def free(self, top: float, height: float) -> Axes:
        """Axes over the whole width whose units are inches from their own top left, without ticks."""
        axes = self.axes(0, top, WIDTH, height)
        axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        axes.set_axis_off()
        return axes

    def text(self, left: float, top: float, words: str, size: float = 9, **options: Any) -> None:
        """Words whose top left corner is at a place in inches."""
        self.figure.text(
            left / WIDTH,
            1 - top / self.height,
            words,
            fontsize=size,
            va="top",
            family=FONT,
            parse_math=False,
            **{"color": self.theme.ink, **options},
        )

    def colour_bar(self, axes: Axes, colours: Colormap, norm: Normalize, label: str = "") -> None:
        """A colour bar that fills ``axes``, lying or standing."""
        box = axes.get_position()
        lying = box.width * WIDTH > box.height * self.height
        bar = self.figure.colorbar(
            ScalarMappable(norm, colours), cax=axes, orientation="horizontal" if lying else "vertical"
        )
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0, labelsize=8, colors=self.theme.quiet, labelfontfamily=FONT)
        bar.set_label(label, fontsize=8, color=self.theme.quiet, family=FONT)
        bar.ax.locator_params(nbins=4)


def text_width(words: str, size: float) -> float:
    """How wide a line of text is, in inches."""
    font = FontProperties(family=FONT, size=size)
    return text_to_path.get_text_width_height_descent(words, font, ismath=False)[0] / 72


def wrapped(words: str, size: float, width: float) -> list[str]:
    """Lines of text that are at most ``width`` inches wide."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines

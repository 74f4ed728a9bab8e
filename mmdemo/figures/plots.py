"""How each kind of view is drawn: its height in inches and a function that paints it on a sheet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.ticker import PercentFormatter

from mmdemo.figures.palette import FONT, Theme, number, printable, scale, text_colour
from mmdemo.figures.sheet import MARGIN, WIDTH, Sheet, text_width
from mmdemo.types import View

#: Rows that one figure shows; the numbers beside it always hold all.
MOST_ROWS = 40
ROW = 0.235
LEFT = 1.25  # inches for row labels
MARKS = ("[E1]", "[E2]")


@dataclass(frozen=True, kw_only=True)
class Plot:
    """``paint(sheet, top)`` draws into ``height`` inches below ``top``."""

    height: float
    paint: Callable[[Sheet, float], None]


def heatmap(view: View, theme: Theme, top: int) -> Plot:
    """Rows x the first ``top`` columns, with numbers where a cell has room for one."""
    values = view.values[:MOST_ROWS, :top]
    rows, columns = values.shape
    labels, names = view.axes[0][:rows], [_last_word(name) for name in view.axes[1][:columns]]
    height = rows * ROW + 0.75

    def paint(sheet: Sheet, at: float) -> None:
        axes = sheet.axes(LEFT, at + 0.05, WIDTH - LEFT - 0.75, rows * ROW)
        colours, norm = scale(view.values, view.centre, theme)
        axes.imshow(values, cmap=colours, norm=norm, aspect="auto", interpolation="nearest")
        axes.set_xticks(range(columns), names, rotation=90 if columns > 12 else 0)
        axes.set_xlabel(_first_words(view.axes[1][0]), fontsize=8.5, color=theme.quiet, family=FONT)
        _row_labels(axes, labels, theme)
        if columns <= 12:
            for (row, column), value in np.ndenumerate(values):
                ink = text_colour(colours(norm(value)))
                _centred(axes, column, row, number(float(value)), 7.5, ink)
        bar = sheet.axes(WIDTH - 0.6, at + 0.05, 0.11, min(rows * ROW, 1.6))
        sheet.colour_bar(bar, colours, norm)

    return Plot(height=height, paint=paint)


def strip(view: View, theme: Theme, top: int) -> Plot:
    """The words as they are read, each on its colour with its number below; once for every row."""
    places, lines = _flow([printable(word, 22) for word in view.axes[1]])
    many = len(view.axes[0]) > 1
    line, title = 0.46, 0.24 if many else 0.0
    block = lines * line + title + (0.06 if many else 0.0)

    def paint(sheet: Sheet, at: float) -> None:
        colours, norm = scale(view.values, view.centre, theme)
        for row, name in enumerate(view.axes[0]):
            up = at + row * block
            if many:
                sheet.text(MARGIN, up + 0.04, name, 8.5, color=theme.quiet)
            axes = sheet.free(up + title, lines * line)
            for (word, left, on, width), value in zip(places, view.values[row], strict=True):
                colour = colours(norm(value))
                box = FancyBboxPatch(
                    (left + 0.03, on * line + 0.04),
                    width - 0.06,
                    0.22,
                    boxstyle="round,pad=0,rounding_size=0.04",
                    facecolor=colour,
                    edgecolor=theme.line if word not in MARKS else theme.marks[MARKS.index(word)],
                    linewidth=0.6 if word not in MARKS else 1.6,
                )
                axes.add_patch(box)
                middle = left + width / 2
                _centred(axes, middle, on * line + 0.15, word, 8.5, text_colour(colour))
                shown = number(float(value), signed=view.centre is not None)
                _centred(axes, middle, on * line + 0.335, shown, 6.8, theme.quiet)

    return Plot(height=len(view.axes[0]) * block, paint=paint)


def bars(view: View, theme: Theme, top: int) -> Plot:
    """Lying bars: one value an item, parts stacked, or a value with its range (low, value, high)."""
    values = view.values[:MOST_ROWS].reshape(min(len(view.values), MOST_ROWS), -1)
    parts = view.axes[1] if len(view.axes) > 1 else ("",)
    ranged = parts == ("low", "value", "high")
    stacked = len(parts) > 1 and not ranged
    head = 0.28 if stacked or ranged else 0.0

    def paint(sheet: Sheet, at: float) -> None:
        axes = sheet.axes(LEFT, at + head, WIDTH - LEFT - 0.6, len(values) * ROW)
        _row_labels(axes, view.axes[0][: len(values)], theme)
        axes.set_ylim(len(values) - 0.5, -0.5)
        axes.grid(axis="x", color=theme.line, linewidth=0.6)
        axes.set_axisbelow(True)
        if stacked:
            _stack(axes, values, theme)
            for p, part in enumerate(parts):
                sheet.text(LEFT + 1.1 * p, at + 0.03, "■", 9, color=theme.parts[p % len(theme.parts)])
                sheet.text(LEFT + 1.1 * p + 0.16, at + 0.03, part, 8.5)
        elif ranged:
            _ranges(axes, values, theme)
            sheet.text(
                LEFT, at + 0.03, "● with this photo   ━ range over the other photos", 8, color=theme.quiet
            )
        else:
            _signed(axes, values[:, 0], theme)

    return Plot(height=head + len(values) * ROW + 0.32, paint=paint)


def distribution(view: View, theme: Theme, top: int) -> Plot:
    """Each item's samples as a box (quartiles), whiskers (5-95 %) and outliers' extremes, on one scale."""
    values, labels = view.values[:MOST_ROWS], view.axes[0][:MOST_ROWS]
    height = len(values) * ROW

    def paint(sheet: Sheet, at: float) -> None:
        whole = sheet.axes(LEFT, at, WIDTH - LEFT - 0.3, 0.8)
        low, high = np.quantile(view.values, [0.002, 0.998])
        pad = 0.05 * (high - low) or 1.0
        whole.hist(view.values.ravel(), bins=60, range=(low - pad, high + pad), color=theme.parts[0])
        axes = sheet.axes(LEFT, at + 0.85, WIDTH - LEFT - 0.3, height)
        quartiles = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1)
        for row, (p5, p25, p50, p75, p95) in enumerate(quartiles.T):
            axes.plot([p5, p95], [row, row], color=theme.quiet, linewidth=1, solid_capstyle="butt")
            axes.add_patch(
                Rectangle((p25, row - 0.28), p75 - p25, 0.56, facecolor=_mark_colour(labels[row], theme))
            )
            axes.plot([p50, p50], [row - 0.28, row + 0.28], color=theme.ground, linewidth=1.6)
        _row_labels(axes, labels, theme)
        for each in (whole, axes):
            each.set_xlim(low - pad, high + pad)
            if view.centre is not None:
                each.axvline(view.centre, color=theme.ink, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_ylim(len(values) - 0.5, -0.5)
        axes.grid(axis="x", color=theme.line, linewidth=0.6)
        axes.set_axisbelow(True)
        whole.set(xticks=[], yticks=[])
        sheet.text(MARGIN, at + 0.3, "all rows", 8.5, color=theme.quiet)

    return Plot(height=height + 1.25, paint=paint)


# --- parts of the above --------------------------------------------------------------------------


def _flow(words: list[str]) -> tuple[list[tuple[str, float, int, float]], int]:
    """(word, left, line, width) of words that wrap at the page's width, and how many lines they take."""
    places, left, line = [], MARGIN, 0
    for word in words:
        width = max(text_width(word, 8.5) + 0.16, 0.5)
        if left + width > WIDTH - MARGIN and left > MARGIN:
            left, line = MARGIN, line + 1
        places.append((word, left, line, width))
        left += width
    return places, line + 1


def _row_labels(axes: Axes, labels: tuple[str, ...], theme: Theme) -> None:
    """Names of rows; those of the relation's two marks stand out."""
    short = [label.rsplit("/", 1)[-1] if label.count("/") == 3 else label for label in labels]
    names = [printable(label) for label in short]  # of /per/org/member_of the last part says enough
    axes.set_yticks(range(len(labels)), names, parse_math=False)
    for row, (label, tick) in enumerate(zip(labels, axes.get_yticklabels(), strict=True)):
        if label in MARKS:
            tick.set(color=_mark_colour(label, theme), fontweight="bold")
            axes.axhline(row - 0.5, color=_mark_colour(label, theme), linewidth=1.2)
            axes.axhline(row + 0.5, color=_mark_colour(label, theme), linewidth=1.2)


def _mark_colour(label: str, theme: Theme) -> str:
    return theme.marks[MARKS.index(label)] if label in MARKS else theme.parts[0]


def _stack(axes: Axes, values: np.ndarray, theme: Theme) -> None:
    left = np.zeros(len(values))
    for p in range(values.shape[1]):
        colour = theme.parts[p % len(theme.parts)]
        axes.barh(range(len(values)), values[:, p], left=left, height=0.72, color=colour)
        for row, value in enumerate(values[:, p]):
            if value > 0.045:
                ink = text_colour(_rgb(colour))
                _centred(axes, left[row] + value / 2, row, f"{value:.0%}", 7.5, ink)
        left = left + values[:, p]
    axes.set_xlim(0, max(float(left.max()), 1e-9))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))


def _ranges(axes: Axes, values: np.ndarray, theme: Theme) -> None:
    reach = max(float(np.abs(values).max()) * 1.25, 1e-6)
    axes.set_xlim(-reach, reach)
    axes.axvline(0, color=theme.quiet, linewidth=0.9)
    for row, (low, value, high) in enumerate(values):
        axes.plot([low, high], [row, row], color=theme.parts[0], linewidth=3, alpha=0.55)
        axes.plot([value], [row], "o", color=theme.parts[1], markersize=5.5)
        _beside(axes, row, number(float(value), signed=True) if abs(value) >= 1e-6 else "0", theme)
    axes.xaxis.set_major_formatter(lambda value, _: number(value, signed=True) if value else "0")


def _signed(axes: Axes, values: np.ndarray, theme: Theme) -> None:
    reach = max(float(np.abs(values).max()) * 1.1, 1e-9)
    axes.set_xlim(-reach if values.min() < 0 else 0, reach)
    colours = [theme.parts[0] if value < 0 else theme.parts[1] for value in values]
    axes.barh(range(len(values)), values, height=0.72, color=colours)
    axes.axvline(0, color=theme.quiet, linewidth=0.9)
    for row, value in enumerate(values):
        _beside(axes, row, number(float(value), signed=bool(values.min() < 0)), theme)
    axes.xaxis.set_major_formatter(lambda value, _: number(value) if value else "0")


def _beside(axes: Axes, row: int, words: str, theme: Theme) -> None:
    """A number right of the plot, in the row's height."""
    axes.text(
        1.01, row, words, transform=axes.get_yaxis_transform(), va="center", fontsize=7.5, color=theme.ink
    )


def _centred(axes: Axes, x: float, y: float, words: str, size: float, colour: str) -> None:
    axes.text(
        x, y, words, ha="center", va="center", fontsize=size, color=colour, family=FONT, parse_math=False
    )


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def _last_word(name: str) -> str:
    return printable(name.rsplit(" ", 1)[-1], 8)


def _first_words(name: str) -> Any:
    return name.rpartition(" ")[0] or None

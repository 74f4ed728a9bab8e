"""Pictures and numbers of views: every kind is drawn, light and dark, whatever stands in a label."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from mmdemo.figures.draw import draw, png
from mmdemo.figures.numbers import explanation_json, view_csv, view_json
from mmdemo.figures.palette import DARK, LIGHT, number, printable, scale, text_colour
from mmdemo.types import Ask, Explanation, Post, Prediction, View

HOSTILE = ("$x^2$", "=1+1", "漢字", "😀", "\n\x00", "[E1]", "<b>", "a" * 60, "%s", "مرحبا")


def view(kind: str, shape: tuple[int, ...], centre: float | None = 0.0, parts=None) -> View:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    if kind == "photo-map" or centre is None:
        values = np.abs(values)
    rows = tuple(HOSTILE[i % len(HOSTILE)] for i in range(shape[0]))
    axes = [rows, *(tuple(f"channel {i}" for i in range(n)) for n in shape[1:])]
    if kind == "strip":
        axes = [tuple(f"row {i}" for i in range(shape[0])), tuple(HOSTILE[i % 10] for i in range(shape[1]))]
    if parts:
        axes[1] = parts
    return View(
        name=kind, title=f"$a {kind}", note="No $.", kind=kind, values=values, axes=tuple(axes), centre=centre
    )


VIEWS = [
    view("heatmap", (12, 40), 1.0),
    view("heatmap", (60, 5)),
    view("strip", (1, 30)),
    view("strip", (3, 4), None),
    view("bars", (6,)),
    view("bars", (6, 2), None, ("text", "photo")),
    view("bars", (50, 3), 0.0, ("low", "value", "high")),
    view("photo-map", (1, 49)),
    view("photo-map", (9, 16), None),
    view("photo-map", (60, 16), None),
    view("distribution", (10, 32), 1.0),
    view("heatmap", (1, 1)),
]


@pytest.mark.parametrize("shown", VIEWS, ids=lambda v: f"{v.kind}-{v.values.shape}")
def test_every_kind_is_drawn_as_a_png(shown):
    photo = Image.new("RGB", (60, 30), "teal")
    pictures = [png(draw(shown, dark=dark, photo=photo, note=True)) for dark in (False, True)]
    assert pictures[0] != pictures[1]
    for picture, theme in zip(pictures, (LIGHT, DARK), strict=True):
        image = Image.open(io.BytesIO(picture)).convert("RGB")
        assert image.format is None and image.width == 1120
        assert image.getpixel((1, 1)) == tuple(int(theme.ground[i : i + 2], 16) for i in (1, 3, 5))


def test_constant_values_are_drawn():
    for value in (0.0, 1.0, 1e-30):
        flat = view("heatmap", (2, 3), 1.0)
        flat = View(**{**flat.__dict__, "values": np.full((2, 3), value, np.float32)})
        assert png(draw(flat))


def test_top_columns_come_first_and_numbers_are_printed_where_there_is_room():
    figure = draw(view("heatmap", (3, 40), 1.0), top=5)
    heat = figure.axes[0]
    assert [tick.get_text() for tick in heat.get_xticklabels()] == ["0", "1", "2", "3", "4"]
    assert len(heat.texts) == 15
    assert len(draw(view("heatmap", (3, 40), 1.0), top=30).axes[0].texts) == 0


def test_the_scale_is_symmetric_about_its_centre():
    _, norm = scale(np.array([0.5, 1.0, 3.0]), 1.0, LIGHT)
    assert norm(1.0) == pytest.approx(0.5) and norm(0.0) == pytest.approx(1 - norm(2.0))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_reads_on_its_ground(theme):
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    ground = luminance(theme.ground)
    for colour in (theme.ink, theme.quiet, *theme.marks):
        low, high = sorted((ground, luminance(colour)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, colour
    assert text_colour((1.0, 1.0, 1.0)) == "#000000" and text_colour((0.0, 0.0, 0.3)) == "#ffffff"


def test_text_that_the_font_lacks_is_marked():
    assert printable("a漢b") == "a▯b" and printable("x" * 20, 5) == "xxxx…" and printable("\n") == "▯"
    assert printable("Remington · B-ORG") == "Remingt… · B-ORG" and len(printable("· " * 20 + " · x")) == 16


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "+0.00"),
        (-1.25, "−1.25"),
        (123.4, "+123"),
        (0.0123, "+0.012"),
        (0.00123, "+0.0012"),
        (2e-5, "+2e−5"),
    ],
)
def test_numbers_are_short(value, shown):
    assert number(value, signed=True) == shown


def test_csv_holds_every_number_and_no_formula():
    rows = list(csv.reader(io.StringIO(view_csv(view("heatmap", (10, 4))))))
    assert rows[0] == ["", "channel 0", "channel 1", "channel 2", "channel 3"]
    assert [row[0] for row in rows[1:]][:2] == ["$x^2$", "'=1+1"]
    np.testing.assert_allclose(
        np.array([row[1:] for row in rows[1:]], float), view("heatmap", (10, 4)).values, rtol=1e-5
    )
    assert len(list(csv.reader(io.StringIO(view_csv(view("bars", (6,))))))) == 7


def test_json_holds_every_number():
    shown = view("bars", (6,))
    said = view_json(shown)
    assert said["axes"] == [list(shown.axes[0])] and said["centre"] == 0
    np.testing.assert_allclose(np.array(said["values"])[:, 0], shown.values, atol=1e-6)
    post = Post(text="a", tokens=("a",))
    answer = Prediction(post=post, ask=Ask(), checkpoint="c", image_used=False)
    whole = explanation_json(Explanation(prediction=answer, target="t", views=(shown,), absent={"x": "why"}))
    assert whole["absent"] == {"x": "why"} and whole["target"] == "t" and whole["views"] == [said]

"""Text in photos: read, in order, in its place, bounded; by files of the wheel and without a network."""

import socket
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distributions
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.photo_words import ocr
from mmdemo.photo_words.ocr import MOST_LINES, MOST_PIXELS, ocr_source, read_lines, reading_size
from mmdemo.photo_words.source import SourceError
from mmdemo.types import PhotoWords
from tests.photo_words.drawn import line, sign


def texts(photo: Image.Image) -> list[str]:
    return [found.text for found in read_lines(photo, "test")]


def test_text_is_read_in_its_place_and_order():
    photo = sign(
        ("HERSHEYPARK STADIUM", 60, 40), ("Padres", 40, 200), ("win again", 380, 204), ("Oakland", 40, 320)
    )
    found = read_lines(photo, "rapidocr")
    assert [one.text for one in found] == ["HERSHEYPARK STADIUM", "Padres", "win again", "Oakland"]
    assert all(one.source == "ocr" and one.by == "rapidocr" for one in found)
    assert all(one.score is not None and one.score > 0.9 for one in found)
    left, top, right, bottom = found[0].box or ()
    assert left == pytest.approx(60 / 640, abs=0.03) and top == pytest.approx(45 / 400, abs=0.04)
    assert right > 0.6 and bottom < 0.25


def test_the_order_is_by_rows_and_not_by_pixels_of_a_tilted_line():
    lines = [
        line("right", box=(0.6, 0.10, 0.9, 0.20)),
        line("below", box=(0.1, 0.30, 0.3, 0.40)),
        line("left", box=(0.1, 0.12, 0.4, 0.22)),
    ]
    assert [one.text for one in ocr.reading_order(lines)] == ["left", "right", "below"]


@pytest.mark.parametrize("size", [(400, 300), (1, 1), (1024, 40)])
def test_a_photo_without_text_has_no_lines(size):
    assert read_lines(Image.new("RGB", size, "white"), "test") == []


def test_markup_in_a_photo_is_text():
    assert texts(sign(("<script>alert(1)</script>", 20, 100))) == ["<script>alert(1)</script>"]


@pytest.mark.parametrize("size", [(800, 600), (1024, 1024), (1024, 8), (3, 1024), (1, 1), (300, 200)])
def test_what_is_looked_at_is_bounded_whatever_the_shape(size):
    width, height = reading_size(size)
    assert width * height <= MOST_PIXELS * 1.01 + max(width, height)
    assert min(width, height) <= max(ocr.SHORT_SIDE, min(size))


def test_small_type_is_enlarged():
    assert reading_size((400, 300)) == (981, 736)


def test_of_a_page_of_small_print_the_largest_lines_are_read():
    rows = [(f"line number {i} of much small print", 20, 60 + 15 * i) for i in range(MOST_LINES + 8)]
    photo = sign(*rows, size=(500, 800), height=11)
    photo.paste(sign(("HEADLINE", 5, 5), size=(400, 50)), (0, 0))
    found = texts(photo)
    assert found[0] == "HEADLINE" and 20 < len(found) <= MOST_LINES


def test_the_models_are_the_wheel_s_and_no_network_is_asked_for(monkeypatch, capfd):
    """A reader of its own, and a door that is shut to every connection."""
    import requests

    def refused(*arguments: object, **options: object) -> None:
        raise AssertionError(f"asked for {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(requests, "get", refused)
    ocr._reader.cache_clear()
    assert texts(sign(("Shiloh", 40, 100))) == ["Shiloh"]
    assert capfd.readouterr() == ("", "")
    models = ocr.shipped_models()
    places = (models.detect, models.turn, models.recognise)
    assert {place.parent for place in places} == {Path(ocr.find_spec("rapidocr").origin).parent / "models"}
    assert all(place.stat().st_size > 100_000 for place in places)


def test_opencv_is_the_one_without_a_desktop():
    names = {(found.metadata["Name"] or "").lower() for found in distributions()}
    assert "opencv-python-headless" in names
    assert not names & {"opencv-python", "opencv-contrib-python"}


def test_two_threads_read_each_its_own():
    photos = [sign((name, 40, 100)) for name in ("Oakland", "Singapore", "Brighton", "Shiloh")]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(texts, photos)) == [["Oakland"], ["Singapore"], ["Brighton"], ["Shiloh"]]


def test_what_rapidocr_raises_costs_this_source(monkeypatch):
    def broken(threads: int) -> object:
        raise MemoryError("no room")

    monkeypatch.setattr(ocr, "_reader", broken)
    with pytest.raises(SourceError, match=r"the text could not be read \(MemoryError\)"):
        read_lines(sign(("A", 1, 1)), "test")


def test_without_rapidocr_the_source_says_what_to_install(monkeypatch):
    monkeypatch.setattr(ocr, "find_spec", lambda name: None)
    with pytest.raises(SourceError, match="rapidocr is not installed: pip install"):
        ocr_source()


def test_the_version_names_the_model():
    source = ocr_source()
    assert source.name == "ocr" and source.version.startswith("rapidocr ") and "rec" in source.version
    assert isinstance(source.read(sign(("Oakland", 40, 100)))[0], PhotoWords)

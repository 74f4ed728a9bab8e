"""Bad and hostile input in a real browser: one sentence or plain text, never a traceback, never code."""

import re
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser import live
from tests.browser.live import MNRE, TWEET, expect_error, predict, upload, write

pytestmark = pytest.mark.browser


HOSTILE = (
    "<img src=x onerror=window.__xss=1>",
    "<svg/onload=window.__xss=1>",
    "</p><script>window.__xss=1</script>",
    "${window.__xss=1}",
    "`${window.__xss=1}`",
    "{{7*7}}",
    "{{constructor.constructor('window.__xss=1')()}}",
    "\u202eevil\u202c",
    "A" + "\u0301" * 5000,
)


def giant_png(path: Path) -> None:
    """A few bytes that claim to be 20,000 x 20,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


def truncated_jpeg(path: Path) -> None:
    Image.effect_noise((300, 200), 50).convert("RGB").save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:3000])


BAD_PHOTOS = {
    "giant.png": giant_png,
    "truncated.jpg": truncated_jpeg,
    "broken.png": lambda path: path.write_bytes(b"this is no picture"),
    "empty.jpg": lambda path: path.write_bytes(b""),
    "code.svg": lambda path: path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" onload="window.__xss=1"><script>__xss=1</script></svg>'
    ),
}


def answered(page, text):
    """A mistake is over once it is mended."""
    write(page, text)
    predict(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#predict-result .mm-tweet")).to_be_visible()


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_a_bad_photo_gets_one_sentence_and_the_text_stays(page, tmp_path, name):
    BAD_PHOTOS[name](tmp_path / name)
    upload(page, tmp_path / name)
    write(page, TWEET)
    predict(page)
    expect_error(page, r"photo|image|picture")
    expect(page.locator("#predict-text textarea")).to_have_value(TWEET)
    expect(page.locator(".toast-body")).to_have_count(0)


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG"), ("P", "GIF")])
def test_odd_photos_are_read(page, tmp_path, mode, kind):
    photo = tmp_path / "named.jpg"  # whatever it is inside
    Image.new(mode, (64, 48)).save(photo, kind)
    upload(page, photo)
    write(page, TWEET)
    predict(page)
    expect(page.locator("#predict-result")).to_contain_text("read with the photo")


def test_no_text_gets_one_sentence(page):
    for text in ("", "   "):
        write(page, text)
        predict(page)
        expect_error(page, r"text|word|empty")
        answered(page, TWEET)


def test_emoji_alone_are_answered_in_words(page):
    write(page, "😀😀")
    predict(page)
    words = page.locator("#predict-result").get_by_text(re.compile(r"letters|words|text", re.IGNORECASE))
    expect(words.first).to_be_visible()


def test_bad_marks_get_one_sentence_and_stay(page):
    live.pick(page, "Dataset", MNRE)
    for text in (
        "Ann met Bob",
        "[E1] Ann [/E1] met Bob",
        "[E1] Ann met [E2] Bob [/E2]",
        "[E1] [/E1] met [E2] Bob [/E2]",
    ):
        write(page, text)
        predict(page)
        expect_error(page, r"\[/?E[12]\]|mark")
        expect(page.locator("#predict-text textarea")).to_have_value(text)
        answered(page, "[E1] Ann [/E1] met [E2] Bob [/E2]")


def test_marks_in_an_entity_request_get_one_sentence(page):
    write(page, "[E1] Ann [/E1] met [E2] Bob [/E2]")
    predict(page)
    expect_error(page, r"\[/?E[12]\]|mark")


def test_a_book_is_cut_with_a_warning(page):
    write(page, "Ann met Bob . " * 2500)
    predict(page)
    expect(page.locator("#predict-result .mm-notes")).to_contain_text(re.compile(r"\d"))
    assert page.locator("#predict-result").bounding_box()["height"] < 1200


def test_hostile_text_is_shown_and_runs_nothing(page):
    page.get_by_text("Result as JSON").filter(visible=True).click()
    for number, text in enumerate(HOSTILE):
        write(page, f"Kevin Durant {text} met Angela Merkel {number}th")
        predict(page)
        expect(page.locator("#predict-result .mm-tweet")).to_contain_text(f"{number}th")
        shown_as_text(page)
    # and the fixture's checks: no dialog, no script error, window.__xss never set


def shown_as_text(page):
    """Nothing of the answer is anything but text, and no template was computed."""
    tags = page.evaluate(
        "[...new Set([...document.querySelectorAll('#predict-result *')].map(e => e.tagName))]"
    )
    assert not set(tags) & {"IMG", "SVG", "svg", "SCRIPT", "IFRAME", "A"}
    shown = page.evaluate(
        """() => {
            const tweet = document.querySelector('#predict-result .mm-tweet').cloneNode(true);
            tweet.querySelectorAll('.mm-chip, .mm-control').forEach(e => e.remove());
            return tweet.textContent;
        }"""
    )
    assert "Angela Merkel" in shown
    assert "49" not in shown

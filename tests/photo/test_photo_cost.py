"""Photos that cost far more to decode than their size says are refused before a pixel is decoded."""

import io
import struct
import time
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.photo.opening import open_image
from mmdemo.photo.photo_cost import MAX_RUNS, MAX_SCANNED, MAX_SCANS, count_scans
from mmdemo.types import InputError


def scan_bomb(side: int, scans: int) -> bytes:
    """A grey progressive JPEG; its last scan, with its table under 100 bytes, stands ``scans`` more times."""
    stream = io.BytesIO()
    Image.new("L", (side, side), 128).save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    last = data[data.rfind(b"\xff\xc4", 0, data.rfind(b"\xff\xda")) : -2]
    assert len(last) < 100
    return data[:-2] + last * scans + b"\xff\xd9"


def jpeg(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def run_bmp(side: int, runs: bytes) -> bytes:
    """A BMP of 8 bits a pixel, run-length-encoded."""
    palette = b"".join(struct.pack("<4B", i, i, i, 0) for i in range(256))
    start = 14 + 40 + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start)
    about = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return head + about + palette + runs


def test_a_thousand_scans_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jpg"
    path.write_bytes(scan_bomb(7000, 200))
    assert path.stat().st_size < 300_000
    started = time.process_time()
    with pytest.raises(InputError, match="'bomb.jpg' is a JPEG of more than 20 scans; save it anew"):
        open_image(path)
    assert time.process_time() - started < 1


def test_small_photos_may_have_a_hundred_scans_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "small.jpg"
    path.write_bytes(scan_bomb(64, MAX_SCANS - 6))
    assert open_image(path).size == (64, 64)
    path.write_bytes(scan_bomb(64, MAX_SCANS))
    with pytest.raises(InputError, match=f"more than {MAX_SCANS} scans"):
        open_image(path)


def test_the_largest_progressive_photo_may_have_twice_the_usual_scans() -> None:
    usual = count_scans(jpeg(Image.effect_noise((64, 64), 50).convert("RGB"), progressive=True), 1000)
    assert usual == 10 and MAX_SCANNED // 50_000_000 == 2 * usual


@pytest.mark.parametrize(("options", "scans"), [({}, 1), ({"progressive": True}, 10)])
def test_scans_are_counted_not_what_lies_in_a_segment_or_behind_the_photo(options, scans) -> None:
    photo = jpeg(
        Image.effect_noise((80, 60), 90).convert("RGB"), exif=b"Exif\0\0" + b"\xff\xda" * 30, **options
    )
    assert count_scans(photo + b"\xff\xda" * 1000, 10**9) == scans
    assert count_scans(photo, 5) == min(scans, 5)


def test_a_film_behind_a_photo_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "motion.jpg"
    path.write_bytes(jpeg(Image.new("RGB", (40, 20), "red")) + b"\xff\xda\0\2" * 500)
    assert open_image(path).size == (40, 20)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8\xff", b"\xff\xd8\xff\xda", b"\xff\xd8\xff\xe0\0\0" * 9]
)
def test_counting_never_raises(data: bytes) -> None:
    assert count_scans(data, 10**9) <= 1


def test_a_bmp_of_a_million_runs_is_refused_and_a_small_one_opens(tmp_path: Path) -> None:
    path = tmp_path / "runs.bmp"
    path.write_bytes(run_bmp(7000, b"\x01\x05" * (MAX_RUNS // 2 + 1)))
    with pytest.raises(InputError, match="a compressed BMP of more than 2 MB"):
        open_image(path)
    path.write_bytes(run_bmp(4, b"\x04\x80\0\0" * 4 + b"\0\1"))
    assert open_image(path).getpixel((0, 0)) == (128, 128, 128)

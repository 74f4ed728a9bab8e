"""Photos: hostile and odd files, the missing-image policy, pixels, augmentation (finding: `test_photos`)."""

import pickle
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mmdemo.photo import opening as module
from mmdemo.photo.opening import MAX_SIDE, load_photo, open_image
from mmdemo.photo.pixels import augment, to_pixels
from mmdemo.types import InputError, Post

RED = (255, 0, 0)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    if path.suffix == ".heic":  # what reads it here cannot write it
        pillow_heif.from_pillow(image).save(path)
    else:
        image.save(path, **options)
    return path


def halves(size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill=(0, 0, 255))
    return image


def huge_png(path: Path, side: int = 20_000) -> Path:
    """A true side x side PNG of one bit a pixel: some 50 KB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((side // 8 + 1) * side), 9)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
    return path


# ---------------------------------------------------------------- what opens


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tif", "avif", "heic", "jfif"])
def test_every_format_opens_as_rgb(tmp_path: Path, suffix: str) -> None:
    image = open_image(saved(tmp_path / f"x.{suffix}", halves()))
    assert (image.mode, image.size) == ("RGB", (40, 20))
    assert np.abs(np.asarray(image, dtype=int)[10, 5] - RED).max() < 12


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    assert open_image(saved(tmp_path / "x.jpg", halves(), format="PNG")).size == (40, 20)
    assert open_image(str(saved(tmp_path / "noname", halves(), format="JPEG"))).size == (40, 20)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_on_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image = image.quantize() if mode == "P" else image.convert(mode)
    assert np.asarray(open_image(image)).min() == 255
    assert np.asarray(open_image(saved(tmp_path / "x.png", image))).min() == 255


def test_half_transparent_is_half_white() -> None:
    assert open_image(Image.new("RGBA", (1, 1), (0, 0, 0, 128))).getpixel((0, 0)) == (127, 127, 127)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    image = open_image(saved(tmp_path / "x.jpg", halves().convert("CMYK")))
    red, green, blue = image.getpixel((5, 10))
    assert red > 200 and green < 60 and blue < 60


def test_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in (RED, (0, 255, 0))]
    for suffix in ("gif", "webp", "png"):
        path = saved(tmp_path / f"x.{suffix}", frames[0], save_all=True, append_images=frames[1:])
        assert np.abs(np.subtract(open_image(path).getpixel((0, 0)), RED)).max() < 12


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
def test_exif_orientation_is_applied(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    image = open_image(saved(tmp_path / f"x.{suffix}", halves(), exif=exif))
    assert image.size == (20, 40)
    assert image.getpixel((10, 5))[0] > 200 and image.getpixel((10, 35))[2] > 200


def test_broken_exif_is_ignored(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.jpg", halves(), exif=b"Exif\x00\x00MM\x00*\x00\x00\xff\xff\x01\x12garbage")
    assert open_image(path).size == (40, 20)


def test_sixteen_bits_keep_their_greys(tmp_path: Path) -> None:
    grey = np.array([[0, 128 * 256, 65535]], dtype=np.uint16)
    image = open_image(saved(tmp_path / "x.png", Image.fromarray(grey)))
    assert [image.getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16"])
def test_one_pixel_of_any_mode(mode: str) -> None:
    image = open_image(Image.new(mode, (1, 1)))
    assert (image.mode, image.size) == ("RGB", (1, 1))


@pytest.mark.parametrize("size", [(3000, 1500), (MAX_SIDE + 1, 1), (1, 5000)])
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "avif"])
def test_large_photos_are_shrunk(tmp_path: Path, size: tuple[int, int], suffix: str) -> None:
    image = open_image(saved(tmp_path / f"x.{suffix}", halves(size)))
    assert max(image.size) == MAX_SIDE


@pytest.mark.parametrize("form", ["JPEG", "MPO"])
def test_a_phones_photo_is_never_decoded_whole(tmp_path: Path, form: str, monkeypatch) -> None:
    decoded: list[tuple[int, int]] = []
    ready = module._opaque_ready
    monkeypatch.setattr(module, "_opaque_ready", lambda image: decoded.append(image.size) or ready(image))
    second = {"save_all": True, "append_images": [halves()]} if form == "MPO" else {}
    path = saved(tmp_path / "x.jpg", halves((4096, 3072)), format=form, **second)
    with Image.open(path) as image:
        assert image.format == form
    image = open_image(path)
    assert image.size == (1024, 768) and image.getpixel((100, 100))[0] > 200
    assert decoded == [(2048, 1536)]  # a power of two that leaves both sides as long as is wanted


@pytest.mark.parametrize("mode", ["I;16", "RGBA"])
def test_the_largest_photo_costs_bounded_memory(tmp_path: Path, mode: str) -> None:
    """In a process of its own, whose peak is nobody else's."""
    path = saved(tmp_path / "x.png", Image.new(mode, (7000, 7000)), compress_level=1)
    script = (
        "import resource, sys; from mmdemo.photo.opening import open_image\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak(); open_image(sys.argv[1]); print(peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, check=True)
    assert int(done.stdout) < 500, "megabytes; 49 million pixels of four bytes are 187"


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("width", [10, 2000])
def test_a_photo_in_memory_is_left_as_it_was(mode: str, width: int) -> None:
    image = Image.new(mode, (width, 10), RED)
    image.info = {"dpi": 72}
    opened = open_image(image)
    opened.paste((0, 0, 0), (0, 0, 10, 10))
    assert (image.mode, image.size, image.info) == (mode, (width, 10), {"dpi": 72})
    assert image.getpixel((0, 0))[:3] == RED


# ---------------------------------------------------------------- what does not


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a photo",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.4",
        b"II*\x00\x08\x00\x00\x00",  # TIFF
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",  # would start Ghostscript
        pickle.dumps({"a": 1}),
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        b"GIF89a",
        b"BM",
    ],
)
def test_what_is_no_photo_gets_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^the photo 'x.jpg' (is not a readable|is damaged)[^\n]*$"):
        open_image(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tif", "avif", "heic"])
def test_truncated_photos_are_damaged(tmp_path: Path, suffix: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    path = saved(tmp_path / f"x.{suffix}", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="is damaged|is not a readable"):
        open_image(path)


def test_a_decompression_bomb_is_refused_before_decoding(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'x.png' has too many pixels; at most 50 megapixels"):
        open_image(huge_png(tmp_path / "x.png"))
    with pytest.raises(InputError, match="too many pixels"):  # Pillow only warns at this size
        open_image(huge_png(tmp_path / "y.png", side=10_000))
    with pytest.raises(InputError, match="too many pixels"):  # and says nothing at this one
        open_image(huge_png(tmp_path / "z.png", side=8_000))


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    with path.open("wb") as file:
        file.truncate(module.MAX_BYTES + 1)
    with pytest.raises(InputError, match="'x.jpg' has 25 MB; at most 25 MB"):
        open_image(path)


@pytest.mark.parametrize("name", ["gone.jpg", ".", "a\0b.jpg", "x" * 5000])
def test_what_is_no_file_does_not_exist(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="does not exist"):
        open_image(tmp_path / name)


def test_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(InputError, match="has no pixels"):
        open_image(Image.new("RGB", (0, 5)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["jpg", "png", "webp", "gif", "bmp", "tif"]), st.data())
def test_damaged_bytes_never_escape_as_another_error(
    tmp_path: Path, suffix: str, data: st.DataObject
) -> None:
    path = saved(tmp_path / f"x.{suffix}", halves())
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        assert open_image(path).mode == "RGB"
    except InputError as error:
        assert "\n" not in str(error)


def test_a_broken_photo_counts_as_none_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"gone bad")
    post = Post(text="a", tokens=("a",), id="17_06_1", image=tmp_path / "x.jpg")
    photo, warning = load_photo(post)
    assert photo is None and warning is not None
    assert warning.startswith("post 17_06_1 counts as one without a photo: the photo 'x.jpg' is not")


def test_a_missing_photo_is_normal_and_a_good_one_comes_without_warning() -> None:
    assert load_photo(Post(text="a", tokens=("a",))) == (None, None)
    photo, warning = load_photo(Post(text="a", tokens=("a",), image=halves()))
    assert photo is not None and warning is None


# ---------------------------------------------------------------- pixels and augmentation


def test_pixels_are_normalised_and_hold_the_whole_photo() -> None:
    pixels = to_pixels(halves((300, 40)), 32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 0.5))
    assert (pixels.shape, pixels.dtype) == ((3, 32, 32), np.float32)
    assert pixels.flags.c_contiguous
    np.testing.assert_allclose(pixels[:, 0, 0], (1, -2, -1), atol=0.05)  # the left edge is still red
    np.testing.assert_allclose(pixels[:, 31, 31], (-1, -2, 1), atol=0.05)  # and the right one blue


@pytest.mark.parametrize("size", [(50, 30), (32, 32), (1, 1)])
def test_augmentation_is_set_by_its_seed_alone(size: tuple[int, int]) -> None:
    image = halves(size)
    views = [np.asarray(augment(image, 32, np.random.default_rng(seed))) for seed in (0, 0, 1, 2, 3)]
    assert views[0].shape == (32, 32, 3)
    assert np.array_equal(views[0], views[1])
    assert any(not np.array_equal(views[0], view) for view in views[2:])


def test_augmentation_leaves_torchs_random_state() -> None:
    before = torch.get_rng_state()
    augment(halves(), 32, np.random.default_rng(0))
    assert torch.equal(before, torch.get_rng_state())


def test_augmentation_flips_half_and_stays_near_the_photo() -> None:
    rng = np.random.default_rng(0)
    views = [np.asarray(augment(halves(), 32, rng), dtype=int) for _ in range(40)]
    flipped = sum(view[16, 2, 2] > view[16, 2, 0] for view in views)  # blue on the left
    assert 10 < flipped < 30
    for view in views:  # a crop of 0.9 keeps the edge between the halves near the middle
        edge = np.abs(np.diff(view[16, :, 2])).argmax()
        assert 12 <= edge <= 19

"""Photos: open and verify; the one policy for missing and broken ones (`load_photo`)."""

import warnings
from pathlib import Path

import numpy as np
import pi_heif
from PIL import Image, ImageOps

from mmdemo.photo.photo_cost import check_cost
from mmdemo.types import InputError, Post, quoted

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")

# One picture of a file, in one thread: thumbnails and depth maps beside it are nobody's question here.
pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)

#: Bounds on what strangers may upload, checked on the header before any pixel is decoded.
MAX_BYTES = 25 * 2**20
MAX_PIXELS = 50_000_000

#: `open_image` shrinks to this longest side: four times what any encoder sees, and 3 MB of memory at most.
MAX_SIDE = 1024


def open_image(source: str | Path | Image.Image) -> Image.Image:
    """An RGB image, upright, at most `MAX_SIDE` long, fully decoded and safe to use.

    The content decides the format, not the name. Animations give their first frame, transparency is laid
    on white, 16-bit greys are scaled to 8 bits, and the EXIF orientation is applied.

    Raises:
        InputError: one sentence: no such file, not a photo, damaged, or over the size bounds.
    """
    name = "the photo" if isinstance(source, Image.Image) else f"the photo {quoted(Path(source).name)}"
    with warnings.catch_warnings():
        # Pillow warns about odd metadata. Limited to its own modules: this context is not thread-safe, and
        # a filter that another thread leaves behind must not silence anyone else.
        warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
        if isinstance(source, Image.Image):
            return _decode(source, name)
        path = Path(source)
        try:
            size = path.stat().st_size if path.is_file() else -1
        except (OSError, ValueError):  # ValueError: a NUL in the name
            size = -1
        if size < 0:
            raise InputError(f"{name} does not exist")
        if size > MAX_BYTES:
            raise InputError(f"{name} has {size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB can be read")
        try:
            image = Image.open(path, formats=FORMATS)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise InputError(_too_large(name)) from error
        except (
            Exception
        ) as error:  # the header is a stranger's: plugins raise whatever their parsing trips over
            raise InputError(f"{name} is not a readable {', '.join(FORMATS)} file") from error
        with image:
            check_cost(image, path, name)
            return _decode(image, name)


def _too_large(name: str) -> str:
    return f"{name} has too many pixels; at most {MAX_PIXELS // 10**6} megapixels can be read"


def _decode(image: Image.Image, name: str) -> Image.Image:
    """Check the size, decode, convert, shrink, turn upright."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise InputError(_too_large(name))
    if width * height == 0:
        raise InputError(f"{name} has no pixels")
    try:
        # Decode at 1/2, 1/4 or 1/8 where that is large enough. MPO: a phone's JPEG with a second picture.
        if image.format in ("JPEG", "MPO"):
            image.draft(None, (MAX_SIDE, MAX_SIDE))
        image.load()
        image = _opaque_ready(image)
        if max(image.size) > MAX_SIDE:
            shrunk = tuple(max(1, round(side * MAX_SIDE / max(image.size))) for side in image.size)
            image = image.resize((shrunk[0], shrunk[1]), Image.Resampling.BICUBIC, reducing_gap=3.0)
        if image.mode == "RGBA":
            white = Image.new("RGB", image.size, "white")
            white.paste(image.convert("RGB"), mask=image.getchannel("A"))
            white.info = image.info
            image = white
    except Exception as error:  # as above: decoders raise OSError, SyntaxError, struct.error, zlib.error, …
        raise InputError(f"{name} is damaged and cannot be decoded") from error
    try:
        upright = ImageOps.exif_transpose(image)
    except Exception:  # broken EXIF says nothing about the pixels: keep them as they lie
        upright = image.copy()
    upright.info = {}
    return upright


def _opaque_ready(image: Image.Image) -> Image.Image:
    """RGB, or RGBA where it has transparency; palettes are resolved before any resizing."""
    if image.mode.startswith("I"):  # 16 bits, of which convert("RGB") would clip all but the darkest 1/256
        grey = np.clip(np.asarray(image) >> 8, 0, 255).astype(np.uint8)
        info, image = image.info, Image.fromarray(grey)
        image.info = {key: value for key, value in info.items() if key != "transparency"}
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def load_photo(post: Post) -> tuple[Image.Image | None, str | None]:
    """(photo or None, warning or None): the policy for every dataset post.

    A missing photo is normal input and gives no warning; a broken one makes the post count as a post
    without a photo, with a warning. Never raises on what a file holds.
    """
    if post.image is None:
        return None, None
    try:
        return open_image(post.image), None
    except InputError as error:
        return None, f"post {post.id or post.image_id or '?'} counts as one without a photo: {error}"

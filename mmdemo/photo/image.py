"""Photos: open and verify, find, resize and normalise; the one policy for missing ones (`load_photo`)."""

import csv
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from mmdemo.photo.photo_cost import check_cost
from mmdemo.types import InputError, Post, quoted

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")

#: Bounds on what strangers may upload, checked on the header before any pixel is decoded.
MAX_BYTES = 25 * 2**20
MAX_PIXELS = 50_000_000

#: `open_image` shrinks to this longest side: four times what any encoder sees, and 3 MB of memory at most.
MAX_SIDE = 1024

# ---------------------------------------------------------------- open and verify


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


# ---------------------------------------------------------------- find


@dataclass(frozen=True)
class PhotoLookup:
    """image id -> photo path or None. Ids count with or without an image suffix such as ``.jpg``.

    Only listed files are found, so an id such as ``../x`` reaches nothing.
    """

    paths: Mapping[str, Path] = field(default_factory=dict)

    def __call__(self, image_id: str | None) -> Path | None:
        return self.paths.get(_without_suffix(image_id)) if image_id else None


def _without_suffix(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in SUFFIXES else name


#: Where the public archives put photos, below the folder a person names; the first that has an id wins.
#: UMT: IJCAI2019_data/twitter2015_images; HVPNeT and MNRE: NER_data/…, RE_data/img_org/{train,val,test}.
ARCHIVE_FOLDERS: dict[str, tuple[str, ...]] = {
    "twitter2015": (
        ".",
        "twitter2015_images",
        "IJCAI2019_data/twitter2015_images",
        "NER_data/twitter2015_images",
    ),
    "twitter2017": (
        ".",
        "twitter2017_images",
        "IJCAI2019_data/twitter2017_images",
        "NER_data/twitter2017_images",
    ),
    "mnre": ("{split}", ".", "img_org/{split}", "RE_data/img_org/{split}", "mnre_image/img_org/{split}"),
}


def photo_lookup(images: Path | None, pairs: Path | None, dataset: str, split: str) -> PhotoLookup:
    """The lookup for one split: originals in a folder, stand-ins by a pairs file, or (neither) nothing.

    Args:
        images: folder of ``{image_id}.jpg`` files, or one in the layout of a public archive.
        pairs: csv with columns dataset, split, image_id, photo; photos lie in ``photos/`` beside it and an
            empty one means "no photo". A photo it names is returned even if the file is gone: that is a
            broken photo, and `load_photo` says so.

    Raises:
        InputError: both are given, or the folder or file is missing or malformed.
    """
    if images is not None and pairs is not None:
        raise InputError("give a folder of images or a pairs file, not both")
    if images is not None:
        return PhotoLookup(_folder_photos(Path(images), dataset, split))
    if pairs is not None:
        return PhotoLookup(_paired_photos(Path(pairs), dataset, split))
    return PhotoLookup()


def _folder_photos(images: Path, dataset: str, split: str) -> dict[str, Path]:
    if not images.is_dir():
        raise InputError(f"the image folder {images} does not exist")
    paths: dict[str, Path] = {}
    split = {"valid": "val"}.get(split, split)
    for pattern in ARCHIVE_FOLDERS.get(dataset, (".",)):
        folder = images / pattern.format(split=split)
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if path.suffix.lower() in SUFFIXES:
                    paths.setdefault(path.stem, path)
    return paths


def _paired_photos(pairs: Path, dataset: str, split: str) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    try:
        with pairs.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"dataset", "split", "image_id", "photo"} <= set(rows.fieldnames or ()):
                raise InputError(f"{pairs} line 1 must name the columns dataset, split, image_id and photo")
            for row in rows:
                photo = row["photo"]
                if (row["dataset"], row["split"]) != (dataset, split) or not photo:
                    continue
                if Path(photo).name != photo:
                    raise InputError(
                        f"{pairs} line {rows.line_num} names a photo outside its folder: {quoted(photo)}"
                    )
                if row["image_id"] is None:
                    raise InputError(f"{pairs} line {rows.line_num} has fewer fields than line 1 has columns")
                paths[_without_suffix(row["image_id"])] = pairs.parent / "photos" / photo
    except OSError as error:
        raise InputError(f"the pairs file {pairs} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the pairs file {pairs} is not a readable csv file: {error}") from error
    return paths


def with_photos(posts: Iterable[Post], lookup: Callable[[str | None], Path | None]) -> list[Post]:
    """The posts with ``image`` set to the path that ``lookup`` finds, or None."""
    return [replace(post, image=lookup(post.image_id)) for post in posts]


# ---------------------------------------------------------------- resize and normalise


def to_pixels(image: Image.Image, size: int, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Normalised pixels, float32 of shape (3, size, size).

    The whole photo is squeezed into the square (bicubic, antialiased) rather than centre-cropped: tweets put
    people and logos at the edges, and so region r of the encoder's grid is the same share of the photo
    that a person sees, which lets occlusion and attribution maps be laid over it.
    """
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32) / 255
    pixels = (pixels - np.asarray(mean, dtype=np.float32)) / np.asarray(std, dtype=np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def augment(image: Image.Image, size: int, rng: np.random.Generator) -> Image.Image:
    """A training view, ``size`` x ``size`` (SPEC §2): flip, crop of 0.9-1.0 of the area, colour jitter.

    The same ``rng`` state gives the same view; torch's own random state is left as it was.
    """
    if image.size != (size, size):  # squeeze first, as `to_pixels` does: training and test see one geometry
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: that would also reseed the GPUs, and with them every dropout mask.
        torch.default_generator.manual_seed(int(rng.integers(2**63)))
        return _training_view(size)(image)


def _training_view(size: int) -> Callable[[Image.Image], Image.Image]:
    from torchvision.transforms import v2  # here: a second of import that only training needs

    return v2.Compose(
        [
            v2.RandomHorizontalFlip(0.5),
            # On a square, a ratio far from 1 cannot reach 0.9 of the area: it would fall back to no crop.
            v2.RandomResizedCrop(
                size, scale=(0.9, 1.0), ratio=(0.95, 1 / 0.95), interpolation=v2.InterpolationMode.BICUBIC
            ),
            v2.ColorJitter(brightness=0.15, contrast=0.15, saturation=0.15, hue=0.05),
        ]
    )

"""A stored photo as browsers get it."""

import base64
import io
from functools import lru_cache
from pathlib import Path

from PIL import Image

from mmdemo.types import InputError

PHOTO_SIDE = 900  # pixels


@lru_cache(maxsize=64)
def data_uri(path: Path) -> str:
    """The stored photo, made small and drawn anew, so that nothing but its pixels reaches a browser."""
    try:
        with Image.open(path) as opened:
            photo = opened.convert("RGB")
    except (OSError, ValueError) as error:
        raise InputError("the photo is no longer in the store") from error
    photo.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    data = io.BytesIO()
    photo.save(data, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")

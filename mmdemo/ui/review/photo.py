"""A stored photo as browsers get it, and as models see it."""

import base64
import io
from functools import lru_cache
from pathlib import Path

from mmdemo.answer.pipeline import open_image
from mmdemo.types import InputError

PHOTO_SIDE = 900  # pixels


@lru_cache(maxsize=64)
def data_uri(path: Path) -> str:
    """The stored photo, made small and drawn anew, so that nothing but its pixels reaches a browser."""
    try:
        photo = open_image(path)
    except InputError as error:
        raise InputError("the photo is no longer in the store, or damaged there") from error
    photo.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    data = io.BytesIO()
    photo.save(data, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")

"""The words of a photo -> HTML. Pure. They are untrusted like a tweet: each text passes `safe`."""

from collections.abc import Sequence

from mmdemo.types import PhotoSource, PhotoWords
from mmdemo.ui.shell.safe import percent, safe

#: Where words are from, for people.
TITLES: dict[PhotoSource, str] = {
    "ocr": "read in the photo",
    "objects": "seen in the photo",
    "described": "described",
    "captioned": "captioned",
}


def photo_words_html(words: Sequence[PhotoWords]) -> str:
    """What the photo says in words, each with where it is from; nothing where there is none."""
    items = "".join(
        f'<li><bdi>{safe(one.text)}</bdi> <span class="mm-quiet">{_origin(one)}</span></li>' for one in words
    )
    return f'<ul class="mm-photo-words" aria-label="Words of the photo">{items}</ul>' if items else ""


def _origin(one: PhotoWords) -> str:
    parts = [TITLES[one.source]]
    if one.score is not None:
        parts.append(percent(one.score))
    if one.by:
        parts.append(f"by <bdi>{safe(one.by)}</bdi>")
    return ", ".join(parts)

"""When two posts say the same: splits must not share a text."""

import unicodedata

from mmdemo.types import Post


def text_key(post: Post) -> str:
    """What two copies of a text share: its letters and digits, without case, width or spacing."""
    text = unicodedata.normalize("NFKC", "".join(post.tokens)).casefold()
    return "".join(c for c in text if c.isalnum()) or text

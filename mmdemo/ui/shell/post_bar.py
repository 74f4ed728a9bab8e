"""The post that the Compare and Why tabs speak of, small, as HTML. Pure."""

import base64
import io

from PIL import Image

from mmdemo.datasets.looks import looks_of
from mmdemo.datasets.schema import Dataset
from mmdemo.types import Question
from mmdemo.ui.shell.photo_words import photo_words_html
from mmdemo.ui.shell.safe import safe
from mmdemo.ui.shell.view import asked_html

SIDE = 160  # pixels; twice what is shown, for dense screens
NO_POST = (
    '<section class="mm-post-bar mm-empty"><p>No post yet. Write one or take an example in the Predict tab; '
    "this tab asks about that post.</p></section>"
)


def photo_source(photo: Image.Image, side: int = SIDE) -> str:
    """A small copy of a photo as a data URI."""
    small = photo.convert("RGB")
    small.thumbnail((side, side))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode('ascii')}"


def post_bar_html(question: Question, dataset: Dataset) -> str:
    """Photo, tweet and data set in one line."""
    post = question.post
    if isinstance(post.image, Image.Image):
        picture = f'<img src="{photo_source(post.image)}" alt="The post’s photo">'
    else:
        picture = '<span class="mm-no-photo">no photo</span>'
    tweet = asked_html(question, looks_of(dataset))
    return (
        f'<section class="mm-post-bar">{picture}<div>{tweet}{photo_words_html(post.photo_words)}'
        f'<p class="mm-quiet">read as {safe(dataset.title)}; edit it in the Predict tab</p>'
        "</div></section>"
    )

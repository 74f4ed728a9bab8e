"""Example posts: those of the datasets' records, with public-domain photos from our requirements."""

import base64
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from mmdemo.datasets.discovery import bundled
from mmdemo.datasets.examples import photo_of
from mmdemo.datasets.schema import Dataset, Task
from mmdemo.ui.shell.safe import safe

THUMBNAIL = 160  # pixels; twice what is shown, for dense screens


@dataclass(frozen=True, kw_only=True)
class Example:
    """A photo that may be given away, where it comes from, and a tweet for each task."""

    title: str
    alt: str
    credit: str
    texts: dict[Task, str]


@cache
def available() -> tuple[tuple[Example, Path], ...]:
    """The bundled datasets' examples whose photo is on this machine, with its path.

    Examples of several datasets with one photo are one: each gives the tweet for its task.
    """
    found: dict[Path, Example] = {}
    for dataset in bundled().values():
        for one in dataset.examples:
            path = photo_of(one)
            if path is None:
                continue
            earlier = found.get(path)
            texts = {dataset.tasks[0]: one.text, **(earlier.texts if earlier else {})}
            found[path] = Example(title=one.title, alt=one.alt, credit=one.credit, texts=texts)
    return tuple((example, path) for path, example in found.items())


def texts_of(dataset: Dataset) -> list[str]:
    """The dataset's examples without a photo of their own."""
    return [example.text for example in dataset.examples if not example.photo]


def figure_html(example: Example, path: Path) -> str:
    """A small picture with its name, source and licence. The picture travels inside the page."""
    with Image.open(path) as photo:
        small = photo.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=85)
    source = base64.b64encode(data.getvalue()).decode("ascii")
    return (
        f'<figure class="mm-example"><img src="data:image/jpeg;base64,{source}" alt="{safe(example.alt)}">'
        f"<figcaption><b>{safe(example.title)}</b><span>{safe(example.credit)}</span></figcaption></figure>"
    )

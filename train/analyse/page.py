"""Self-contained pages: a template filled with escaped values, images in data URIs, no script at all."""

import base64
import io
from pathlib import Path
from typing import Any

import jinja2
from matplotlib.figure import Figure

from mmdemo.types import InputError

TEMPLATES = Path(__file__).parent / "pages"


def write_page(file: Path, template: str, **values: Any) -> Path:
    """Fill ``train/pages/<template>``, which escapes every value, and write it.

    Raises:
        InputError: the file cannot be written.
    """
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        loader=jinja2.FileSystemLoader(TEMPLATES),
    )
    page = environment.get_template(template).render(**values)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page, encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}") from error
    return file


def image_uri(canvas: Figure, kind: str) -> str:
    """A drawn figure as an image that a page carries in itself; ``kind`` is svg or png."""
    stream = io.BytesIO()
    canvas.savefig(stream, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return data_uri(stream.getvalue(), "svg+xml" if kind == "svg" else kind)


def data_uri(content: bytes, kind: str) -> str:
    """An image's bytes as a data URI."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"

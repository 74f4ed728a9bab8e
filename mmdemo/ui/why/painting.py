"""What visitors paint over a photo, from the browser to a mask: bounded in number, bytes and pixels.

Gradio's editor keeps every layer that it is ever sent, for good, in a list as long as the sender says, and
opens them whatever they are. Its two methods are replaced for the class, not for an instance: each session
gets an instance of its own.
"""

import io
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import numpy as np
from gradio.components.base import server
from PIL import Image
from starlette.exceptions import HTTPException

#: Layers of one painting; the page offers one.
MOST_LAYERS = 4
#: Bytes of one layer, a PNG of at most a thousand pixels a side; and of all that wait for their question.
MOST_BYTES = 8 * 2**20
MOST_WAITING = 64 * 2**20
MOST_PIXELS = 2048 * 2048
FORMATS = ("PNG", "WEBP")

TOO_MUCH = f"A painting has at most {MOST_LAYERS} layers of {MOST_BYTES // 2**20} MB each."
UNREADABLE = "The painting is not a PNG picture that can be read."


@dataclass(frozen=True, kw_only=True)
class Painting:
    """The layers of one painting, by their place, and who paints."""

    session: str
    layers: dict[int, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(len, self.layers.values()))


class Waiting:
    """Paintings that were sent and not asked about yet: one for each session, the oldest go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paintings: OrderedDict[str, Painting] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes of all paintings."""
        with self._lock:
            return sum(painting.size for painting in self._paintings.values())

    def add(self, name: str, session: str, place: int, layer: bytes) -> None:
        """Keep a layer. Raises ValueError where it is too large or its place too high."""
        if not 0 <= place < MOST_LAYERS or len(layer) > MOST_BYTES:
            raise ValueError(TOO_MUCH)
        with self._lock:
            painting = self._paintings.pop(name, None) or Painting(session=session)
            painting.layers[place] = layer
            for other in [n for n, p in self._paintings.items() if p.session == session]:
                del self._paintings[other]
            self._paintings[name] = painting
            while sum(p.size for p in self._paintings.values()) > MOST_WAITING:
                self._paintings.popitem(last=False)

    def take(self, name: str) -> list[bytes]:
        """The painting's layers, which are forgotten; none where there is no such painting."""
        with self._lock:
            painting = self._paintings.pop(name, None)
        return [layer for _, layer in sorted(painting.layers.items())] if painting else []


WAITING = Waiting()


def opened(layer: io.BytesIO | str) -> np.ndarray:
    """A layer as (height, width, 4) of 8 bits. Raises gr.Error for what is none, or too large."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
            with Image.open(layer, formats=FORMATS) as image:
                if image.width * image.height <= MOST_PIXELS:
                    return np.asarray(image.convert("RGBA"))
    except Exception as error:  # plugins raise whatever their parsing trips over
        raise gr.Error(UNREADABLE, print_exception=False) from error
    raise gr.Error(UNREADABLE, print_exception=False)


def _accept_blobs(self: gr.ImageEditor, data: Any) -> None:
    """Keep one layer; the background and the composite are the photo, which the server has."""
    sent, files = data.data, data.files
    if sent.get("type") != "layer" or not files:
        return
    try:
        place = int(str(sent.get("index"))[:9])
        WAITING.add(str(sent.get("id"))[:99], str(sent.get("session_hash"))[:99], place, files[0][1])
    except ValueError as error:
        raise HTTPException(413, TOO_MUCH) from error


def _preprocess(self: gr.ImageEditor, payload: Any) -> dict[str, list[np.ndarray]] | None:
    """The layers of the painting that is asked about."""
    if payload is None:
        return None
    if payload.id is not None:
        layers: list[Any] = [io.BytesIO(layer) for layer in WAITING.take(payload.id[:99])]
    else:  # a client's files
        layers = [layer.path for layer in payload.layers]
    if len(layers) > MOST_LAYERS:
        raise gr.Error(TOO_MUCH, print_exception=False)
    return {"layers": [opened(layer) for layer in layers]}


def editor(**looks: Any) -> gr.ImageEditor:
    """Where a person paints; it gives ``{"layers": [arrays with an alpha channel]}``."""
    _accept_blobs.__name__ = "accept_blobs"  # what browsers call it by
    gr.ImageEditor.accept_blobs = server(_accept_blobs)  # type: ignore[method-assign]
    gr.ImageEditor.preprocess = _preprocess  # type: ignore[method-assign, assignment]
    return gr.ImageEditor(type="numpy", **looks)

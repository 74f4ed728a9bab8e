"""A sentence about a photo, by an image-to-text model of the Hub, where MMDEMO_CAPTIONER names one.

``owner/name@revision`` with the 40 hex digits of a commit: branches and tags can move. Weights are read from
safetensors alone and no code of the repository runs. Whatever goes wrong costs this source and no other: a
model that cannot be loaded, that takes too long or that answers nonsense is a `SourceError`.
"""

import logging
import os
import re
import time
from collections.abc import Callable
from functools import cache
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

import torch
from PIL import Image

from mmdemo.cells.hub import pinned
from mmdemo.photo_words.source import Source, SourceError
from mmdemo.photo_words.spelling import letters, plain_line
from mmdemo.types import InputError, PhotoWords, quoted

log = logging.getLogger(__name__)

#: Seconds that a caption may take, MMDEMO_CAPTIONER_SECONDS if set; the first one waits for the weights too.
SECONDS = 30.0
#: Seconds after which a model that could not be loaded is tried again.
RETRY_SECONDS = 300
#: Sub-tokens of a caption.
LONGEST = 40


def captioner_name() -> str:
    """What MMDEMO_CAPTIONER says; empty: no captioner."""
    return os.environ.get("MMDEMO_CAPTIONER", "").strip()


def captioner_source() -> Source:
    """The source "captioned"; its model is loaded by the first photo.

    Raises:
        InputError: MMDEMO_CAPTIONER names no model, or no commit of it; or the seconds are no number.
    """
    name = captioner_name()
    if not name:
        raise InputError("no captioner is configured: set MMDEMO_CAPTIONER to owner/name@revision")
    repo, _, revision = name.partition("@")
    try:
        pinned(repo, revision)
    except InputError as error:
        raise InputError(f"MMDEMO_CAPTIONER={quoted(name)} must be owner/name@revision: {error}") from error
    captioner = captioner_of(repo, revision, _seconds())
    return Source(name="captioned", version=f"{repo}@{revision}", read=captioner.read)


def _seconds() -> float:
    stated = os.environ.get("MMDEMO_CAPTIONER_SECONDS", "").strip()
    try:
        seconds = float(stated or SECONDS)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 3600:
        raise InputError(f"MMDEMO_CAPTIONER_SECONDS={quoted(stated)} must be a number of seconds up to 3600")
    return seconds


@cache
def captioner_of(repo: str, revision: str, seconds: float) -> "Captioner":
    """One model a process, however many readers ask it."""
    return Captioner(lambda: load(repo, revision), by=f"{repo}@{revision[:7]}", seconds=seconds)


#: A photo and seconds to a caption.
Caption = Callable[[Image.Image, float], str]


class Captioner:
    """A model that is loaded once and asked for one caption at a time, for no longer than ``seconds``.

    The work is done by a thread of its own, which nobody waits for longer than that: a download or a large
    model cannot be interrupted. As long as it is at work, further photos are told so at once.
    """

    def __init__(self, loading: Callable[[], Caption], *, by: str, seconds: float) -> None:
        self._loading, self._by, self._seconds = loading, by, seconds
        self._caption: Caption | None = None
        self._failed: tuple[float, str] | None = None
        self._turn = Lock()

    def read(self, photo: Image.Image) -> list[PhotoWords]:
        """One caption. Raises SourceError: not loaded, too slow, busy, or what it said is no caption."""
        started = time.monotonic()
        if self._failed and started - self._failed[0] < RETRY_SECONDS:
            raise SourceError(self._failed[1])
        if not self._turn.acquire(timeout=self._seconds):
            raise SourceError(f"{self._by} is still at work on an earlier photo")
        answer: SimpleQueue[str | SourceError] = SimpleQueue()
        left = max(0.1, self._seconds - (time.monotonic() - started))
        Thread(target=self._work, args=(photo, left, answer), name="captioner", daemon=True).start()
        try:
            said = answer.get(timeout=left)
        except Empty:
            doing = "load" if self._caption is None else "answer"
            raise SourceError(f"{self._by} took longer than {self._seconds:g} s to {doing}") from None
        if isinstance(said, SourceError):
            raise said
        return [PhotoWords(source="captioned", text=sensible(said, self._by), by=self._by)]

    def _work(self, photo: Image.Image, seconds: float, answer: "SimpleQueue[str | SourceError]") -> None:
        """Load if need be and caption; the turn is over when this ends, not when the asker gave up."""
        try:
            if self._caption is None:
                self._caption = self._loading()
            answer.put(self._caption(photo, seconds))
        except Exception as error:  # OSError, ValueError, torch's, safetensors' and the Hub client's own
            first = plain_line(str(error).strip().partition("\n")[0], 200)
            doing = "cannot be loaded" if self._caption is None else "failed on this photo"
            failure = SourceError(f"{self._by} {doing} ({type(error).__name__}: {first})")
            if self._caption is None:
                self._failed = time.monotonic(), str(failure)
            log.warning("captioner: %s", failure)
            answer.put(failure)
        finally:
            self._turn.release()


_LOOP = re.compile(r"\b(\w+)(\W+\1\b){3,}", re.IGNORECASE)


def sensible(said: str, by: str) -> str:
    """The caption as one line. Raises SourceError where it is empty, no words, or one word over and over."""
    line = plain_line(said)
    words = line.lower().split()
    few = len(words) >= 8 and len(set(words)) <= len(words) // 4
    if letters(line) < 3 or letters(line) < len(line.replace(" ", "")) / 2 or few or _LOOP.search(line):
        raise SourceError(f"what {by} says is no caption: {quoted(line)}")
    return line


def load(place: str, revision: str) -> Caption:
    """An image-to-text model, such as BLIP, of a repository or a folder; on the GPU where there is one.

    Raises whatever the Hub client, transformers and torch do.
    """
    from transformers import AutoModelForImageTextToText, AutoProcessor  # here: seconds that few need

    processor: Any = AutoProcessor.from_pretrained(place, revision=revision, trust_remote_code=False)
    loaded: Any = AutoModelForImageTextToText.from_pretrained(
        place,
        revision=revision,
        trust_remote_code=False,
        use_safetensors=True,
        dtype=torch.float32,
        output_loading_info=True,
    )
    model, report = loaded  # `output_loading_info` asks for both
    if missing := sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]])):
        raise ValueError(f"its weights lack {missing[0]}")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device).eval()

    def caption(photo: Image.Image, seconds: float) -> str:
        given = processor(images=photo, return_tensors="pt").to(device)
        with torch.inference_mode():
            ids = model.generate(**given, max_new_tokens=LONGEST, max_time=seconds, do_sample=False)
        return processor.batch_decode(ids, skip_special_tokens=True)[0]

    return caption

"""How much visitors may send: bytes of one request, of all requests at once, and of uploads kept on the disk.

Gradio bounds a file, not how many come: a form of a thousand files, or one request after another, would
fill the disk and, where it reads what it is sent, the memory.
"""

import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

#: Bytes of one request that uploads nothing: a photo of 20 MB as text within JSON, and some.
MOST_SENT = 32 * 2**20
#: Bytes of one request that uploads files.
MOST_UPLOADED = 512 * 2**20
#: Bytes that all requests may be sending at a time.
MOST_AT_ONCE = 1024 * 2**20
#: Uploads that are kept, in bytes and in number; the oldest go first. A prediction needs its photo but once.
MOST_KEPT = 2048 * 2**20
MOST_FILES = 50_000

TOO_LARGE = "the request has more than {most} MB; send less at once"
FULL = "the server is receiving as much as it can; try again in a minute"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Uploads:
    """The uploaded files that are on the disk, oldest first."""

    def __init__(self) -> None:
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._total = 0

    def add(self, paths: Iterable[str]) -> list[str]:
        """Count these files, and delete the oldest where there are too many now; which."""
        for path in paths:
            self._total -= self._sizes.pop(path, 0)  # uploaded again: its age begins anew
            with suppress(OSError):
                self._sizes[path] = Path(path).stat().st_size
                self._total += self._sizes[path]
        gone: list[str] = []
        while len(self._sizes) > 1 and (self._total > MOST_KEPT or len(self._sizes) > MOST_FILES):
            path, size = self._sizes.popitem(last=False)
            self._total -= size
            gone.append(path)
            with suppress(OSError):  # Gradio deletes what is a day old
                Path(path).unlink()
                Path(path).parent.rmdir()  # named by the content's hash; others may lie there
        if gone:
            log.warning("the uploads are full: the %d oldest were deleted", len(gone))
        return gone


class _Refused(Exception):
    """Too much was sent; the answer says what."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Bodies:
    """ASGI middleware that keeps the bounds above. ``forget`` is told which uploads were deleted."""

    def __init__(self, app: Any, forget: Callable[[list[str]], None]) -> None:
        self.app, self.forget = app, forget
        self.uploads = Uploads()
        self._coming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self.app(scope, receive, send)
        uploads = scope["path"].rstrip("/").endswith("/upload")
        body = _Body(self, receive, send, MOST_UPLOADED if uploads else MOST_SENT, keep=uploads)
        try:
            body.check(_stated_length(scope))
            await self.app(scope, body.receive, body.send)
        except _Refused:
            pass  # `finish` says so
        finally:
            self._coming -= body.size
        await body.finish()
        if body.kept:
            self.forget(self.uploads.add(_paths(bytes(body.kept))))

    def count(self, size: int) -> int:
        """Note that bytes came; how many requests have sent that are not answered yet."""
        self._coming += size
        return self._coming


class _Body:
    """One request: what came of it, and what was answered."""

    def __init__(self, bodies: Bodies, receive: Receive, send: Send, most: int, *, keep: bool) -> None:
        self._bodies, self._receive, self._send, self._most, self._keep = bodies, receive, send, most, keep
        self._refused: _Refused | None = None
        self._begun = self._ended = False
        self.size = 0
        self.kept = bytearray()

    def check(self, size: int) -> None:
        """Raises _Refused where a request of this many bytes is too much."""
        if size > self._most:
            self._refused = _Refused(413, TOO_LARGE.format(most=self._most // 2**20))
            raise self._refused

    async def receive(self) -> Message:
        if self._refused:  # whoever catches the refusal asks for more in vain
            raise self._refused
        message = await self._next()
        came = len(message.get("body", b"")) if message["type"] == "http.request" else 0
        self.size += came
        coming = self._bodies.count(came)
        self.check(self.size)
        if came and coming > MOST_AT_ONCE:
            self._refused = _Refused(503, FULL)
            raise self._refused
        return message

    async def _next(self) -> Message:
        message = await self._receive()
        self._ended = message["type"] != "http.request" or not message.get("more_body")
        return message

    async def send(self, message: Message) -> None:
        if self._refused and not self._begun:
            return  # what the app makes of the refusal; `finish` gives it its own words
        self._begun = True
        if self._keep and message["type"] == "http.response.body":
            self.kept += message.get("body", b"")
        await self._send(message)

    async def finish(self) -> None:
        if self._refused is None or self._begun:
            return
        # A client that still sends would see a broken connection instead of the answer: let it, unread.
        while not self._ended:
            await self._next()
        said = json.dumps({"detail": self._refused.sentence}).encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await self._send({"type": "http.response.start", "status": self._refused.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": said})


def _stated_length(scope: Scope) -> int:
    """The request's Content-Length; 0 where it states none."""
    stated = dict(scope["headers"]).get(b"content-length", b"")
    return int(stated) if stated.isdigit() and len(stated) < 20 else 0


def _paths(answer: bytes) -> list[str]:
    """The files that an answer to an upload names; none where it says that it failed."""
    with suppress(ValueError):
        found = json.loads(answer)
        if isinstance(found, list):
            return [path for path in found if isinstance(path, str)]
    return []

"""Serve the page: security headers on every answer, and a stop that lets running answers finish."""

import argparse
import gc
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TextIO

import gradio as gr
from gradio import http_server
from starlette.middleware import Middleware

from mmdemo.terminal import log_safely, say
from mmdemo.types import InputError
from mmdemo.ui.review import calls as review_calls
from mmdemo.ui.serve import doors
from mmdemo.ui.serve.bodies import Bodies
from mmdemo.ui.serve.headers import FIXED, content_security_policy, script_hashes
from mmdemo.ui.serve.heap import share_heaps
from mmdemo.ui.shell import mcp_tools
from mmdemo.ui.shell.sessions import ForgetCalls

log = logging.getLogger(__name__)

#: How long a stop takes at most; container platforms kill after 30 seconds.
STOP_SECONDS = 20
#: How long of it a stop waits for answers that are being computed. Gradio takes 5 s to close where somebody
#: still listens, and reviews are backed up.
DRAIN_SECONDS = 12
#: Whoever has just sent a question is about to ask for its answer, in a second request.
GRACE_SECONDS = 0.5

#: Streams on which a client waits for its answer.
WAITING = ("/queue/data", "/call/")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Gate:
    """Counts the answers that clients wait for; once it is closed, no new work comes in."""

    def __init__(self) -> None:
        self.closed = False
        self._waiting = 0
        self._changed = threading.Condition()

    def change(self, by: int) -> None:
        with self._changed:
            self._waiting += by
            self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Close, then wait until nobody waits for an answer any more; False where that took too long."""
        self.closed = True
        time.sleep(min(GRACE_SECONDS, seconds))
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, seconds)


class Shield:
    """ASGI middleware: security headers, and the `Gate`. ``scripts`` are added to the page in the browser."""

    def __init__(self, app: Any, gate: Gate, scripts: tuple[str, ...], on_space: bool) -> None:
        self.app, self.gate, self.scripts, self.on_space = app, gate, scripts, on_space

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        guarded = Guarded(send, self._policy)
        asks = scope["method"] == "POST"
        if asks and self.gate.closed:
            return await _refuse(guarded)
        if not asks and not any(part in scope["path"] for part in WAITING):
            return await self.app(scope, receive, guarded)
        self.gate.change(+1)
        try:
            await self.app(scope, receive, guarded)
        finally:
            self.gate.change(-1)

    def _policy(self, html: bytes) -> str:
        return content_security_policy((*script_hashes(html), *self.scripts), on_space=self.on_space)


class Guarded:
    """A `Send` that adds headers. A page is held back until it is whole: its policy names its scripts."""

    def __init__(self, send: Send, policy: Callable[[bytes], str]) -> None:
        self._send, self._policy = send, policy
        self._held: Message | None = None
        self._page = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = dict(message.get("headers", ()))
            if headers.get(b"content-type", b"").startswith(b"text/html"):
                self._held = message
            else:
                await self._start(message, b"")
            return
        if self._held is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._page += message.get("body", b"")
        if not message.get("more_body"):
            await self._start(self._held, bytes(self._page))
            await self._send({"type": "http.response.body", "body": bytes(self._page)})

    async def _start(self, message: Message, page: bytes) -> None:
        added = {**FIXED, "content-security-policy": self._policy(page)}
        ours = [(name.encode(), value.encode()) for name, value in added.items()]
        await self._send({**message, "headers": [*message.get("headers", ()), *ours]})


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"30")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"detail": "The server is restarting; try again."}'})


class Outlet:
    """A stream for logs that drops what cannot be written.

    Gradio prints an exception before it tells the client: on a full disk, that client would wait for ever.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def check_uploads() -> None:
    """Photos need a folder that can be written. Raises InputError naming it where it cannot."""
    folder = Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(4096))
            probe.flush()
    except OSError as error:
        raise InputError(
            f"photos cannot be uploaded: the folder {folder} cannot be written ({error.strerror or error}); "
            "set GRADIO_TEMP_DIR to one that can"
        ) from error


def built(build: Callable[[], gr.Blocks]) -> gr.Blocks:
    """The page. Exits with one sentence where Gradio can make no folders in the one for uploads."""
    try:
        return build()
    except OSError:
        try:
            check_uploads()
        except InputError as error:
            _stop(error)
        raise


def _stop(error: InputError) -> NoReturn:
    """Say a person's mistake in one sentence, and end."""
    say(f"error: {error}", error=True)
    sys.exit(2)


def read_options(about: str) -> bool | None:
    """Whether the command line asks for MCP tools; None leaves that to GRADIO_MCP_SERVER.

    Exits with one sentence where they are asked for and cannot be served, or MMDEMO_HOSTS cannot be used.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--mcp", action="store_true", default=None, help="serve MCP tools beside the page")
    wanted: bool | None = parser.parse_args().mcp
    try:
        if wanted:
            mcp_tools.check_installed()
        doors.check_hosts()
    except InputError as error:
        _stop(error)
    return wanted


def _launch(demo: gr.Blocks, options: dict[str, Any]) -> None:
    """Listen on the port of GRADIO_SERVER_PORT, or end; without it on the first free one, and say which."""
    named = os.environ.get("GRADIO_SERVER_PORT")
    try:
        demo.launch(**options, server_port=http_server.INITIAL_PORT_VALUE if named else None)
    except OSError as error:
        if "empty port" not in str(error):
            raise
        which = f"port {named} is" if named else "all ports from 7860 on are"
        _stop(InputError(f"{which} taken by other programs; name another one by GRADIO_SERVER_PORT"))
    if demo.server_port != http_server.INITIAL_PORT_VALUE:
        taken, port = http_server.INITIAL_PORT_VALUE, demo.server_port
        log.warning("port %d is taken by another program; the page is on port %d instead", taken, port)


def serve(demo: gr.Blocks, settings: dict[str, Any], mcp: bool | None = None) -> None:
    """Launch and stay until SIGTERM or Ctrl+C; after SIGTERM, what is being answered is answered still.

    ``mcp`` is `read_options`' answer.
    """
    try:
        check_uploads()
    except InputError as error:  # texts are answered all the same
        log.warning("%s", error)
    share_heaps()
    sys.stdout, sys.stderr = Outlet(sys.stdout), Outlet(sys.stderr)
    log_safely()
    gate, stop = Gate(), threading.Event()
    shield = Middleware(
        Shield,
        gate=gate,
        scripts=script_hashes(settings.get("head", "").encode()),
        on_space="SPACE_ID" in os.environ,
    )
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    forgetful = Middleware(ForgetCalls, holder=lambda: demo.server_app.state_holder)
    bounded = Middleware(Bodies, forget=lambda gone: demo.upload_file_set.difference_update(gone))
    lifespan = doors.closed(doors.policy_of(os.environ))
    launch: dict[str, Any] = {
        "app_kwargs": {"middleware": [shield, bounded, forgetful], "lifespan": lifespan},
        "num_workers": 0,  # GRADIO_NUM_WORKERS would open ports without doors
        "prevent_thread_lock": True,
    }
    _launch(demo, {**settings, **launch, "mcp_server": mcp})
    mcp_tools.answer_in_json(demo)
    gc.collect()
    gc.freeze()  # the page and its libraries stay: looking through them held up all answers, each time
    try:
        while not stop.wait(0.2):
            pass
        began = time.monotonic()
        if not gate.drain(DRAIN_SECONDS):
            log.warning("stopping although answers were still being computed")
    except KeyboardInterrupt:
        began = time.monotonic()
    _close(demo, began + STOP_SECONDS)


def _close(demo: gr.Blocks, until: float) -> None:
    """Close the page and the store, and end the process, by then at the latest.

    Python would wait for every thread: for a photo that is being decoded, or for a database's lock.
    """

    def close() -> None:
        demo.close(verbose=False)
        review_calls.close_store()

    closing = threading.Thread(target=close, daemon=True)
    closing.start()
    closing.join(max(0.0, until - time.monotonic()))
    if closing.is_alive():
        log.warning("stopping although the reviews' backup was still being written")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        os._exit(0)

"""Serve the page: security headers on every answer, and a stop that lets running answers finish."""

import logging
import os
import signal
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from mmdemo.types import InputError

log = logging.getLogger(__name__)

#: How long a stop waits for answers that are being computed; container platforms kill after 30 seconds.
DRAIN_SECONDS = 20

#: Streams on which a client waits for its answer, and the requests that would start new work.
WAITING = ("/queue/data", "/call/")
STARTING = ("/queue/join", "/call/", "/run/", "/upload")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def security_headers(on_space: bool) -> dict[str, str]:
    """Headers of every answer.

    Gradio itself needs inline scripts and eval (it compiles templates), so the policy cannot stop a script
    that gets into the page (`mmdemo.ui.safe` does): it stops such a script from loading or sending anything
    elsewhere. On a Space the page stands in a frame of the Hub, which resizes it by a script from a CDN.
    """
    frames = "'self' https://huggingface.co https://*.hf.space" if on_space else "'self'"
    scripts = " https://cdnjs.cloudflare.com" if on_space else ""
    policy = {
        "default-src": "'self'",
        "script-src": f"'self' 'unsafe-inline' 'unsafe-eval' blob:{scripts}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": frames,
    }
    return {
        "content-security-policy": "; ".join(f"{key} {value}" for key, value in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin-allow-popups",
    }


class Gate:
    """Counts the answers that clients wait for; once it closes, no new work comes in."""

    def __init__(self) -> None:
        self.closing = threading.Event()
        self._waiting = 0
        self._lock = threading.Lock()

    def change(self, by: int) -> None:
        with self._lock:
            self._waiting += by

    def drain(self, seconds: float) -> bool:
        """Close, then wait until nobody waits for an answer any more; False where that took too long."""
        self.closing.set()
        deadline = time.monotonic() + seconds
        time.sleep(0.5)  # whoever has just sent a question is about to wait for its answer
        while self._waiting and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self._waiting


class Shield:
    """ASGI middleware: `security_headers`, and the `Gate`."""

    def __init__(self, app: Any, gate: Gate, headers: dict[str, str]) -> None:
        self.app, self.gate = app, gate
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.headers]
            await send(message)

        path, method = scope["path"], scope["method"]
        if self.gate.closing.is_set() and method == "POST" and any(part in path for part in STARTING):
            return await _refuse(guarded)
        if method != "GET" or not any(part in path for part in WAITING):
            return await self.app(scope, receive, guarded)
        self.gate.change(+1)
        try:
            await self.app(scope, receive, guarded)
        finally:
            self.gate.change(-1)


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"30")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"detail": "The server is restarting; try again."}'})


def check_places() -> None:
    """Uploads need a folder that can be written. Raises InputError naming it where it cannot."""
    folder = Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(4096))
            probe.flush()
    except OSError as error:
        raise InputError(
            f"the folder for uploads, {folder}, cannot be written ({error.strerror or error}); "
            "set GRADIO_TEMP_DIR to one that can"
        ) from error


def serve(demo: gr.Blocks, settings: dict[str, Any]) -> None:
    """Launch and stay until SIGTERM or Ctrl+C; what is being answered then is answered still."""
    try:
        check_places()
    except InputError as error:
        raise SystemExit(f"error: {error}") from error
    gate, stop = Gate(), threading.Event()
    headers = security_headers(on_space="SPACE_ID" in os.environ)
    shield = Middleware(Shield, gate=gate, headers=headers)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    demo.launch(**settings, app_kwargs={"middleware": [shield]}, prevent_thread_lock=True)
    try:
        while not stop.wait(0.2):
            pass
        if not gate.drain(DRAIN_SECONDS):
            log.warning("stopping although answers were still being computed")
    except KeyboardInterrupt:
        pass
    demo.close(verbose=False)

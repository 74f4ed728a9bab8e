"""Other sites for the tests: pages of another origin, the end of TLS before the app, and what attacks do."""

import json
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import live


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a server said to one request."""

    status: int
    headers: dict[str, str]
    text: str


def ask(url: str, data: bytes | None = None, method: str | None = None, **headers: str) -> Reply:
    """One request; in headers' names ``_`` stands for ``-``."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return _reply(reply.status, reply)
    except urllib.error.HTTPError as error:
        with error:
            return _reply(error.code, error)


def _reply(status: int, reply: Any) -> Reply:
    names = {name.lower(): value for name, value in reply.headers.items()}
    return Reply(status=status, headers=names, text=reply.read().decode("utf-8", "replace"))


def component(url: str, elem_id: str, **headers: str) -> int:
    """The number of a part of the page."""
    parts = json.loads(ask(f"{url}/config", **headers).text)["components"]
    return next(part["id"] for part in parts if part["props"].get("elem_id") == elem_id)


@contextmanager
def site(html: str, host: str = "127.0.0.2") -> Iterator[str]:
    """The address of a server that answers every path with this page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer((host, 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def other_browser(browser: Browser, *flags: str) -> Iterator[Browser]:
    """A browser with flags of its own, beside the tests' one."""
    other = browser.browser_type.launch(executable_path=live.CHROMIUM, args=[*live.FLAGS, *flags])
    try:
        yield other
    finally:
        other.close()


@contextmanager
def tls_before(port: int, folder: Path) -> Iterator[int]:
    """A port that speaks TLS and passes all on to ``port``, Host and all; it says that it was https."""
    program = shutil.which("openssl")
    if not program:
        pytest.skip("there is no `openssl` on this machine to make a certificate with")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_accept, args=(listener, context, port), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            plain = listener.accept()[0]
        except OSError:  # closed: the test is over
            return
        Thread(target=_join, args=(plain, context, port), daemon=True).start()


def _join(plain: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError), context.wrap_socket(plain, server_side=True) as outer:
        with socket.create_connection(("127.0.0.1", port)) as inner:
            back = Thread(target=_pump, args=(inner, outer), daemon=True)
            back.start()
            _pump(outer, inner, said=b"X-Forwarded-Proto: https\r\n")
            back.join()


def _pump(source: socket.socket, sink: socket.socket, said: bytes = b"") -> None:
    """All bytes; ``said`` is a header for each request (browsers begin a TLS record with one)."""
    with suppress(OSError, ValueError):
        while data := source.recv(65_536):
            if said and data.startswith((b"GET /", b"POST /", b"HEAD /")):
                first, end, rest = data.partition(b"\r\n")
                data = first + end + said + rest
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)

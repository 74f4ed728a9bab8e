"""Who may ask: requests to other names, or from other sites' pages, are refused before Gradio sees them.

A browser sends a visitor's cookies, and reaches a visitor's own machine, for any page that it shows. So a
request must name this server (else a stranger's domain may have been pointed here: DNS rebinding), and must
not come from a page of another origin, whatever its method: Gradio parses JSON of any content type. What is
no browser sends neither ``Origin`` nor ``Sec-Fetch-Site`` and passes (SECURITY.md says what that means).
"""

import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from mmdemo.types import InputError, quoted
from mmdemo.ui.serve.headers import FIXED

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.+)")
_SAME_SITE_NONE = re.compile(rb"(;\s*samesite\s*=\s*)none\b", re.IGNORECASE)

#: Pages that a link elsewhere may open, or a frame of the Hub show (`headers` says who may frame them).
PAGES = ("/",)
#: And on a Space, where signing in leads: the Hub sends the browser back there.
LOGIN = ("/login/huggingface", "/login/callback")

ELSEWHERE = (
    "This request comes from a page of another site and is refused: open the app at its own address. "
    "Behind a proxy that changes the Host header, set MMDEMO_HOSTS to the app's public host name."
)


@dataclass(frozen=True, kw_only=True)
class Address:
    """A host as browsers write it: lower case, no trailing dot; ``port`` None is the scheme's own."""

    name: str
    port: int | None

    @property
    def is_ip(self) -> bool:
        """Whether no name service was asked for it: nobody can have pointed it here."""
        try:
            ip_address(self.name.strip("[]"))
        except ValueError:
            return False
        return True


def read_address(text: str, defaults: tuple[int, ...] = (80, 443)) -> Address | None:
    """``name``, ``name:port``, ``1.2.3.4`` or ``[::1]:port``; None for anything else."""
    found = _HOST.fullmatch(text.strip().lower())
    if not found:
        return None
    port = int(found[2]) if found[2] else None
    return Address(name=found[1].removesuffix("."), port=None if port in defaults else port)


def read_origin(text: str) -> Address | None:
    """The address in ``http(s)://address``; None for anything else, such as "null"."""
    found = _ORIGIN.fullmatch(text.strip().lower())
    return read_address(found[2], (443 if found[1] == "https" else 80,)) if found else None


def named_hosts(environ: Mapping[str, str]) -> frozenset[Address]:
    """The names of this server in public: MMDEMO_HOSTS and, on a Space, SPACE_HOST (both by commas).

    Raises InputError for an entry of MMDEMO_HOSTS that is no host.
    """
    found = set()
    for entry in _entries(environ, "MMDEMO_HOSTS"):
        address = read_address(entry)
        if address is None:
            raise InputError(
                "MMDEMO_HOSTS takes host names with commas between them, such as demo.example.org or "
                f"demo.example.org:8443, not {quoted(entry)}"
            )
        found.add(address)
    spaces = map(read_address, _entries(environ, "SPACE_HOST"))
    return frozenset(found | {address for address in spaces if address})


def _entries(environ: Mapping[str, str], variable: str) -> list[str]:
    return [entry.strip() for entry in environ.get(variable, "").split(",") if entry.strip()]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Which requests come in.

    ``public``: this server's names for browsers; ``local``: what else a Host may say, such as the name that
    it was told to listen on. IP literals and localhost always pass as a Host.
    """

    public: frozenset[Address]
    local: frozenset[str]
    on_space: bool

    def problem(self, scope: Mapping[str, Any]) -> str | None:
        """Why an ASGI request of a browser or program is refused, in a sentence; None where it is not."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        hosts = headers.get("host", [])
        host = read_address(hosts[0]) if len(hosts) == 1 else None
        if host is None:
            return "The request names no host (one Host header), so it is refused."
        if not self._is_ours(host):
            return (
                f"This server does not answer to the host name {host.name}: if it is yours, set "
                f"MMDEMO_HOSTS={host.name} where the server is started."
            )
        foreign = not set(headers.get("sec-fetch-site", ())) <= {"same-origin", "none"}
        if foreign:
            return None if self._opens_a_page(scope, headers) else ELSEWHERE
        origins = map(read_origin, headers.get("origin", ()))
        return None if all(o and (o == host or o in self.public) for o in origins) else ELSEWHERE

    def _is_ours(self, host: Address) -> bool:
        named = {address.name for address in self.public} | self.local
        return host.is_ip or host.name == "localhost" or host.name in named

    def _opens_a_page(self, scope: Mapping[str, Any], headers: Mapping[str, list[str]]) -> bool:
        """A link was followed, or a frame filled: the page itself, which nobody else's script can read."""
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or headers.get("sec-fetch-mode") != ["navigate"]
        ):
            return False
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/")) or "/"
        return path in PAGES or (self.on_space and path in LOGIN)


def policy_of(environ: Mapping[str, str]) -> Policy:
    """The policy that the environment asks for. Raises InputError as `named_hosts` does."""
    listens = read_address(environ.get("GRADIO_SERVER_NAME", ""))
    return Policy(
        public=named_hosts(environ),
        local=frozenset({listens.name} if listens else ()),
        on_space="SPACE_ID" in environ,
    )


class Doors:
    """ASGI middleware around everything else, Gradio's own CORS and sessions as well."""

    def __init__(self, app: Any, policy: Policy) -> None:
        self.app, self.policy = app, policy

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        problem = self.policy.problem(scope)
        if problem is None:
            return await self.app(scope, receive, self._guarded(send))
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "another site"})
            return
        fixed = [(name.encode(), value.encode()) for name, value in FIXED.items()]
        kind = (b"content-type", b"text/plain; charset=utf-8")
        await send({"type": "http.response.start", "status": 403, "headers": [kind, *fixed]})
        await send({"type": "http.response.body", "body": problem.encode()})

    def _guarded(self, send: Any) -> Any:
        """A `Send` without leave for other origins; a cookie goes to other sites' frames on a Space alone."""

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [self._header(*header) for header in message.get("headers", ())]
                message = {**message, "headers": [header for header in kept if header]}
            await send(message)

        return guarded

    def _header(self, name: bytes, value: bytes) -> tuple[bytes, bytes] | None:
        if name.lower().startswith(b"access-control-"):
            return None
        if name.lower() == b"set-cookie" and not self.policy.on_space:
            value = _SAME_SITE_NONE.sub(rb"\1lax", value)
        return name, value


def closed(policy: Policy) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """A lifespan that puts `Doors` around an app before it takes its first request.

    Middleware that is named to Gradio would stand inside Gradio's own, which answers other origins first.
    """

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        app.middleware_stack = Doors(app.middleware_stack, policy)
        yield

    return lifespan


def check_hosts() -> None:
    """Raises InputError where MMDEMO_HOSTS cannot be used."""
    named_hosts(os.environ)

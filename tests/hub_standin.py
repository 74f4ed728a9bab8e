"""A stand-in for the Hub's HTTP API on this machine: repositories in memory, commits, large files, downloads.

It knows just the requests that `huggingface_hub` makes for us, and refuses writes without the token.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants

TOKEN = "hf_standin"
LARGE = (".safetensors", ".png", ".webp")


@dataclass
class Repo:
    """A repository: its commits, oldest first, as (id, files)."""

    private: bool
    sdk: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    commits: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)

    def files(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        found = [c for c in self.commits if revision in ("main", c[0])]
        return found[-1] if found else None


class Hub:
    """What the stand-in holds and has been asked. ``broken`` paths are served with other bytes."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}  # "models/owner/name"
        self.large: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.broken: set[str] = set()
        self.down = False
        self.url = ""

    def add(
        self, repo: str, files: dict[str, bytes], *, without: Sequence[str] = (), private: bool = False
    ) -> str:
        """Commit files to a repository, made if need be, and take some away; the commit's id."""
        held = self.repos.setdefault(repo, Repo(private=private))
        before = held.commits[-1][1] if held.commits else {}
        commit = hashlib.sha1(repr((repo, len(held.commits))).encode()).hexdigest()
        after = {path: data for path, data in {**before, **files}.items() if path not in without}
        held.commits.append((commit, after))
        return commit


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    # ------------------------------------------------------------ answers

    def answer(self, body: Any = None, status: int = 200, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, status: int, code: str) -> None:
        self.answer({"error": code}, status, X_Error_Code=code, X_Error_Message=code)

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def allowed(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def route(self) -> None:
        hub, path = self.hub, unquote(urlsplit(self.path).path)
        hub.requests.append(f"{self.command} {path}")
        body = self.body()
        if hub.down:
            return self.answer({"error": "down"}, 503)
        if self.command in ("GET", "HEAD") and "/resolve/" in path:
            return self.resolve(path)
        if self.command == "GET" and path.startswith("/api/"):
            return self.look(path)
        if self.command == "PUT" and path.startswith("/upload/"):
            oid = path.removeprefix("/upload/")
            assert hashlib.sha256(body).hexdigest() == oid
            hub.large[oid] = body
            return self.answer(b"")
        if path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        if not self.allowed():
            return self.refuse(401, "Unauthorized")
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        if path.endswith("/info/lfs/objects/batch"):
            return self.batch(json.loads(body))
        if "/preupload/" in path:
            files = [
                {"path": f["path"], "uploadMode": "lfs" if f["path"].endswith(LARGE) else "regular"}
                for f in json.loads(body)["files"]
            ]
            return self.answer({"files": [{**f, "shouldIgnore": False} for f in files]})
        if "/commit/" in path:
            return self.commit(path, body)
        if path.endswith("/variables"):
            held = self.hub.repos[path.removeprefix("/api/").removesuffix("/variables")].variables
            asked = json.loads(body)
            held[asked["key"]] = asked["value"]
            return self.answer({key: {"value": value} for key, value in held.items()})
        return self.refuse(404, "NotFound")

    do_GET = do_HEAD = do_PUT = do_POST = route

    def create(self, asked: dict[str, Any]) -> None:
        name = f"{asked.get('organization') or 'someone'}/{asked['name']}"
        key = f"{asked.get('type', 'model')}s/{name}"
        if key in self.hub.repos:
            return self.answer({"error": "exists", "url": f"{self.hub.url}/{name}"}, 409)
        self.hub.repos[key] = Repo(
            private=bool(asked.get("private")) or asked.get("visibility") == "private", sdk=asked.get("sdk")
        )
        return self.answer({"url": f"{self.hub.url}/{name}"})

    def batch(self, asked: dict[str, Any]) -> None:
        objects = []
        for wanted in asked["objects"]:
            action = {"upload": {"href": f"{self.hub.url}/upload/{wanted['oid']}"}}
            known = wanted["oid"] in self.hub.large
            objects.append({**wanted, **({} if known else {"actions": action})})
        self.answer({"objects": objects, "transfer": "basic"})

    def commit(self, path: str, body: bytes) -> None:
        repo = path.removeprefix("/api/").partition("/commit/")[0]
        if repo not in self.hub.repos:
            return self.refuse(404, "RepoNotFound")
        files, gone = {}, []
        for line in body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif item["key"] == "deletedFile":
                gone.append(value["path"])
        commit = self.hub.add(repo, files, without=gone)
        return self.answer({"commitUrl": f"{self.hub.url}/x/y/commit/{commit}", "commitOid": commit})

    def found(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit, or None after a refusal has been sent."""
        held = self.hub.repos.get(repo)
        if held is None or (held.private and not self.allowed()):
            self.refuse(404 if self.allowed() else 401, "RepoNotFound")
            return None
        commit = held.files(revision)
        if commit is None:
            self.refuse(404, "RevisionNotFound")
        return commit

    def look(self, path: str) -> None:
        kind, owner, name, what, *rest = [*path.removeprefix("/api/").split("/"), "", "", "", ""]
        held = self.hub.repos.get(f"{kind}/{owner}/{name}")
        if held and self.allowed() and not held.commits:  # just made
            made = {"id": f"{owner}/{name}", "private": held.private, "siblings": []}
            return self.answer([] if what == "tree" else made)
        commit = self.found(f"{kind}/{owner}/{name}", rest[0] or "main")
        if commit is None:
            return
        if what == "tree":
            self.answer([self.entry(path, data) for path, data in sorted(commit[1].items())])
        else:
            known = {"id": f"{owner}/{name}", "private": self.hub.repos[f"{kind}/{owner}/{name}"].private}
            self.answer({**known, "sha": commit[0], "siblings": [{"rfilename": p} for p in commit[1]]})

    def entry(self, path: str, data: bytes) -> dict[str, Any]:
        row = {"type": "file", "path": path, "size": len(data), "oid": git_hash(data)}
        if path.endswith(LARGE):
            row["lfs"] = {"size": len(data), "oid": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
        return row

    def resolve(self, path: str) -> None:
        repo, _, rest = path.lstrip("/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        kind = repo.partition("/")[0]
        commit = self.found(repo if kind in ("datasets", "spaces") else f"models/{repo}", revision)
        if commit is None:
            return
        if file not in commit[1]:
            return self.refuse(404, "EntryNotFound")
        data = commit[1][file]
        etag = hashlib.sha256(data).hexdigest() if file.endswith(LARGE) else git_hash(data)
        if file in self.hub.broken:
            data = bytes(len(data))
        self.answer(data, ETag=f'"{etag}"', X_Repo_Commit=commit[0])


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextmanager
def running_hub() -> Iterator[Hub]:
    """The stand-in, listening for this block."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def use(hub: Hub, cache: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point `huggingface_hub` at the stand-in and an empty cache; it reads its environment at import only."""
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(cache / "no-token"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)

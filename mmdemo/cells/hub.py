"""Checkpoints on the Hugging Face Hub: what a pinned revision of a repository holds, fetched and verified.

Only where MMDEMO_HUB_REPO (``owner/name``) and MMDEMO_HUB_REVISION (a commit's 40 hex digits) are set. The
repository is laid out as a checkpoints root. What has been fetched once needs no network again.
"""

import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, get_ident

from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.hf_api import RepoFile

from mmdemo.types import InputError, quoted

log = logging.getLogger(__name__)

RETRY_SECONDS = 60  # a Hub that did not answer is not asked again at each click
_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """A file of the repository: its git object id and, for a large one, the SHA-256 of its content."""

    size: int
    blob: str
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class HubRepo:
    """One repository at one commit; names change their content, commits do not."""

    name: str
    revision: str

    @property
    def root(self) -> Path:
        """The checkpoints root that fetched files make up, in the Hub's own cache."""
        folder = "models--" + self.name.replace("/", "--")
        return Path(constants.HF_HUB_CACHE) / folder / "snapshots" / self.revision

    def __str__(self) -> str:
        return f"{self.name} at {self.revision[:7]}"


def configured() -> HubRepo | None:
    """The repository that the environment names, if any.

    Raises:
        InputError: it is not named as ``owner/name`` and a commit.
    """
    name, revision = (os.environ.get(f"MMDEMO_HUB_{key}", "").strip() for key in ("REPO", "REVISION"))
    if not name:
        return None
    try:
        return pinned(name, revision)
    except InputError as error:
        raise InputError(f"MMDEMO_HUB_REPO and MMDEMO_HUB_REVISION: {error}") from error


def pinned(name: str, revision: str) -> HubRepo:
    """A repository at a commit. Raises InputError where that is not ``owner/name`` and 40 hex digits."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(f"the Hub repository {quoted(name)} must be owner/name")
    if not _COMMIT.fullmatch(revision):
        raise InputError(f"{name} needs the 40 hex digits of a commit: branches and tags can move")
    return HubRepo(name=name, revision=revision)


# ---------------------------------------------------------------- what is there

_listings: dict[HubRepo, dict[str, HubFile]] = {}
_failures: dict[HubRepo, tuple[float, str]] = {}
_asking = Lock()


def listing(repo: HubRepo) -> dict[str, HubFile]:
    """Every file of the repository by path, from memory, the cache or the Hub.

    Raises:
        InputError: the Hub cannot be asked, or has no such repository or commit.
    """
    with _asking:  # several first requests ask once
        return _listing(repo)


def _listing(repo: HubRepo) -> dict[str, HubFile]:
    if repo in _listings:
        return _listings[repo]
    when, why = _failures.get(repo, (0.0, ""))
    if why and time.monotonic() - when < RETRY_SECONDS:
        raise InputError(why)
    try:
        _listings[repo] = _cached_listing(repo) or _ask_listing(repo)
    except InputError as error:
        _failures[repo] = time.monotonic(), str(error)
        raise
    return _listings[repo]


def forget() -> None:
    """Drop what this process remembers of any repository, so that the next look is a new one."""
    _listings.clear()
    _failures.clear()


def _listing_file(repo: HubRepo) -> Path:
    return repo.root.parents[1] / f"mmdemo-{repo.revision}.json"


def _cached_listing(repo: HubRepo) -> dict[str, HubFile] | None:
    try:
        rows = json.loads(_listing_file(repo).read_text(encoding="utf-8"))
        return {path: HubFile(**row) for path, row in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _ask_listing(repo: HubRepo) -> dict[str, HubFile]:
    log.warning("asking the Hub what %s holds", repo)
    try:
        tree = HfApi(endpoint=constants.ENDPOINT).list_repo_tree(
            repo.name, revision=repo.revision, recursive=True
        )
        found = {
            entry.path: HubFile(
                size=entry.size, blob=entry.blob_id, sha256=entry.lfs.sha256 if entry.lfs else None
            )
            for entry in tree
            if isinstance(entry, RepoFile)
        }
    except Exception as error:  # the client raises httpx's, its own and OSErrors
        raise InputError(f"the Hub did not say what {repo} holds ({type(error).__name__})") from error
    file = _listing_file(repo)
    rows = {path: vars(entry) for path, entry in found.items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{file.name}.{os.getpid()}.{get_ident()}")
        temporary.write_text(json.dumps(rows), encoding="utf-8")
        temporary.replace(file)
    except OSError as error:
        raise InputError(f"the Hub's cache cannot be written: {error.strerror or error}") from error
    return found


def offers(repo: HubRepo, paths: Sequence[str]) -> bool:
    """Whether the repository has all of these files. Raises InputError as `listing`."""
    return set(paths) <= listing(repo).keys()


# ---------------------------------------------------------------- fetch and verify


def fetch(repo: HubRepo, paths: Sequence[str]) -> None:
    """Put files under ``repo.root``, each one that is there already included in the check of its hash.

    Raises:
        InputError: the repository lacks one, the Hub cannot be asked, the disk is full, or what came twice
            over is not what the commit holds.
    """
    known = listing(repo)
    if absent := [path for path in paths if path not in known]:
        raise InputError(f"the Hub repository {repo} has no {absent[0]}")
    missing = [path for path in paths if not (repo.root / path).is_file()]
    if missing:
        size = sum(known[path].size for path in missing) / 2**20
        log.warning("fetching %d files, %.1f MB, from the Hub repository %s", len(missing), size, repo)
    for path in paths:
        if path in missing:
            _download(repo, path, anew=False)
        if not _is_what(known[path], repo.root / path):
            log.warning("%s is not what %s holds; fetching it again", path, repo)
            _download(repo, path, anew=True)
            if not _is_what(known[path], repo.root / path):
                (repo.root / path).unlink(missing_ok=True)
                raise InputError(f"{path} from the Hub is not what {repo} holds; it was thrown away")


def _download(repo: HubRepo, path: str, *, anew: bool) -> None:
    try:
        hf_hub_download(
            repo.name, path, revision=repo.revision, force_download=anew, endpoint=constants.ENDPOINT
        )
    except Exception as error:  # as above
        cause = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise InputError(f"{path} could not be fetched from the Hub repository {repo} ({cause})") from error


def _is_what(stated: HubFile, file: Path) -> bool:
    """Whether a file has the hash that the commit states: SHA-256, or git's SHA-1 of a small one."""
    try:
        with file.open("rb") as stream:
            if stated.sha256:
                return hashlib.file_digest(stream, "sha256").hexdigest() == stated.sha256
            data = stream.read()
    except OSError:
        return False
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == stated.blob

"""Frozen exports as they are read: the posts that a queue had decided at one time, by name and number.

``frozen/NAME/3/`` holds ``posts.jsonl``, ``photos/``, and ``frozen.json`` with the hash of both;
`mmdemo.review.frozen` writes it.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmdemo.types import InputError, quoted

FOLDER = Path("frozen")
POSTS, FACTS, PHOTOS = "posts.jsonl", "frozen.json", "photos"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_BLOCK = 2**20


def digest_of(folder: Path) -> str:
    """The SHA-256 of a frozen export's posts and photos, with the photos' names."""
    total = hashlib.sha256()
    for path in [folder / POSTS, *sorted((folder / PHOTOS).glob("*"))]:
        total.update(f"{path.name}\0{path.stat().st_size}\0".encode(errors="surrogateescape"))
        for block in _blocks(path):
            total.update(block)
    return total.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def numbers(home: Path) -> list[int]:
    """The numbers of the frozen exports of one name."""
    return [int(one.name) for one in home.iterdir() if one.name.isdecimal() and len(one.name) < 10]


def facts_of(folder: Path) -> dict[str, Any]:
    """What frozen.json says. Raises InputError where it cannot be read, or lacks the hash."""
    try:
        found = json.loads((folder / FACTS).read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / FACTS} cannot be read") from error
    if not isinstance(found, dict) or not isinstance(found.get("sha256"), str):
        raise InputError(f"{folder / FACTS} does not say the hash of a frozen export")
    return found


def posts_of(name: str, folder: Path = FOLDER) -> Path:
    """The file of posts of a frozen export: ``NAME``, the last one, or ``NAME@3``.

    Raises:
        InputError: there is none, or it has been changed since.
    """
    name, _, number = name.partition("@")
    home = Path(folder) / name
    there = numbers(home) if NAME.fullmatch(name) and home.is_dir() else []
    if not there or (number and (not number.isdecimal() or int(number) not in there)):
        raise InputError(
            f"there is no frozen export {quoted(name + (f'@{number}' if number else ''))} in {folder}"
        )
    found = home / (number or str(max(there)))
    try:
        same = digest_of(found) == facts_of(found)["sha256"]
    except OSError as error:
        raise InputError(f"{found} cannot be read: {error.strerror or error}") from error
    if not same:
        raise InputError(f"{found} has been changed since it was frozen")
    return found / POSTS

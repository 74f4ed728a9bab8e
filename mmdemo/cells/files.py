"""A checkpoint's files on disk: JSON, hashes, and tensors in safetensors at 4, 8 or 16 bits.

Files are untrusted: what is missing, damaged or of another kind is an `InputError` that names the file.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mmdemo.cells.quantise import BITS, pack
from mmdemo.types import InputError

FORMAT = 1


def save_tensors(file: Path, tensors: Mapping[str, Tensor], bits: int, metadata: dict[str, str]) -> None:
    """Write named tensors at 4, 8 or 16 bits a value (`mmdemo.cells.quantise`)."""
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        stored |= pack(name, tensor.detach().cpu(), bits)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(file)
    save_file(stored, temporary, {"format": str(FORMAT), "bits": str(bits), **metadata})
    _sort_metadata(temporary)
    temporary.replace(file)


def _sort_metadata(file: Path) -> None:
    """Put a safetensors file's metadata in order, in place.

    The library writes them in a random one. Here the same tensors must give the same bytes: training a
    second fusion writes the shared trunk again, and its hash stands in the first one's config.json.
    """
    with file.open("r+b") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        stream.seek(8)
        stream.write(text.ljust(length))


def read_tensors(file: Path) -> tuple[dict[str, Tensor], int]:
    """All tensors of a safetensors file of ours, and its bits. Raises InputError naming the file."""
    try:
        with safe_open(file, framework="pt") as stored:
            bits = int((stored.metadata() or {})["bits"])
            if bits not in BITS:
                raise ValueError(f"{bits} bits")
            return {name: stored.get_tensor(name) for name in stored.keys()}, bits
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InputError(f"the checkpoint file {file} is missing or damaged") from error


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Write JSON for people (indented, one final newline) by replacing the file in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(file)
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(file)


def read_json(file: Path) -> dict[str, Any]:
    """One JSON object. Raises InputError naming a file that is missing or holds anything else."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the checkpoint file {file} is missing or cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"the checkpoint file {file} is damaged: it is not JSON") from error
    if not isinstance(value, dict):
        raise InputError(f"the checkpoint file {file} is damaged: it holds no JSON object")
    return value


def _beside(file: Path) -> Path:
    """Where a file is written before it takes its place: two processes may write the same one at once."""
    return file.with_name(f".{file.name}.{os.getpid()}.part")


def file_hash(file: Path) -> str:
    """SHA-256 of a file, in hex. Raises InputError where it cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"the checkpoint file {file} is missing or cannot be read") from error

"""A checkpoint's files on disk: JSON, hashes, and tensors in safetensors at 4 to 16 bits.

Files are untrusted: what is missing, damaged or of another kind is an `InputError` that names the file.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mmdemo.cells.quantise import BITS, pack
from mmdemo.types import InputError

FORMAT = 1


@contextmanager
def replacing(*files: Path) -> Iterator[tuple[Path, ...]]:
    """Neighbours to write in the place of files, which they take together once all are whole.

    Whatever goes wrong meanwhile leaves the files as they were, and no neighbour.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    beside = tuple(_beside(file) for file in files)
    try:
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
        for temporary in beside:
            temporary.touch()
        mode = beside[0].stat().st_mode  # as the umask says: safetensors makes files for their owner alone
        yield beside
        for temporary, file in zip(beside, files, strict=True):
            temporary.chmod(mode)
            temporary.replace(file)
    except (OSError, SafetensorError) as error:
        where = files[0] if len(files) == 1 else files[0].parent
        raise InputError(f"{where} cannot be written: {_cause(error)}; what was there is kept") from error
    finally:
        for temporary in beside:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _cause(error: OSError | SafetensorError) -> str:
    """Why a file cannot be written; safetensors says it in the middle of its own words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).rpartition("I/O error: ")[2].partition(" (os error")[0][:200]


def save_tensors(
    file: Path,
    tensors: Mapping[str, Tensor],
    bits: int,
    metadata: dict[str, str],
    *,
    grouped: bool = False,
    moments: Mapping[str, Tensor] | None = None,
) -> None:
    """Write named tensors at 4 to 16 bits a value (`mmdemo.cells.quantise`). InputError as `replacing`."""
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        inputs = (moments or {}).get(name)
        stored |= pack(name, tensor.detach().cpu(), bits, grouped=grouped, moments=inputs)
    with replacing(file) as (temporary,):
        save_file(stored, temporary, {"format": str(FORMAT), "bits": str(bits), **metadata})
        _sort_metadata(temporary)


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


def read_metadata(file: Path) -> dict[str, str]:
    """What a safetensors file says of itself. Raises InputError naming the file."""
    try:
        with safe_open(file, framework="pt") as stored:
            return dict(stored.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise InputError(f"the checkpoint file {file} is missing or damaged") from error


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Write JSON for people (indented, one final newline) by replacing the file in one step.

    Raises:
        InputError: as `replacing`.
    """
    with replacing(file) as (temporary,):
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


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

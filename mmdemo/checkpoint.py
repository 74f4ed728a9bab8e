"""Save and load a cell of the zoo: config.json, model.safetensors, metrics.json, and the trunk it stands on.

Layout (``root`` is ``checkpoints/`` or a training run's folder)::

    root/lite/base/                      pretrained encoders, shared: text/image.safetensors, tokenizer.json
    root/lite/<dataset>/<model>/         trunk.safetensors: the tuned encoder, as a difference to the base
    root/lite/<dataset>/<model>/<fusion> config.json, model.safetensors (all the rest), metrics.json

Files are untrusted: safetensors only (no pickle), each file's SHA-256 is in config.json, and a missing,
unknown, misshapen or non-finite tensor is an `InputError` that names the file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mmdemo.config import ModelConfig
from mmdemo.labels import output_labels
from mmdemo.models.model import MultimodalModel, build_model
from mmdemo.quantise import BITS, pack, stored_names, unpack
from mmdemo.types import InputError

FORMAT = 1
TRUNK_PARTS = ("text_encoder.", "image_encoder.")

#: Where a cell may find its trunk: beside its own folder (shared by all fusions) or inside (trained alone).
TRUNK_PLACES = ("../trunk.safetensors", "trunk.safetensors")


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a cell's folder says of itself: its configuration, how it was trained, and its figures."""

    config: ModelConfig
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def base_folder(root: Path, preset: str) -> Path:
    """Where a preset's pretrained encoders lie."""
    return root / preset / "base"


def cell_folder(root: Path, config: ModelConfig) -> Path:
    """Where a cell lies."""
    return root / config.cell


def root_of(folder: Path) -> Path:
    """The root that a cell's folder lies in, as `cell_folder` has it."""
    return folder.resolve().parents[3]


# ---------------------------------------------------------------- save


def save_tensors(file: Path, tensors: Mapping[str, Tensor], bits: int, metadata: dict[str, str]) -> None:
    """Write named tensors at 4, 8 or 16 bits a value (`mmdemo.quantise`)."""
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        stored |= pack(name, tensor.detach().cpu(), bits)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.part")
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


def save_trunk(file: Path, model: MultimodalModel, base: dict[str, Tensor], bits: int) -> None:
    """Write the encoders' parameters that differ from ``base`` (full names; absent there counts as 0)."""
    changed = {}
    for name, parameter in model.named_parameters():
        if name.startswith(TRUNK_PARTS):
            difference = parameter.detach() - base.get(name, torch.zeros_like(parameter))
            if difference.abs().max() > 0:
                changed[name] = difference
    save_tensors(file, changed, bits, {"part": "trunk"})


def save_cell(
    folder: Path,
    model: MultimodalModel,
    config: ModelConfig,
    *,
    trunk: str,
    training: dict[str, Any],
    metrics: dict[str, Any],
    bits: int = 8,
) -> None:
    """Write one cell; ``trunk`` is the place (see `TRUNK_PLACES`) of the trunk file that it needs."""
    own = {n: p for n, p in model.named_parameters() if not n.startswith(TRUNK_PARTS)}
    save_tensors(folder / "model.safetensors", own, bits, {"part": "cell", "cell": config.cell})
    files = {name: file_hash(folder / name) for name in ("model.safetensors", trunk)}
    write_json(
        folder / "config.json",
        {
            "format": FORMAT,
            "config": asdict(config),
            "labels": list(output_labels(config.dataset)),
            "files": files,
            "training": training,
        },
    )
    write_json(folder / "metrics.json", {"cell": config.cell, **metrics})


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Write JSON for people (indented, one final newline) by replacing the file in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.part")
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(file)


# ---------------------------------------------------------------- load


def load_card(folder: Path) -> Card:
    """Read and check config.json and metrics.json, without any weights.

    Raises:
        InputError: a file is missing, is no such JSON, is of another format, or its labels are not the
            dataset's.
    """
    file = folder / "config.json"
    stated = read_json(file)
    try:
        config = ModelConfig(**stated["config"])
        files = {str(name): str(digest) for name, digest in stated["files"].items()}
        version, labels = stated["format"], stated["labels"]
        training = dict(stated.get("training", {}))
    except KeyError as error:
        raise InputError(f"{file} is not a checkpoint's configuration: it lacks {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{file} is not a checkpoint's configuration: {error}") from error
    if version != FORMAT:
        raise InputError(f"{file} is of format {version}; this version reads format {FORMAT}")
    if labels != list(output_labels(config.dataset)):
        raise InputError(f"{file} lists other labels than {config.dataset} has")
    if set(files) not in ({"model.safetensors", place} for place in TRUNK_PLACES):
        raise InputError(f"{file} names other files than a checkpoint has")
    metrics = read_json(folder / "metrics.json")
    if metrics.get("cell") != config.cell:
        raise InputError(f"{folder / 'metrics.json'} belongs to another checkpoint")
    return Card(config=config, training=training, metrics=metrics, files=files)


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


def load_model(root: Path, folder: Path, card: Card) -> MultimodalModel:
    """The cell's model in evaluation mode, every file verified.

    Raises:
        InputError: a file is missing, damaged, or not the one that config.json means.
    """
    for name, digest in card.files.items():
        if file_hash(folder / name) != digest:
            raise InputError(
                f"the checkpoint file {folder / name} is damaged or belongs to another checkpoint"
            )
    model = build_model(card.config)
    load_base(root, model, card.config.preset)
    load_trunk(folder / next(name for name in card.files if name in TRUNK_PLACES), model)
    own = {n: p for n, p in model.named_parameters() if not n.startswith(TRUNK_PARTS)}
    for parameter in own.values():
        nn.init.zeros_(parameter)
    _add_tensors(folder / "model.safetensors", own, partial=False)
    return model.eval()


def load_trunk(file: Path, model: MultimodalModel) -> None:
    """Add a stored trunk to a model that holds its base. Raises InputError naming the file."""
    encoders = {n: p for n, p in model.named_parameters() if n.startswith(TRUNK_PARTS)}
    _add_tensors(file, encoders, partial=True)


def _add_tensors(file: Path, parameters: dict[str, nn.Parameter], *, partial: bool) -> None:
    """Add a file's tensors to parameters; ``partial`` allows parameters that the file leaves alone."""
    stored, bits = read_tensors(file)
    owed: set[str] = set()
    with torch.no_grad():
        for name, parameter in parameters.items():
            names = stored_names(name, parameter.ndim, bits)
            if partial and not names & stored.keys():
                continue
            owed |= names
            try:
                value = unpack(name, stored, parameter.shape, bits)
            except KeyError as error:
                raise InputError(f"the checkpoint file {file} lacks the tensor {error}") from error
            except ValueError as error:
                raise InputError(f"the checkpoint file {file} does not fit the model: {error}") from error
            if not value.isfinite().all():
                raise InputError(f"the checkpoint file {file} holds values that are not finite ({name})")
            parameter.add_(value)
    if unknown := stored.keys() - owed:
        raise InputError(f"the checkpoint file {file} holds tensors that the model lacks: {min(unknown)}")


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


def load_base(root: Path, model: MultimodalModel, preset: str) -> None:
    """Put the preset's pretrained encoders into ``model``. The ``tiny`` preset has none: seeded random."""
    if preset == "tiny":
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.default_generator.manual_seed(0)
            for name, parameter in sorted(model.named_parameters()):
                if name.startswith(TRUNK_PARTS) and parameter.ndim > 1:
                    parameter.normal_(std=0.1)
                elif name.startswith(TRUNK_PARTS) and name.endswith(".bias"):
                    parameter.zero_()
        return
    folder = base_folder(root, preset)
    _check_base(folder)
    for part, module in (("text", model.text_encoder), ("image", model.image_encoder)):
        file = folder / f"{part}.safetensors"
        stored, _ = read_tensors(file)
        state = {name: value.float() for name, value in stored.items()}
        try:
            missing, unknown = module.load_state_dict(state, strict=False)
        except RuntimeError as error:  # a shape differs
            raise InputError(f"the checkpoint file {file} does not fit the {part} encoder") from error
        if unknown or [
            m for m in missing if not m.endswith(("feature_embedding.weight", "num_batches_tracked"))
        ]:
            raise InputError(f"the checkpoint file {file} does not fit the {part} encoder")


@cache
def _check_base(folder: Path) -> None:
    """Verify the base files once a process."""
    stated = read_json(folder / "base.json").get("files")
    if not isinstance(stated, dict):
        raise InputError(f"the checkpoint file {folder / 'base.json'} is damaged: it lists no files")
    for name in ("text.safetensors", "image.safetensors", "tokenizer.json"):
        if file_hash(folder / name) != stated.get(name):
            raise InputError(
                f"the checkpoint file {folder / name} is damaged or not the one that base.json means"
            )


def file_hash(file: Path) -> str:
    """SHA-256 of a file, in hex. Raises InputError where it cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"the checkpoint file {file} is missing or cannot be read") from error

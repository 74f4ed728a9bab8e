"""A preset's base: the pretrained encoders that all of its trunks are stored as differences to."""

import os
import shutil
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmdemo.cells.files import file_hash, read_json, read_tensors
from mmdemo.cells.quantise import unpack_all
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import MultimodalModel
from mmdemo.types import InputError

TRUNK_PARTS = ("text_encoder.", "image_encoder.")

#: Parts of joint encoders that no pretrained weights have. They start from a fixed draw instead.
DRAWN_PARTS = ("text_encoder.cross.", "text_encoder.region_")

#: What base.json states the hashes of.
BASE_FILES = ("text.safetensors", "image.safetensors", "tokenizer.json")

#: The image side of a base, and whose it is where a preset's folder has none of its own.
IMAGE, IMAGE_OF = "image.safetensors", {"base": "lite"}

#: What names objects in photos: a base that was built before it has neither, and no cell needs them.
OBJECT_FILES = ("objects.safetensors", "objects.txt")

#: The layers of a text encoder whose trunks hold them whole: training starts from them, no cell reads them.
LAYERS = "layers.safetensors"

#: What of an encoder is in LAYERS, of the presets that have it.
LAYERS_APART = {"base": "bert.encoder."}

#: Encoder tensors that a base file lacks: zero at the start, or not weights.
NOT_IN_BASE = ("feature_embedding.weight", "num_batches_tracked")


def base_folder(root: Path, preset: str) -> Path:
    """Where a preset's pretrained encoders lie."""
    return root / preset / "base"


def base_place(config: ModelConfig) -> str:
    """A configuration's base folder below a root: tiny borrows lite's, each full model has its own."""
    preset = "lite" if config.preset == "tiny" else config.preset
    return f"{preset}/base/{config.model}" if preset == "full" else f"{preset}/base"


def base_file(folder: Path, name: str) -> Path:
    """A file of a preset's base folder; of an image side that two presets share there is one (`IMAGE_OF`)."""
    own, owner = folder / name, IMAGE_OF.get(folder.parent.name)
    if name == IMAGE and owner and not own.exists():
        return base_folder(folder.parents[1], owner) / name
    return own


def load_base(root: Path, model: MultimodalModel, preset: str, *, share: bool = False) -> None:
    """Put the preset's pretrained encoders into ``model``. The ``tiny`` preset has none: seeded random.

    With ``share`` the model takes the tensors that this process holds already, 106 MB for all lite models
    together: for those that nobody trains. What differs must be put beside them, never written into them.
    Layers that trunks hold whole are left at zero (`load_layers`).
    """
    if preset == "tiny":
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.default_generator.manual_seed(0)
            for name, parameter in sorted(model.named_parameters()):
                if name.startswith(TRUNK_PARTS) and parameter.ndim > 1:
                    parameter.normal_(std=0.1)
                elif name.startswith(TRUNK_PARTS) and name.endswith(".bias"):
                    parameter.zero_()
        return
    _draw_joint_parts(model)
    folder = base_folder(root, preset) / model.text_encoder.base
    _check_base(folder)
    for part, module in (("text", model.text_encoder), ("image", model.image_encoder)):
        file = base_file(folder, f"{part}.safetensors")
        state = _read_base(file) if preset == "full" else _base_tensors(file)
        expected = {n for n in module.state_dict() if not f"{part}_encoder.{n}".startswith(DRAWN_PARTS)}
        try:
            missing, unknown = module.load_state_dict(state, strict=False, assign=share)
        except RuntimeError as error:  # a shape differs
            raise InputError(f"the checkpoint file {file} does not fit the {part} encoder") from error
        apart = [m for m in missing if part == "text" and m.startswith(LAYERS_APART.get(preset, " "))]
        if unknown or [
            m for m in missing if m in expected and not m.endswith(NOT_IN_BASE) and m not in apart
        ]:
            raise InputError(f"the checkpoint file {file} does not fit the {part} encoder")
        for name in apart:
            nn.init.zeros_(module.get_parameter(name))


def load_layers(root: Path, model: MultimodalModel, preset: str) -> None:
    """Put the pretrained layers that the preset's trunks hold whole into a model that is to be trained.

    Raises:
        InputError: they are not there, for none ships, or they are damaged.
    """
    if preset not in LAYERS_APART:
        return
    file = base_folder(root, preset) / LAYERS
    if not file.is_file():
        raise InputError(
            f"{file} is missing: training from the published weights needs them, --weights-root "
            "(docs/training.md); --from starts from a trunk that ships"
        )
    if file_hash(file) != _stated_files(file.parent).get(LAYERS):
        raise InputError(f"the checkpoint file {file} is damaged or not the one that base.json means")
    try:
        missing, unknown = model.text_encoder.load_state_dict(_read_base(file), strict=False)
    except RuntimeError as error:  # a shape differs
        raise InputError(f"the checkpoint file {file} does not fit the text encoder") from error
    if unknown or [name for name in missing if name.startswith(LAYERS_APART[preset])]:
        raise InputError(f"the checkpoint file {file} does not fit the text encoder")


def _read_base(file: Path) -> dict[str, Tensor]:
    """A base file's tensors in float32, and as the image encoder lays its kernels out."""
    stored, bits = read_tensors(file)
    with torch.inference_mode(False):  # whoever asks first: the tensors are for all
        try:
            whole = unpack_all(stored, bits)
        except (KeyError, ValueError) as error:
            raise InputError(f"the checkpoint file {file} is damaged: {error}") from error
        return {
            name: value.contiguous(
                memory_format=torch.channels_last if value.ndim == 4 else torch.contiguous_format
            )
            for name, value in whole.items()
        }


#: Two presets' text and image sides, kept for all models. Not the full ones': 1.4 GB, and one model each.
_base_tensors = lru_cache(maxsize=4)(_read_base)


def is_whole_or_copy(folder: Path, source: Path) -> bool:
    """Whether a folder holds what its base.json means; False for half a copy of ``source``.

    Raises:
        InputError: it is damaged, and no copy: another base in its place would not fit its trunks.
    """
    try:
        _verify_base(folder)
        return True
    except InputError:
        if not (source / "base.json").exists():
            raise
        held, meant = _stated_files(folder), _stated_files(source)
        if any(held.get(name) != meant.get(name) for name in BASE_FILES):
            raise
        return False


def copy_base(source: Path, folder: Path) -> None:
    """Copy a base folder beside its place, and into it once every file has the hash that base.json states.

    What is in its place and is not whole, such as what a full disk left of an earlier copy, is replaced.

    Raises:
        InputError: the disk is full, or ``source`` itself is damaged.
    """
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        objects = [name for name in OBJECT_FILES if (source / name).is_file()]
        for name in (*BASE_FILES, *objects, "base.json"):
            shutil.copyfile(base_file(source, name), beside / name)
        _verify_base(beside)
        if folder.exists():
            shutil.rmtree(folder)
        try:
            beside.rename(folder)
        except OSError:  # another process was first, with the same?
            _verify_base(folder)
    except OSError as error:
        raise InputError(f"the encoders cannot be copied to {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@cache
def _check_base(folder: Path) -> None:
    """Verify the base files once a process."""
    _verify_base(folder)


def _stated_files(folder: Path) -> dict[str, Any]:
    stated = read_json(folder / "base.json").get("files")
    if not isinstance(stated, dict):
        raise InputError(f"the checkpoint file {folder / 'base.json'} is damaged: it lists no files")
    return stated


def _verify_base(folder: Path) -> None:
    """Raises InputError naming the first file that is not what base.json means."""
    stated = _stated_files(folder)
    for name in BASE_FILES:
        file = base_file(folder, name)
        if file_hash(file) != stated.get(name):
            raise InputError(f"the checkpoint file {file} is damaged or not the one that base.json means")


def _draw_joint_parts(model: MultimodalModel) -> None:
    """Weights of a joint encoder's own parts from a fixed seed, so that a trunk can be a difference to them.

    The step out of cross-attention stays at zero: the encoder starts as the text encoder alone.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(0)
        for name, parameter in sorted(model.named_parameters()):
            if name.startswith(DRAWN_PARTS) and parameter.ndim > 1 and not name.endswith(".out.weight"):
                embedding = "place" in name or "source" in name
                nn.init.normal_(parameter, std=0.02 if embedding else parameter.shape[-1] ** -0.5)
            elif name.startswith(DRAWN_PARTS) and name.endswith(".bias"):
                nn.init.zeros_(parameter)

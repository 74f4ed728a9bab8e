"""Build the base folder of one model of the preset ``full``: its published encoders, or random ones.

root/full/base/<model>/    text.safetensors, image.safetensors, tokenizer.json, base.json
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmdemo.cells.files import file_hash, read_json, save_tensors, write_json
from mmdemo.cells.pretrained_base import NOT_IN_BASE, base_folder, base_place
from mmdemo.cells.zoo import SHIPPED
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import build_model
from mmdemo.types import InputError

INITS = ("published", "random")
SEED = 1337


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where full encoders come from: ``weights_root`` holds local copies (None: the Hub and torchvision);
    ``init`` is "published", or "random" to try things at true size without any weights.
    """

    weights_root: Path | None = None
    init: str = "published"

    def __post_init__(self) -> None:
        if self.init not in INITS:
            raise InputError(f"--init {self.init}: known are {', '.join(INITS)}")
        if self.weights_root is not None and not self.weights_root.is_dir():
            raise InputError(f"--weights-root {self.weights_root} is no folder")
        if self.weights_root is not None and self.init == "random":
            raise InputError("--weights-root and --init random exclude each other")


def ensure_full_base(root: Path, config: ModelConfig, origin: Origin) -> Path:
    """The model's base folder in ``root``, built if it is not there.

    Raises:
        InputError: weights cannot be had, or the folder holds random ones where published ones are asked
            for, or the other way about.
    """
    folder = root / base_place(config)
    if not (folder / "base.json").exists():
        return build_full_base(root, config, origin)
    held = read_json(folder / "base.json").get("init")
    if held != origin.init:
        raise InputError(
            f"{folder} holds {held} weights; remove it, choose another --out, or say --init {held}"
        )
    return folder


def build_full_base(root: Path, config: ModelConfig, origin: Origin) -> Path:
    """Write the model's base folder in float16 and return it; base.json comes last."""
    folder = root / base_place(config)
    torch.manual_seed(SEED)
    model = build_model(config)
    wanted = {"text": model.text_encoder.state_dict(), "image": model.image_encoder.state_dict()}
    if origin.init == "random":
        held: dict[str, Mapping[str, Tensor]] = {side: _stored(wanted[side]) for side in wanted}
        # Random weights know no vocabulary: BERT's stands in for RoBERTa's, which is larger.
        vocabulary = base_folder(SHIPPED, "lite") / "tokenizer.json"
        sources: dict[str, Any] = {side: {"model": f"random weights, seed {SEED}"} for side in wanted}
    else:
        from mmdemo.models.encoders import published

        text, image = published.read_sides(config.model, origin.weights_root)
        held = {"text": text, "image": image}
        vocabulary = published.read_vocabulary(config.model, origin.weights_root)
        names = dict(zip(wanted, published.SOURCES[config.model], strict=True))
        sources = {side: published.source_facts(name, origin.weights_root) for side, name in names.items()}
    for side, tensors in held.items():
        _check_fits(tensors, wanted[side], f"{config.model}'s {side} side", origin)
        save_tensors(folder / f"{side}.safetensors", _stored(tensors), 16, {"part": f"base {side}"})
    _copy_vocabulary(vocabulary, folder / "tokenizer.json")
    names_held = ("text.safetensors", "image.safetensors", "tokenizer.json")
    files = {name: file_hash(folder / name) for name in names_held}
    write_json(folder / "base.json", {"init": origin.init, "sources": sources, "files": files})
    return folder


def _stored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in tensors.items() if not name.endswith(NOT_IN_BASE)}


def _check_fits(
    tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], what: str, origin: Origin
) -> None:
    """Raises InputError where published tensors are of another architecture or size."""
    ours, theirs = (
        {name: tuple(value.shape) for name, value in _stored(t).items()} for t in (wanted, tensors)
    )
    where = f" in {origin.weights_root}" if origin.weights_root else ""
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            raise InputError(
                f"the weights for {what}{where} do not fit: {name} is {theirs.get(name, 'missing')}, "
                f"not {ours.get(name, 'known')}"
            )


def _copy_vocabulary(source: Path, file: Path) -> None:
    """Copy a ``tokenizer.json``; one over bytes is told that every word has a space before it.

    Words are read one at a time, and RoBERTa tells "Paris" inside a sentence from "Paris" at its very start
    by that space.
    """
    try:
        stated = json.loads(source.read_text(encoding="utf-8"))
        steps = stated.get("pre_tokenizer") or {}
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"the tokenizer file {source} is missing or damaged") from error
    if not any(step.get("type") == "ByteLevel" for step in (steps, *steps.get("pretokenizers", ()))):
        shutil.copyfile(source, file)
        return
    for step in (steps, *steps.get("pretokenizers", ())):
        if step.get("type") == "ByteLevel":
            step["add_prefix_space"] = True
    write_json(file, stated)

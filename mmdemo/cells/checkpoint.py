"""Save and load a cell of the zoo: config.json, model.safetensors, metrics.json, and the trunk it stands on.

Layout (``root`` is ``checkpoints/`` or a training run's folder)::

    root/lite/base/                      pretrained encoders, shared: text/image.safetensors, tokenizer.json
    root/lite/<dataset>/<model>/         trunk.safetensors: the tuned encoders, as a difference to the base
                                         (of the preset base, whose layers are not in its base: whole, or
                                         as a difference to a trunk that several datasets share)
    root/lite/<dataset>/<model>/<fusion> config.json, model.safetensors (all the rest), metrics.json

Files are untrusted: safetensors only (no pickle), each file's SHA-256 is in config.json, and a missing,
unknown, misshapen or non-finite tensor is an `InputError` that names the file.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmdemo.cells.card import WEIGHTS, Card, card_json
from mmdemo.cells.files import file_hash, read_metadata, read_tensors, replacing, save_tensors, write_json
from mmdemo.cells.name import CellName
from mmdemo.cells.pretrained_base import TRUNK_PARTS, load_base
from mmdemo.cells.quantise import stored_names, unpack
from mmdemo.models.config import ModelConfig
from mmdemo.models.model import MultimodalModel, NoDraws, build_model
from mmdemo.types import InputError

#: What a trunk's metadata call the hash of the trunk that it is a difference to.
BELOW = "below"


def cell_folder(root: Path, config: ModelConfig) -> Path:
    """Where a cell lies."""
    return root / CellName.of(config).path


def root_of(folder: Path) -> Path:
    """The root that a cell's folder lies in, as `cell_folder` has it."""
    return folder.resolve().parents[3]


# ---------------------------------------------------------------- save


def save_trunk(
    file: Path,
    model: MultimodalModel,
    base: dict[str, Tensor],
    bits: int,
    *,
    grouped: bool = False,
    moments: Mapping[str, Tensor] | None = None,
    below: Path | None = None,
) -> None:
    """Write the encoders' parameters that differ from ``base`` (full names; absent there counts as 0).

    ``grouped`` as in `mmdemo.cells.quantise.pack`: for layers that the base leaves at 0; ``moments`` are its,
    by parameter. ``below`` is the trunk that ``base`` holds already (`trunk_below`).
    """
    changed = {}
    for name, parameter in model.named_parameters():
        if name.startswith(TRUNK_PARTS):
            difference = parameter.detach() - base.get(name, torch.zeros_like(parameter))
            if difference.abs().max() > 0:
                changed[name] = difference
    about = {"part": "trunk"} | ({BELOW: file_hash(below)} if below else {})
    save_tensors(file, changed, bits, about, grouped=grouped, moments=moments)


def save_cell(
    folder: Path,
    model: MultimodalModel,
    config: ModelConfig,
    *,
    trunks: Sequence[str],
    training: dict[str, Any],
    metrics: dict[str, Any],
    bits: int = 8,
) -> None:
    """Write one cell; ``trunks`` are the places (see `trunk_places`) of the trunk files that it needs.

    Its three files take the place of an older cell's together: half of them would be no cell.

    Raises:
        InputError: the disk is full, or the folder cannot be written; an older cell is kept.
    """
    own = {n: p for n, p in model.named_parameters() if not n.startswith(TRUNK_PARTS)}
    name = str(CellName.of(config))
    places = (folder / file for file in (WEIGHTS, "config.json", "metrics.json"))
    with replacing(*places) as (weights, card, figures):
        save_tensors(weights, own, bits, {"part": "cell", "cell": name})
        files = {WEIGHTS: file_hash(weights)} | {file: file_hash(folder / file) for file in trunks}
        write_json(card, card_json(config, files, training))
        write_json(figures, {"cell": name, **metrics})


# ---------------------------------------------------------------- load


def load_model(
    root: Path, folder: Path, card: Card, encoders_of: MultimodalModel | None = None
) -> MultimodalModel:
    """The cell's model in evaluation mode, every file verified. It is not to be trained: it shares tensors.

    ``encoders_of`` is a model that has been loaded from the same trunk and lends its encoders.

    Raises:
        InputError: a file is missing, damaged, not the one that config.json means, or replaced meanwhile.
    """
    verified = [_verify(folder / name, digest) for name, digest in card.files.items()]
    with NoDraws(zeros=card.config.preset == "full"):
        model = build_model(card.config, encoders_of)
    if encoders_of is None:
        load_base(root, model, card.config.preset, share=True)
        for name in card.trunks:
            if (below := _stands_on(folder / name)) and below not in card.trunks.values():
                raise InputError(f"{folder / 'config.json'} lacks the trunk that {folder / name} stands on")
            _add_trunk(folder / name, model)
    own = {n: p for n, p in model.named_parameters() if not n.startswith(TRUNK_PARTS)}
    for parameter in own.values():
        nn.init.zeros_(parameter)
    _add_tensors(folder / WEIGHTS, own, partial=False)
    if verified != [_identity(folder / name) for name in card.files]:
        raise InputError(f"the checkpoint in {folder} was replaced while it was read; ask again")
    return model.eval()


def _verify(file: Path, digest: str) -> tuple[int, ...]:
    """The identity of a file with this hash. Raises InputError for any other."""
    identity = _identity(file)
    if file_hash(file) != digest:
        raise InputError(f"the checkpoint file {file} is damaged or belongs to another checkpoint")
    return identity


def _identity(file: Path) -> tuple[int, ...]:
    """What changes when a file is replaced or written to; nothing where it is missing."""
    try:
        stat = file.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def load_trunk(file: Path, model: MultimodalModel, *, other: bool = False) -> None:
    """Add a stored trunk, and the one that it stands on, to a model that holds its base.

    ``other``: the trunk may be another model's, and hold what this one has no part for, as a photo's words.

    Raises:
        InputError: naming the file, which is damaged or does not fit, or whose trunk below is not there.
    """
    if (below := trunk_below(file)) is not None:
        _add_trunk(below, model, other=other)
    _add_trunk(file, model, other=other)


def trunk_below(file: Path) -> Path | None:
    """The trunk of several datasets that a stored trunk is a difference to; None for one that is whole.

    Raises:
        InputError: the file is damaged, or the trunk that it means is not in its place.
    """
    if (digest := _stands_on(file)) is None:
        return None
    folder = file.resolve().parent  # DATASET/MODEL, or of a cell's own trunk DATASET/MODEL/FUSION
    places = [model.parent.parent / "base" / model.name / file.name for model in (folder, folder.parent)]
    for place in places:
        if place.is_file() and file_hash(place) == digest:
            return place
    raise InputError(f"the checkpoint file {file} stands on a trunk that is not at {places[0]}")


def _stands_on(file: Path) -> str | None:
    return read_metadata(file).get(BELOW)


def _add_trunk(file: Path, model: MultimodalModel, *, other: bool = False) -> None:
    encoders = {n: p for n, p in model.named_parameters() if n.startswith(TRUNK_PARTS)}
    _add_tensors(file, encoders, partial=True, spare=other)


def _add_tensors(
    file: Path, parameters: dict[str, nn.Parameter], *, partial: bool, spare: bool = False
) -> None:
    """Add a file's tensors to parameters; ``partial`` allows parameters that the file leaves alone, and
    ``spare`` tensors that no parameter takes."""
    stored, bits = read_tensors(file)
    stored = _named_as_now(stored, parameters)
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
            parameter.data = parameter.data + value  # not in place: the base's tensors are shared
    if not spare and (unknown := stored.keys() - owed):
        raise InputError(
            f"the checkpoint file {file} holds tensors that the model lacks: {min(unknown)[:80]}"
        )


def _named_as_now(stored: dict[str, Tensor], parameters: Iterable[str]) -> dict[str, Tensor]:
    """A file's tensors by today's names: a model had one ``head`` before it could have one a task."""
    tasks = sorted({name.split(".")[1] for name in parameters if name.startswith("heads.")})
    if len(tasks) != 1:
        return stored
    return {
        f"heads.{tasks[0]}.{name.removeprefix('head.')}" if name.startswith("head.") else name: value
        for name, value in stored.items()
    }

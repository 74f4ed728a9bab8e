"""Where the weights of the preset ``full`` come from, and how they are read: the Hub, torchvision, or copies.

Every source is pinned: a Hub repository by revision, torchvision's file by the hash in its name. Weights are
read from safetensors alone, but for torchvision's own file, which is read with ``weights_only``.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchvision.models import ResNet50_Weights
from transformers import (
    BertModel,
    BlipForQuestionAnswering,
    CLIPVisionModel,
    PreTrainedModel,
    RobertaModel,
    ViltModel,
)
from transformers.utils import cached_file, logging

from mmdemo.models.encoders.full import SIZES
from mmdemo.models.encoders.table import model_row
from mmdemo.types import InputError, quoted

Tensors = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Published:
    """A model on the Hub. ``revision`` is None where no commit of it holds safetensors."""

    hub: str
    revision: str | None
    licence: str


#: Name, which is also the folder of a local copy -> the published model.
PUBLISHED: dict[str, Published] = {
    "roberta-large": Published(
        hub="FacebookAI/roberta-large", revision="722cf37b1afa9454edce342e7895e588b6ff1d59", licence="MIT"
    ),
    "bert-base-uncased": Published(
        hub="google-bert/bert-base-uncased",
        revision="86b5e0934494bd15c9632b12f734a8a67f723594",
        licence="Apache-2.0",
    ),
    # The commit that added safetensors; `main` holds a pickle.
    "clip-vit-base-patch32": Published(
        hub="openai/clip-vit-base-patch32", revision="c237dc49a33fc61debc9276459120b7eac67e7ef", licence="MIT"
    ),
    # Of BLIP's models with a text encoder that looks at photos, the one that has safetensors.
    "blip-vqa-base": Published(
        hub="Salesforce/blip-vqa-base",
        revision="787b3d35d57e49572baabd22884b3d5a05acf072",
        licence="BSD-3-Clause",
    ),
    "vilt-b32-mlm": Published(hub="dandelin/vilt-b32-mlm", revision=None, licence="Apache-2.0"),
}

RESNET = ResNet50_Weights.IMAGENET1K_V2
RESNET_LICENCE = "BSD-3-Clause"


def read_sides(model: str, weights_root: Path | None) -> tuple[Tensors, Tensors]:
    """The text and image side's tensors under the names that the encoders of `full_encoders` have.

    Args:
        weights_root: a folder of local copies, one folder a source; None asks the Hub and torchvision.

    Raises:
        InputError: a source is missing, a pickle, cannot be downloaded, or lacks tensors.
    """
    sources = model_row(model).sources
    if sources.text == sources.image and sources.text in BOTH_SIDES:
        return BOTH_SIDES[sources.text](weights_root)
    for name, known in ((sources.text, TEXT_SIDES), (sources.image, IMAGE_SIDES)):
        if name not in known:
            raise InputError(f"{__name__} does not say how {quoted(name)}, a source of {model}, is read")
    return TEXT_SIDES[sources.text](weights_root), IMAGE_SIDES[sources.image](weights_root)


def read_vocabulary(model: str, weights_root: Path | None) -> Path:
    """The ``tokenizer.json`` of a model's text side. Raises InputError where there is none."""
    name = model_row(model).sources.text
    place, revision = _place(name, weights_root)
    try:
        file = cached_file(place, "tokenizer.json", revision=revision)
    except Exception as error:  # OSError, and what the Hub's client raises
        raise InputError(f"{place} has no tokenizer.json that can be read: {_first_line(error)}") from error
    if file is None:
        raise InputError(f"{place} has no tokenizer.json")
    return Path(file)


def source_facts(name: str, weights_root: Path | None) -> dict[str, str]:
    """What base.json states of a source: model and licence; the revision, or a local copy's own hashes."""
    if name == "resnet50":
        return {"model": f"torchvision's {RESNET}", "file": RESNET.url, "licence": RESNET_LICENCE}
    source = PUBLISHED[name]
    facts = {"model": source.hub, "licence": source.licence}
    if weights_root is None:
        return facts | {"revision": str(source.revision)}
    return facts | {f"copied {f.name}": _sha256(f) for f in (weights_root / name).glob("*.safetensors")}


def resnet_weights(weights_root: Path | None) -> Tensors:
    """ResNet-50's tensors from torchvision's file (`RESNET`), or from a copy of it in ``resnet50/``.

    Raises:
        InputError: it cannot be read or downloaded, has another hash, or is not a ResNet-50's.
    """
    if weights_root is None:
        place: str | Path = RESNET.url
    else:
        place = weights_root / "resnet50" / Path(RESNET.url).name
        if not _sha256(place).startswith(place.stem.rpartition("-")[2]):
            raise InputError(f"{place} is damaged: its hash is not the one in its name")
    options: dict[str, Any] = {"map_location": "cpu", "weights_only": True}
    try:
        if isinstance(place, Path):
            stored = torch.load(place, map_location="cpu", weights_only=True)
        else:
            stored = RESNET.get_state_dict(progress=True, check_hash=True, **options)
    except Exception as error:  # URLError, OSError, RuntimeError, UnpicklingError
        raise InputError(f"the weights {place} cannot be read: {_first_line(error)}") from error
    if not isinstance(stored, dict) or not all(isinstance(value, Tensor) for value in stored.values()):
        raise InputError(f"the weights {place} are no tensors by name")
    return {f"net.{name}": value for name, value in stored.items() if not name.startswith("fc.")}


def _place(name: str, weights_root: Path | None) -> tuple[str | Path, str | None]:
    """Where a source lies, and its revision on the Hub. Raises InputError where it cannot be had."""
    source = PUBLISHED[name]
    if weights_root is None:
        if source.revision is None:
            raise InputError(
                f"{source.hub} has no weights in safetensors on the Hub: give --weights-root DIR with a copy "
                f"in DIR/{name} that save_pretrained wrote, and its tokenizer.json (see docs/training.md)"
            )
        return source.hub, source.revision
    folder = weights_root / name
    if not folder.is_dir():
        raise InputError(f"{weights_root} has no folder {name} with a copy of {source.hub}")
    if not any(folder.glob("*.safetensors")):
        pickles = sorted(file.name for file in folder.glob("*.bin"))
        if pickles:
            raise InputError(
                f"{folder} holds its weights as a pickle alone ({pickles[0]}), which can run code when it is "
                "read; save them with save_pretrained, which writes model.safetensors"
            )
        raise InputError(f"{folder} holds no weights (model.safetensors)")
    return folder, None


def _read(
    kind: type[PreTrainedModel], name: str, weights_root: Path | None, **options: Any
) -> PreTrainedModel:
    """A published model in float32."""
    place, revision = _place(name, weights_root)
    logging.set_verbosity_error()  # else it reports the heads that nothing here wants
    try:
        loaded: Any = kind.from_pretrained(
            place,
            revision=revision or "main",  # of a local copy it means nothing
            use_safetensors=True,
            output_loading_info=True,
            dtype=torch.float32,
            **options,
        )
    except Exception as error:  # OSError, ValueError, RuntimeError, safetensors' and the Hub client's own
        raise InputError(f"the weights {place} cannot be read: {_first_line(error)}") from error
    model, report = loaded  # `output_loading_info` asks for both
    missing = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if missing:
        raise InputError(f"the weights {place} lack what {kind.__name__} needs, such as {missing[0]}")
    return model


def _bert(kind: type[PreTrainedModel], name: str) -> Callable[[Path | None], Tensors]:
    """How a text side that is a whole model is read."""
    return lambda root: _named(_read(kind, name, root, add_pooling_layer=False), "bert.")


def _clip(weights_root: Path | None) -> Tensors:
    return _named(_read(CLIPVisionModel, "clip-vit-base-patch32", weights_root), "net.")


def _blip(weights_root: Path | None) -> tuple[Tensors, Tensors]:
    found: Any = _read(BlipForQuestionAnswering, "blip-vqa-base", weights_root)
    return _named(found.text_encoder, "bert."), _named(found.vision_model, "net.")


def _vilt(weights_root: Path | None) -> tuple[Tensors, Tensors]:
    """ViLT's stack, and its patches. It was trained on 40 sub-tokens; later places start as the last."""
    states = _named(_read(ViltModel, "vilt-b32-mlm", weights_root, add_pooling_layer=False), "bert.")
    patches = "bert.embeddings.patch_embeddings.projection."
    image = {n.replace(patches, "net."): states.pop(n) for n in list(states) if n.startswith(patches)}
    places = "bert.embeddings.text_embeddings.position_embeddings.weight"
    missing = SIZES["vilt"].max_position_embeddings - len(states[places])
    states[places] = torch.cat([states[places], states[places][-1:].expand(max(missing, 0), -1)])
    return states, image


def _named(module: torch.nn.Module, prefix: str) -> Tensors:
    """A module's tensors, each name behind a prefix; without the poolers that nothing here reads."""
    states: Mapping[str, Tensor] = module.state_dict()
    return {f"{prefix}{n}": v.detach() for n, v in states.items() if not n.startswith("pooler.")}


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"the weights {file} are missing or cannot be read") from error


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


#: How each source is read: a text side, an image side, or both sides of one model.
TEXT_SIDES: dict[str, Callable[[Path | None], Tensors]] = {
    "roberta-large": _bert(RobertaModel, "roberta-large"),
    "bert-base-uncased": _bert(BertModel, "bert-base-uncased"),
}
IMAGE_SIDES: dict[str, Callable[[Path | None], Tensors]] = {
    "resnet50": resnet_weights,
    "clip-vit-base-patch32": _clip,
}
BOTH_SIDES: dict[str, Callable[[Path | None], tuple[Tensors, Tensors]]] = {
    "blip-vqa-base": _blip,
    "vilt-b32-mlm": _vilt,
}

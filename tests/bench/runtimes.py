"""What can stand in for the lite encoders: other number formats, a compiler, ONNX Runtime, OpenVINO."""

import contextlib
import copy
import io
import logging
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmdemo.cells.zoo import LoadedCell
from mmdemo.models.model import MultimodalModel

THREADS = 2

#: (ids, features, mask) -> states, and pixels -> regions.
TextSide = Callable[[Tensor, Tensor, Tensor], Tensor]
ImageSide = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Other encoders for the cell, or other circumstances. ``seen``: the photo's regions are in a cache."""

    name: str
    text: TextSide
    image: ImageSide
    threads: int = THREADS
    seen: bool = False


def plain(loaded: LoadedCell) -> Variant:
    return Variant(name="plain", text=loaded.model.text_encoder, image=loaded.model.image_encoder)


def half(loaded: LoadedCell) -> Variant:
    """Both encoders in bfloat16; what they give is float32 again."""
    text, image = (
        copy.deepcopy(m).bfloat16() for m in (loaded.model.text_encoder, loaded.model.image_encoder)
    )
    return Variant(
        name="bf16", text=lambda *a: text(*a).float(), image=lambda pixels: image(pixels.bfloat16()).float()
    )


def int8(loaded: LoadedCell) -> Variant:
    """Linear layers with int8 weights, activations quantised as they come; convolutions stay as they are."""
    from torch.ao.quantization import quantize_dynamic

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated; its successor, torchao, is a package more
        made = quantize_dynamic(
            copy.deepcopy(loaded.model.text_encoder), {torch.nn.Linear}, dtype=torch.qint8
        )
    return Variant(name="int8, linear layers of the text side", text=made, image=loaded.model.image_encoder)


def compiled(loaded: LoadedCell) -> Variant:
    """Both encoders by Inductor, which needs a C++ compiler; once for all lengths of text."""
    text = torch.compile(loaded.model.text_encoder, dynamic=True)
    return Variant(name="torch.compile", text=text, image=torch.compile(loaded.model.image_encoder))


# ---------------------------------------------------------------- by way of ONNX


LENGTHS = torch.export.Dim("length", min=3, max=128)


class FromWords(nn.Module):
    """A text encoder from its word embeddings on: the embedding itself is a look-up, which PyTorch keeps."""

    def __init__(self, bert: Any) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, words_BLD: Tensor, mask_BL: Tensor) -> Tensor:
        return self.bert(inputs_embeds=words_BLD, attention_mask=mask_BL).last_hidden_state


def export(model: MultimodalModel, folder: Path) -> tuple[Path, Path]:
    """Both encoders as ONNX files: text of any length, photos of 224x224."""
    width = model.text_encoder.width
    text, image = folder / "text.onnx", folder / "image.onnx"
    lengths = {"words_BLD": {1: LENGTHS}, "mask_BL": {1: LENGTHS}}
    example = (torch.randn(1, 20, width), torch.ones(1, 20, dtype=torch.long))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        bert = FromWords(model.text_encoder.bert).eval()
        torch.onnx.export(bert, example, text, dynamo=True, dynamic_shapes=lengths)
        torch.onnx.export(model.image_encoder, (torch.randn(1, 3, 224, 224),), image, dynamo=True)
    return text, image


def onnx_runtime(model: MultimodalModel, threads: int) -> tuple[TextSide, ImageSide]:
    """Raises ImportError where ONNX Runtime or the exporter is not installed."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it would slow what runs next
    with tempfile.TemporaryDirectory() as folder:
        text, image = (
            ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
            for file in export(model, Path(folder))
        )

    def run(session: Any) -> Callable[..., Tensor]:
        names = [given.name for given in session.get_inputs()]
        return lambda *values: torch.from_numpy(
            session.run(None, dict(zip(names, map(np.asarray, values), strict=True)))[0]
        )

    return _sides(model, run(text), run(image))


def openvino(model: MultimodalModel, threads: int) -> tuple[TextSide, ImageSide]:
    """Raises ImportError where OpenVINO or the exporter is not installed."""
    import openvino as ov

    core, settings = ov.Core(), {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    settings["INFERENCE_PRECISION_HINT"] = "f32"
    with tempfile.TemporaryDirectory() as folder:
        text, image = (core.compile_model(str(f), "CPU", settings) for f in export(model, Path(folder)))

    def run(compiled: Any) -> Callable[..., Tensor]:
        return lambda *values: torch.from_numpy(compiled([np.asarray(v) for v in values])[0].copy())

    return _sides(model, run(text), run(image))


def _sides(
    model: MultimodalModel, text: Callable[..., Tensor], image: Callable[..., Tensor]
) -> tuple[TextSide, ImageSide]:
    encoder = model.text_encoder
    return lambda ids, features, mask: text(encoder.embed(ids, features), mask.long()), image


def in_onnx_runtime(loaded: LoadedCell) -> Variant:
    text, image = onnx_runtime(loaded.model, THREADS)
    return Variant(name="ONNX Runtime", text=text, image=image)


def in_openvino(loaded: LoadedCell) -> Variant:
    text, image = openvino(loaded.model, THREADS)
    return Variant(name="OpenVINO", text=text, image=image)


BUILDERS: dict[str, Callable[[LoadedCell], Variant]] = {
    "plain": plain,
    "threads": lambda loaded: replace(plain(loaded), name="1 thread", threads=1),
    "cache": lambda loaded: replace(plain(loaded), name="photo seen before (as the app does)", seen=True),
    "bf16": half,
    "int8": int8,
    "compile": compiled,
    "onnx": in_onnx_runtime,
    "openvino": in_openvino,
}
